"""Messages without end, with and without a time, while a test does its worst."""

import json
import threading
import time
from typing import Self

from .gateway import Gateway
from .publisher import Publisher, topic
from .waiting import now_us, wait_until

DEVICES = 5
# Of each device's messages every other one carries no time.
PAUSE_SECONDS = 0.002


class Flood:
    """Publishes numbers, at QoS 1, from a thread of its own; use as a context manager. At its end the broker has acked all."""

    def __init__(self, port: int) -> None:
        self._publisher = Publisher(port)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._publish)
        self._start = now_us() - 600_000_000
        self.count = 0

    def __enter__(self) -> Self:
        self._publisher.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        self._publisher.settle()
        self._publisher.__exit__()

    def _publish(self) -> None:
        while not self._is_over.is_set():
            number = self.count
            time_key = {"ts": self._start + number} if number // DEVICES % 2 else {}
            self._publisher.send(topic(f"d-{number % DEVICES}"), json.dumps(time_key | {"n": number}))
            self.count += 1
            time.sleep(PAUSE_SECONDS)

    def check(self, gateway: Gateway) -> None:
        """Waits until everything is stored, and holds it to be there once."""
        wait_until(lambda: gateway.api.row_count() >= self.count, f"{self.count} rows are stored", timeout=60)
        stored = sorted(row["n"] for device in range(DEVICES) for row in gateway.api.rows(f"d-{device}"))
        missing, twice = set(range(self.count)) - set(stored), len(stored) - len(set(stored))
        assert stored == list(range(self.count)), f"of {self.count}: {len(missing)} missing, {twice} twice"
