"""What is measured. Each scenario is a function of a Bench and returns {row: [one dictionary a round]}."""

import contextlib
import dataclasses
import pathlib
import subprocess
import sys
import tempfile

from datasets import DataFiles, DataSet
from embedded import Gaugehouse, RocksDB
from servers import InfluxDB, VictoriaMetrics


@dataclasses.dataclass
class Bench:
    """What all scenarios share."""

    ours: Gaugehouse
    rocksdb: RocksDB | None
    servers: dict
    folder: pathlib.Path
    rounds: int
    questions: int
    # 1 for a full run; the share of a full run's readings otherwise.
    scale: float

    def scaled(self, count, least=1):
        return max(least, round(count * self.scale))

    @contextlib.contextmanager
    def place(self):
        with tempfile.TemporaryDirectory(prefix="run-", dir=self.folder) as folder:
            yield pathlib.Path(folder)


FLEET_CACHE_MEBIBYTES = 8


def progress(text):
    print(text, file=sys.stderr, flush=True)


def measure_engines(bench, data_set, engines, name, questions):
    """Every engine in turn, each round with a fresh store; every other round in the other order."""
    results = {engine: [] for engine in engines}
    with bench.place() as data, DataFiles(data_set, bench.ours.binary, data) as files:
        for number in range(bench.rounds):
            for engine in engines if number % 2 == 0 else engines[::-1]:
                with bench.place() as folder:
                    result = measure_engine(bench, engine, files, folder, questions)
                results[engine].append(result)
                rate = result["readings"] / result["commit_wall_s"]
                cpu = result["cpu_s"] / result["readings"] * 1e6
                progress(f"{name}, round {number + 1}: {engine}: {rate:,.0f} readings/s, {cpu:.2f} µs CPU")
    return results


def measure_engine(bench, engine, files, folder, questions):
    if engine == "gaugehouse":
        # A big fleet's store must not fit into its cache: it takes less than the default.
        options = ["--cache-mebibytes", FLEET_CACHE_MEBIBYTES] if files.data_set.devices > 1_000 else []
        return bench.ours.measure(files.data_set, folder, questions, *options)
    if engine.startswith("rocksdb"):
        return bench.rocksdb.measure(files, folder, questions, "nosync" if engine.endswith("no sync") else "sync")
    with bench.servers[engine](folder) as server:
        return server.measure(files, questions)


def available(bench, *engines):
    have = {"gaugehouse", *bench.servers, *(["rocksdb", "rocksdb, no sync"] if bench.rocksdb else [])}
    return [engine for engine in engines if engine in have]


def ingest_decimal(bench):
    data_set = DataSet("decimal", ticks=bench.scaled(3_600, 60))
    engines = available(bench, "gaugehouse", "rocksdb", "rocksdb, no sync", "influxdb")
    return measure_engines(bench, data_set, engines, "decimal", bench.questions)


def ingest_numeric(bench):
    data_set = DataSet("numeric", ticks=bench.scaled(3_600, 60))
    return measure_engines(bench, data_set, available(bench, "gaugehouse", "victoria-metrics", "influxdb"), "numeric", bench.questions)


def ingest_noise(bench):
    data_set = DataSet("noise", ticks=bench.scaled(1_200, 60))
    results = measure_engines(bench, data_set, available(bench, "gaugehouse", "rocksdb", "victoria-metrics"), "noise", 0)
    # The same numbers every time: once is enough.
    results["raw columns + zstd"] = [bench.ours.plain_columns(data_set)]
    return results


def ingest_jitter(bench):
    data_set = DataSet("jitter", ticks=bench.scaled(1_200, 60))
    return measure_engines(bench, data_set, available(bench, "gaugehouse", "rocksdb", "influxdb"), "jitter", 0)


def fleet(bench):
    """100 readings of each of 100 000 devices in an hour: a store larger than its cache, and rows of a device far apart in time."""
    data_set = DataSet("decimal", devices=bench.scaled(100_000, 1_000), ticks=100, step_milliseconds=36_000)
    return measure_once_asked_often(bench, data_set, available(bench, "gaugehouse", "rocksdb", "influxdb"))


def fleet_numeric(bench):
    data_set = DataSet("numeric", devices=bench.scaled(100_000, 1_000), ticks=100, step_milliseconds=36_000)
    return measure_once_asked_often(bench, data_set, available(bench, "gaugehouse", "victoria-metrics"))


def measure_once_asked_often(bench, data_set, engines):
    """One load; the spread comes from the many questions."""
    once = dataclasses.replace(bench, rounds=1)
    return measure_engines(once, data_set, engines, f"fleet of {data_set.devices} devices, {data_set.variant}", bench.questions)


# Our store alone: how cost grows

GROWTH_READINGS = 2_000_000
# A point of a curve that takes longer than this is reported as such: cost that grows with the square must not hold up the rest.
GROWTH_SECONDS = 60


def growth_rounds(bench, name, data_set):
    results = []
    for _ in range(bench.rounds):
        with bench.place() as folder:
            try:
                results.append(bench.ours.measure(data_set, folder, 0, seconds=GROWTH_SECONDS))
            except subprocess.TimeoutExpired:
                progress(f"growth: {name}: stopped after {GROWTH_SECONDS} s")
                return []
    progress(f"growth: {name}: {min(r['cpu_s'] / r['readings'] for r in results) * 1e6:.2f} µs CPU")
    return results


def growth_devices(bench):
    """The same number of readings from ever more devices, within an hour."""
    results = {}
    for devices in (1_000, 10_000, 100_000, 1_000_000):
        devices = bench.scaled(devices, 100)
        ticks = max(2, bench.scaled(GROWTH_READINGS) // devices)
        data_set = DataSet("decimal", devices=devices, ticks=ticks, step_milliseconds=3_600_000 // ticks)
        results[f"{devices:,} devices"] = growth_rounds(bench, f"{devices} devices", data_set)
    return results


def growth_partitions(bench):
    """The same number of readings of 1000 devices, over ever more windows of an hour."""
    results = {}
    ticks = bench.scaled(GROWTH_READINGS) // 1_000
    for name, hours in (("1 h", 1), ("1 d", 24), ("30 d", 720)):
        data_set = DataSet("decimal", ticks=ticks, step_milliseconds=hours * 3_600_000 // ticks)
        results[name] = growth_rounds(bench, name, data_set)
    return results


def growth_late(bench):
    """Four hours of readings; some come up to an hour and a half late: into windows that are open, and into sealed ones."""
    results = {}
    ticks = bench.scaled(GROWTH_READINGS) // 1_000
    step = 4 * 3_600_000 // ticks
    for share in (0, 0.05, 0.2):
        data_set = DataSet("decimal", ticks=ticks, step_milliseconds=step, late=share, latest_by=max(1, 5_400_000 // step))
        results[f"{share:.0%} late"] = growth_rounds(bench, f"{share:.0%} late", data_set)
    return results


# Our store alone: coming back, and letting go

# Bytes that a reading of `decimal` takes in the log, and one of `noise` in a segment; the results tell the real sizes.
LOG_BYTES = 36
NOISE_BYTES = 29


def replay(bench):
    """A log of 1.1 GB and nothing in segments, as if killed with maintenance held up all along; heads may grow as they need."""
    ticks = bench.scaled(1.1e9 / LOG_BYTES / 1_000, 60)
    data_set = DataSet("decimal", ticks=ticks, step_milliseconds=1_000)
    options = ["--head-mebibytes", 8_192]
    with bench.place() as folder:
        log_bytes = bench.ours.prepare(data_set, folder / "store", "--crash", *options)["log_bytes"]
        results = open_rounds(bench, data_set, folder / "store", "replay", *options)
        return {"replay": [result | {"replayed_bytes": log_bytes} for result in results]}


def restart(bench):
    """2.1 GB of segments of 100 000 devices in ten windows, closed in order."""
    devices = bench.scaled(100_000, 1_000)
    ticks = round(bench.scaled(2.1e9 / NOISE_BYTES, 20_000) / devices)
    data_set = DataSet("noise", devices=devices, ticks=ticks, step_milliseconds=36_000_000 // ticks)
    with bench.place() as folder:
        written = bench.ours.prepare(data_set, folder / "store")
        progress(f"restart: written at {written['readings'] / written['wall_s']:,.0f} readings/s, {written['overloads']:.0f} refused")
        return {"restart": open_rounds(bench, data_set, folder / "store", "restart")}


def open_rounds(bench, data_set, path, name, *options):
    results = []
    for _ in range(bench.rounds):
        results.append(bench.ours.open(data_set, path, *options) | {"readings": data_set.readings})
        progress(f"{name}: ready after {results[-1]['ready_s']:.2f} s")
    return results


def drop(bench):
    """A partition of some 500 MB is dropped while three threads commit."""
    data_set = DataSet("noise", ticks=bench.scaled(3_600, 60), devices=5_000)
    results = []
    for _ in range(bench.rounds):
        with bench.place() as folder:
            results.append(bench.ours.drop(data_set, folder))
        progress(f"drop: {results[-1]['drop_ms']:.1f} ms")
    return {"drop": results}


SERVERS = {"influxdb": InfluxDB, "victoria-metrics": VictoriaMetrics}
SCENARIOS = {
    "decimal": ingest_decimal, "numeric": ingest_numeric, "noise": ingest_noise, "jitter": ingest_jitter,
    "fleet": fleet, "fleet-numeric": fleet_numeric, "growth-devices": growth_devices, "growth-partitions": growth_partitions,
    "growth-late": growth_late, "replay": replay, "restart": restart, "drop": drop,
}
