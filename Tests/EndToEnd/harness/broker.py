"""A private mosquitto with the shipped configuration."""

import os
import pathlib
import re
import shutil

from .program import REPOSITORY, Program, answers, free_port
from .waiting import wait_until


class Broker(Program):
    """Keeps its state below its folder, and its port, over restarts."""

    def __init__(self, folder: pathlib.Path) -> None:
        super().__init__("broker", folder)
        self.port = free_port()
        self.state = folder / "state"
        self.state.mkdir(exist_ok=True)
        self.config = folder / "mosquitto.conf"
        self.config.write_text(self._config_text())

    def _config_text(self) -> str:
        """configs/mosquitto.conf with a port and a place of its own."""
        text = (REPOSITORY / "configs/mosquitto.conf").read_text()
        text, ports = re.subn(r"(?m)^listener .*$", f"listener {self.port} 127.0.0.1", text)
        text, places = re.subn(r"(?m)^persistence_location .*$", f"persistence_location {self.state}/", text)
        assert (ports, places) == (1, 1), "configs/mosquitto.conf has changed its form"
        # Started by root, mosquitto becomes a user who could not write here.
        return text + ("\nuser root\n" if os.geteuid() == 0 else "")

    def start(self) -> None:
        program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
        assert program, "mosquitto is not installed"
        self.spawn(program, "-c", self.config)
        wait_until(lambda: answers(self.port) or not self.is_running, "the broker listens")
        assert self.is_running, self.log_text()
