"""The readings of a run: the options that name them, and the files in which the peers find them."""

import dataclasses
import json
import mmap
import pathlib
import struct
import subprocess

FIRST_MILLISECONDS = 1_704_067_200_000
WRITERS = 3
FIELDS = {
    "decimal": ["temperature", "humidity", "battery", "rssi"],
    "numeric": ["temperature", "humidity", "battery", "rssi"],
    "jitter": ["temperature", "humidity", "battery", "rssi"],
    "noise": ["a", "b", "c", "d"],
}


@dataclasses.dataclass(frozen=True)
class DataSet:
    """Mirrors DataSet.swift: the same options give the same readings."""

    variant: str = "decimal"
    devices: int = 1_000
    ticks: int = 3_600
    step_milliseconds: int = 1_000
    late: float = 0.0
    latest_by: int = 600

    @property
    def readings(self):
        return self.devices * self.ticks

    @property
    def end_milliseconds(self):
        return FIRST_MILLISECONDS + self.ticks * self.step_milliseconds

    @property
    def numeric_fields(self):
        return FIELDS[self.variant]

    @property
    def arguments(self):
        return [
            "--variant", self.variant, "--devices", self.devices, "--ticks", self.ticks,
            "--step-milliseconds", self.step_milliseconds, "--late", self.late, "--latest-by", self.latest_by,
        ]

    @staticmethod
    def device_name(device):
        return f"sensor-{device:07}"


# A measurement that takes longer has something that grows worse than it should.
RUN_SECONDS = 600


def run_json(command, seconds=RUN_SECONDS, ends=0):
    """The last line a program prints, as JSON; its errors go to ours. `ends` is the status that it must end with."""
    command = [str(part) for part in command]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=seconds)
    if done.returncode != ends:
        raise subprocess.CalledProcessError(done.returncode, command)
    return json.loads(done.stdout.splitlines()[-1])


class DataFiles:
    """A data set on disk: line protocol, a file for each connection, and fixed-width records. Use as a context manager."""

    def __init__(self, data_set, binary, folder):
        self.data_set = data_set
        self.folder = pathlib.Path(folder)
        self.records_path = self.folder / "records"
        run_json([
            binary, "generate", *data_set.arguments, "--lines", self.folder / "lines", "--records", self.records_path,
            "--writers", WRITERS,
        ])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for path in self.folder.iterdir():
            path.unlink()

    def requests(self, writer):
        """The bodies that one connection sends, in order: 5000 lines each."""
        path = self.folder / f"lines.{writer}"
        raw = pathlib.Path(f"{path}.offsets").read_bytes()
        offsets = struct.unpack(f"<{len(raw) // 8}Q", raw)
        if len(offsets) < 2:
            return  # A connection without devices: nothing to map.
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as lines:
            with memoryview(lines) as view:
                for start, end in zip(offsets, offsets[1:]):
                    with view[start:end] as body:
                        yield body

    def values(self, device, tick):
        """What was sent: (time in ms, numeric fields by name)."""
        count = len(self.data_set.numeric_fields)
        index = tick * self.data_set.devices + device
        with open(self.records_path, "rb") as file:
            file.seek(4 + 4 * count + 48 * index)
            time, _, _, *values = struct.unpack("<qII4d", file.read(48))
        return time, dict(zip(self.data_set.numeric_fields, values))
