"""The gateway under test: the release binary with a configuration file of its own."""

import json
import pathlib
import subprocess
from typing import Any

import requests

from .api import API
from .program import GAUGEHOUSE, Program, free_port, run
from .waiting import wait_until

Section = dict[str, str | int | bool]


class Gateway(Program):
    """Keeps its store, its port and its configuration over restarts; tests may change `sections` in between."""

    def __init__(self, folder: pathlib.Path, broker_port: int | None) -> None:
        super().__init__("gateway", folder)
        self.port = free_port()
        self.api = API(f"http://127.0.0.1:{self.port}")
        self.config = folder / "gaugehouse.toml"
        self.archive = folder / "archive"
        self.dead_letters = folder / "dead-letters"
        self.sections: dict[str, Section] = {
            "[store]": {"path": str(folder / "store")},
            "[[table]]": {"name": "telemetry"},
            "[http]": {"listen": f"127.0.0.1:{self.port}"},
            "[dead_letters]": {"path": str(self.dead_letters)},
        }
        # What the configuration ends with: text of a preset.
        self.preset = ""
        if broker_port is not None:
            self.sections["[mqtt]"] = {"host": "127.0.0.1", "port": broker_port}
            self.sections["[[mqtt.subscription]]"] = {
                "filter": "devices/+/telemetry",
                "topic": "devices/{device}/telemetry",
            }

    def deliver(self, **options: str | int) -> None:
        """Adds a delivery to the folder `archive`."""
        self.sections["[[delivery]]"] = {"name": "archive", "destination": f"file://{self.archive}", **options}

    def letters(self) -> list[dict[str, Any]]:
        """The dead letters, the oldest first."""
        files = sorted(self.dead_letters.glob("*.ndjson"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    def write_config(self) -> pathlib.Path:
        # Strings, integers and booleans look the same in TOML as in JSON.
        sections = (
            f"{heading}\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in options.items())
            for heading, options in self.sections.items()
        )
        self.config.write_text("\n".join([*sections, self.preset]))
        return self.config

    def spawn_serve(self, *arguments: str) -> None:
        self.spawn(GAUGEHOUSE, "serve", "--config", self.write_config(), *arguments)

    def start(self) -> None:
        """Returns when it is ready: it answers, and is connected to the broker."""
        self.spawn_serve()
        wait_until(lambda: self.status() == 200, f"{self.name} is ready")

    def listen(self) -> None:
        """Returns when it answers, ready or not."""
        self.spawn_serve()
        wait_until(lambda: self.status() != 0, f"{self.name} answers")

    def status(self) -> int:
        """Of /-/ready; 0: nobody answers. Fails when the process has ended."""
        assert (
            self.is_running
        ), f"{self.name} ended with exit code {self.child and self.child.returncode}:\n{self.log_text()}"
        try:
            return self.api.readiness()[0]
        except requests.ConnectionError:
            return 0

    def verb(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs another verb of the program with this gateway's configuration."""
        return run(GAUGEHOUSE, *arguments, "--config", self.write_config())

    def restart(self) -> None:
        """A clean stop, and a new start."""
        assert self.stop() == 0, self.log_text()
        self.start()


def reading(device: str, time: int | str | None, **fields: Any) -> dict[str, Any]:
    """A native reading, as POST /api/v1/write takes it."""
    return {"device": device, "fields": fields} | ({} if time is None else {"time": time})
