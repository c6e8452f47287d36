"""kill -9 of a process that does nothing but store, hundreds of times; a disk that is full; a store that is taken.

The gateway has its own test of being killed (test_kill.py), where broker and network bound the load. Here the store is
driven directly, so that a life takes a tenth of a second and most kills hit a write, a sync, a merge or a recovery.
"""

import os
import pathlib
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from harness.disk import fill
from harness.torture import TORTURE, Ledger, Victim
from harness.waiting import wait_until

SECONDS = float(os.environ.get("GAUGEHOUSE_TORTURE_SECONDS", "10"))
LIVES_OF_A_STORE = 40

pytestmark = pytest.mark.skipif(not os.access(TORTURE, os.X_OK), reason=f"{TORTURE} is not built")


@pytest.fixture
def victim(tmp_path: pathlib.Path) -> Iterator[Victim]:
    victim = Victim(tmp_path / "store", Ledger())
    try:
        yield victim
    finally:
        victim.close()


def live_and_die(victim: Victim, chance: random.Random) -> bool:
    """One life, ended at a random moment. Returns whether it was killed, rather than asked to end."""
    is_starting = chance.random() < 0.2
    victim.start(is_waiting=not is_starting)
    time.sleep(chance.uniform(0, 0.03) if is_starting else chance.expovariate(8))
    if chance.random() < 0.1 and victim.ready.is_set():
        code = victim.end(signal.SIGTERM)
        assert code == 0, f"ended with {code}: {victim.ledger.faults}"
        return False
    victim.end()
    return True


def test_hundreds_of_kills_lose_nothing_and_double_nothing(tmp_path: pathlib.Path, chance: random.Random) -> None:
    """Until the time is over; every so many lives with a new store, for a full one takes longer to compare."""
    kills, acks, readings, deadline = 0, 0, 0, time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        victim = Victim(tmp_path / "store", Ledger())
        try:
            for _ in range(LIVES_OF_A_STORE):
                kills += live_and_die(victim, chance)
                assert not victim.ledger.faults, f"after {kills} kills: {victim.ledger.faults[:5]}"
                if time.monotonic() > deadline:
                    break
            victim.start()
            victim.end()
        finally:
            victim.close()
        assert not victim.ledger.faults, f"after {kills} kills: {victim.ledger.faults[:5]}"
        acks += victim.seen.get("acked", 0)
        readings += sum(victim.ledger.acked.values())
        shutil.rmtree(victim.store)
    print(f"{kills} kills, {acks} acked batches, {readings} readings")
    assert kills > 0 and acks > 0


def test_a_full_disk_refuses_writes_answers_reads_and_recovers(small_disk: pathlib.Path) -> None:
    """Filled by somebody else's file, twice; the second time the process is killed while the disk is full."""
    victim = Victim(small_disk / "store", Ledger())
    filler = small_disk / "filler"
    try:
        for is_killed in (False, True):
            victim.start()
            wait_until(lambda: victim.seen.get("acked", 0) > 20, "batches are acked")
            fill(filler)
            for word in ("full", "readable"):
                victim.seen[word] = 0
                wait_until(lambda: victim.seen.get(word, 0) > 10, f"the store says {word}")
            if is_killed:
                victim.end()
                filler.unlink()
                victim.start()
            else:
                filler.unlink()
            victim.seen["acked"] = 0
            wait_until(lambda: victim.seen.get("acked", 0) > 20, "batches are acked again")
            victim.end()
            assert not victim.ledger.faults, victim.ledger.faults[:5]
        victim.start()
        victim.end()
        assert not victim.ledger.faults, victim.ledger.faults[:5]
    finally:
        victim.close()


def test_a_second_process_is_told_who_holds_the_store(victim: Victim) -> None:
    victim.start()
    assert victim.child is not None
    second = subprocess.run(
        [TORTURE, str(victim.store), str(victim.ledger.base)], capture_output=True, text=True, timeout=60, check=False
    )
    assert second.returncode == 1
    assert f"process {victim.child.pid}" in second.stdout and str(victim.store) in second.stdout, second.stdout
    victim.end()
    victim.start()
    victim.end()
    assert not victim.ledger.faults, victim.ledger.faults
