"""The store alone in a process that lives to be killed, and the ledger of what it said was on disk."""

import os
import pathlib
import signal
import subprocess
import threading
import time

from .program import REPOSITORY

TORTURE = os.environ.get("GAUGEHOUSE_TORTURE_BIN", str(REPOSITORY / ".build/release/gaugehouse-torture"))
START_SECONDS = 60
# Readings are this far in the past, a millisecond apart: every window is over, and none is expired.
AGE_US = 6 * 3_600 * 1_000_000


class Ledger:
    """What a store must hold: for each device all that was acked, and at most the one batch that was under way."""

    def __init__(self) -> None:
        self.base = time.time_ns() // 1_000 - AGE_US
        self.acked: dict[str, int] = {}
        self.begun: dict[str, int] = {}
        self.faults: list[str] = []

    def compare(self, device: str, count: int) -> None:
        acked, begun = self.acked.get(device, 0), self.begun.get(device, 0)
        if count not in (acked, begun):
            self.faults.append(f"{device}: {count} readings, acked {acked}, begun {begun}")
        # What is there after a start stays there.
        self.acked[device] = self.begun[device] = count


class Victim:
    """One process after the other on one store. Its output is read by a thread, to the last line that it wrote."""

    def __init__(self, store: pathlib.Path, ledger: Ledger) -> None:
        self.store = store
        self.ledger = ledger
        self.ready = threading.Event()
        self.seen: dict[str, int] = {}
        self.child: subprocess.Popen[str] | None = None
        self.reader: threading.Thread | None = None

    def start(self, is_waiting: bool = True) -> None:
        self.ready.clear()
        self.child = subprocess.Popen(
            [TORTURE, str(self.store), str(self.ledger.base)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.reader = threading.Thread(target=self._read, args=(self.child,))
        self.reader.start()
        if is_waiting:
            assert self.ready.wait(START_SECONDS), f"not ready: {self.ledger.faults}"

    def _read(self, child: "subprocess.Popen[str]") -> None:
        assert child.stdout is not None
        for line in child.stdout:
            if not line.endswith("\n"):
                continue
            word, *rest = line.split()
            self.seen[word] = self.seen.get(word, 0) + 1
            match word:
                case "begin":
                    self.ledger.begun[rest[0]] = int(rest[1])
                case "acked":
                    self.ledger.acked[rest[0]] = int(rest[1])
                case "stored":
                    self.ledger.compare(rest[0], int(rest[1]))
                case "ready":
                    self.ready.set()
                case "full" | "readable":
                    pass
                case _:
                    self.ledger.faults.append(line.strip())
        self.ready.set()

    def end(self, number: signal.Signals = signal.SIGKILL) -> int:
        """Ends the process, and waits until its last word is in the ledger. Returns its exit code."""
        assert self.child is not None and self.reader is not None
        self.child.send_signal(number)
        code = self.child.wait(60)
        self.reader.join()
        return code

    def close(self) -> None:
        if self.child is not None and self.child.poll() is None:
            self.end()
