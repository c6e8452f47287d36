"""Networks and disks that fail in every way but loudly: what the broker has acked is stored once, with a time or without."""

import pathlib
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from conftest import Bench
from harness.disk import fill
from harness.flood import Flood
from harness.gateway import Gateway
from harness.proxy import Proxy
from harness.waiting import wait_until

# The least that the configuration takes: a broker gives a silent client up after one and a half times as long.
KEEP_ALIVE_SECONDS = 10
SLOW_DISK = pathlib.Path(__file__).parent / "harness" / "slow_disk.c"


@pytest.fixture
def wire(bench: Bench) -> Iterator[Proxy]:
    bench.broker.start()
    with Proxy(bench.broker.port) as wire:
        yield wire


@pytest.fixture
def patient_gateway(bench: Bench, wire: Proxy) -> Gateway:
    """Behind the wire, with the shortest keep-alive; not started."""
    gateway = bench.gateway()
    gateway.sections["[mqtt]"] |= {"port": wire.port, "keep_alive": f"{KEEP_ALIVE_SECONDS}s"}
    return gateway


def test_connections_that_are_cut_lose_nothing(
    bench: Bench, patient_gateway: Gateway, wire: Proxy, chance: random.Random
) -> None:
    patient_gateway.start()
    with Flood(bench.broker.port) as flood:
        for _ in range(8):
            time.sleep(chance.uniform(0.1, 0.8))
            wire.cut()
    flood.check(patient_gateway)
    assert patient_gateway.api.stats()["mqtt"]["reconnects"] >= 3


def test_a_connection_that_is_half_open_is_noticed_and_loses_nothing(
    bench: Bench, patient_gateway: Gateway, wire: Proxy
) -> None:
    """Neither side gets a word from the other any more, and nobody says that the connection is gone."""
    patient_gateway.start()
    with Flood(bench.broker.port) as flood:
        wait_until(lambda: patient_gateway.api.row_count() > 100, "readings come in")
        wire.go_dark()
        # What is sent into the dark is lost on the wire.
        time.sleep(1)
        wire.come_back()
        wait_until(
            lambda: patient_gateway.api.stats()["mqtt"]["reconnects"] == 1,
            "the keep-alive has found it out",
            timeout=4 * KEEP_ALIVE_SECONDS,
        )
    flood.check(patient_gateway)


def test_a_gateway_that_stands_still_for_longer_than_the_keep_alive_loses_nothing(
    bench: Bench, patient_gateway: Gateway
) -> None:
    patient_gateway.start()
    with Flood(bench.broker.port) as flood:
        wait_until(lambda: patient_gateway.api.row_count() > 100, "readings come in")
        patient_gateway.signal(signal.SIGSTOP)
        time.sleep(2 * KEEP_ALIVE_SECONDS)
        patient_gateway.signal(signal.SIGCONT)
        wait_until(lambda: patient_gateway.api.stats()["mqtt"]["reconnects"] == 1, "the broker has thrown it out")
    flood.check(patient_gateway)


def test_a_disk_that_stalls_for_30_seconds_loses_nothing(bench: Bench, patient_gateway: Gateway) -> None:
    """No sync returns: nothing is acked, reads go on, and the broker gives the silent gateway up."""
    library, stall = bench.folder / "slow_disk.so", bench.folder / "stall"
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    assert compiler, "a C compiler came with the toolchain"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, SLOW_DISK, "-ldl"], check=True)
    patient_gateway.environment = {"LD_PRELOAD": str(library), "SLOW_DISK": str(stall)}
    patient_gateway.start()
    with Flood(bench.broker.port) as flood:
        wait_until(lambda: patient_gateway.api.row_count() > 100, "readings come in")
        stall.touch()
        # A sync that began before the stall may still end.
        time.sleep(1)
        before, start = patient_gateway.api.row_count(), time.monotonic()
        while time.monotonic() < start + 29:
            assert patient_gateway.api.row_count() == before, "acked without a sync"
            assert patient_gateway.api.rows("d-0"), "reads go on"
            time.sleep(1)
        stall.unlink()
        wait_until(lambda: patient_gateway.api.row_count() > before, "syncs return, and readings come in again")
    flood.check(patient_gateway)


@pytest.mark.parametrize("is_killed", [False, True], ids=["running", "killed"])
def test_a_full_disk_keeps_the_messages_with_the_broker(
    bench: Bench, patient_gateway: Gateway, small_disk: pathlib.Path, is_killed: bool
) -> None:
    patient_gateway.sections["[store]"] |= {"path": str(small_disk / "store"), "log_file_size": "1MiB", "disk_reserve": "0"}
    patient_gateway.start()
    filler = small_disk / "filler"
    with Flood(bench.broker.port) as flood:
        wait_until(lambda: patient_gateway.api.row_count() > 100, "readings come in")
        fill(filler)
        # What is preallocated still takes some.
        wait_until(lambda: patient_gateway.status() == 503, "it says that it takes nothing", timeout=60)
        assert patient_gateway.api.rows("d-0"), "reads go on"
        if is_killed:
            patient_gateway.kill()
            filler.unlink()
            patient_gateway.start()
        else:
            filler.unlink()
        wait_until(lambda: patient_gateway.status() == 200, "it goes on by itself", timeout=60)
    flood.check(patient_gateway)
