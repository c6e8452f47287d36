"""Waiting for something to become true: generous, bounded, never longer than needed."""

import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")

# Long enough for a machine with two busy cores; a test that passes never waits it out.
PATIENCE = 45.0
PAUSE = 0.05


def wait_until(ask: Callable[[], Answer], what: str, timeout: float = PATIENCE) -> Answer:
    """Asks again and again until the answer is true, and returns it; fails with `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        answer = ask()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not within {timeout:g} s: {what}; last answer: {answer!r}"
        time.sleep(PAUSE)


def now_us() -> int:
    """The wall clock: microseconds since the epoch, as stored."""
    return time.time_ns() // 1_000


def now_ms() -> int:
    """The wall clock: milliseconds since the epoch, as JSON speaks it."""
    return time.time_ns() // 1_000_000
