"""Child processes with their logs, stopped by pid."""

import os
import pathlib
import random
import signal
import socket
import subprocess

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
GAUGEHOUSE = os.environ.get("GAUGEHOUSE_BIN", str(REPOSITORY / ".build/release/gaugehouse"))
LOAD = os.environ.get("GAUGEHOUSE_LOAD_BIN", str(REPOSITORY / ".build/release/gaugehouse-load"))

# Below the range that the kernel takes for outgoing connections: a port stays free while its server is restarted.
PORTS = range(20_000, 32_000)
EXIT_SECONDS = 60


def free_port() -> int:
    """A loopback port that nobody listens at."""
    for port in random.SystemRandom().sample(PORTS, 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")


def run(
    *arguments: str | pathlib.Path, timeout: float = EXIT_SECONDS, variables: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end, with further variables in its environment."""
    command, environment = [str(part) for part in arguments], os.environ | (variables or {})
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, env=environment)


class Program:
    """One child process at a time, started as often as a test likes; all its output goes to one log."""

    def __init__(self, name: str, folder: pathlib.Path) -> None:
        self.name = name
        self.folder = folder
        self.log = folder / f"{name}.log"
        self.child: subprocess.Popen[bytes] | None = None
        # Variables that the process gets besides those of the tests.
        self.environment: dict[str, str] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def spawn(self, *command: str | pathlib.Path) -> None:
        assert not self.is_running, f"{self.name} runs already"
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | self.environment,
            )

    @property
    def pid(self) -> int:
        assert self.child is not None
        return self.child.pid

    @property
    def is_running(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def signal(self, number: signal.Signals) -> None:
        assert self.child is not None
        self.child.send_signal(number)

    def wait(self, timeout: float = EXIT_SECONDS) -> int:
        """Waits for the process to end by itself. Returns its exit code."""
        assert self.child is not None
        return self.child.wait(timeout)

    def ends_within(self, seconds: float) -> bool:
        """Whether the process ends by itself in this time; returns as soon as it does."""
        try:
            self.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> int:
        """Asks the process to end. Returns its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """kill -9: the process gets no word in."""
        self.signal(signal.SIGKILL)
        self.wait()

    def close(self) -> None:
        """Ends the process if it still runs, whatever state it is in."""
        if not self.is_running:
            return
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        if not self.ends_within(15):
            self.kill()

    def log_text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


def answers(port: int) -> bool:
    """Whether somebody listens at the loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
