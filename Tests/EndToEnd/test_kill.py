"""kill -9 of the gateway: every reading that the broker was acked for is there exactly once."""

import json
import pathlib
import random
import signal
import time
from typing import Any

import pytest

from conftest import Bench
from harness.gateway import Gateway, reading
from harness.objects import rows_by_pyarrow
from harness.program import LOAD, Program, run
from harness.proxy import Proxy
from harness.publisher import Publisher, topic
from harness.waiting import now_us, wait_until

LOAD_SECONDS = 12


class Fleet(Program):
    """gaugehouse-load with a ledger of what the broker has acked."""

    def __init__(self, bench: Bench) -> None:
        super().__init__("fleet", bench.folder / "fleet")
        self.ledger = self.folder / "run.ledger"
        self.port = str(bench.broker.port)

    def start(self, rate: int) -> None:
        options = {
            "port": self.port,
            "rate": rate,
            "duration": f"{LOAD_SECONDS}s",
            "devices": 60,
            "ledger": self.ledger,
            "drain": "30s",
        }
        self.spawn(LOAD, "--reconnect", *(str(part) for key, value in options.items() for part in (f"--{key}", value)))


def read_ledger(path: pathlib.Path) -> tuple[dict[str, Any], set[tuple[str, int, int]], int]:
    """Description, (device, time, sequence) of each acked reading, number of published ones."""
    lines = path.read_text().splitlines()
    acked = {
        (device, int(time), int(seq))
        for device, time, seq in (line.rsplit(",", 2) for line in lines if not line.startswith("#"))
    }
    return json.loads(lines[0][1:]), acked, sum(json.loads(lines[-1][1:])["sent"])


def stored_readings(gateway: Gateway, prefix: str) -> list[tuple[str, int, int]]:
    devices = [device["id"] for device in gateway.api.devices() if device["id"].startswith(prefix)]
    return [(device, row["time"], row["seq"]) for device in devices for row in gateway.api.rows(device, fields="seq")]


def disturb(gateway: Gateway, fleet: Fleet, chance: random.Random) -> int:
    """Kills the gateway until the fleet has ended, now and then stops it cleanly. Returns the number of kills."""
    kills = 0
    while not fleet.ends_within(chance.uniform(0.2, 1.5)):
        if chance.random() < 0.2:
            assert gateway.stop() == 0, gateway.log_text()
        else:
            gateway.kill()
            kills += 1
        if chance.random() < 0.3:
            # The next one may come while it replays its log.
            gateway.spawn_serve()
        else:
            gateway.start()
    wait_until(lambda: gateway.status() == 200, "the gateway is ready")
    return kills


def set_everything_in_motion(gateway: Gateway) -> None:
    """Heads of a second, windows of two, small log files, delivery, two connections: no kill finds it at rest."""
    gateway.sections["[store]"] |= {"head_age": "1s", "log_file_size": "1MiB"}
    gateway.sections["[[table]]"] |= {"partition": "2s", "seal_after": "1s"}
    gateway.sections["[mqtt]"]["connections"] = 2
    gateway.deliver(age="1s")


@pytest.mark.parametrize("is_in_motion", [False, True], ids=["default", "in motion"])
def test_kill_9_under_load_loses_nothing_and_doubles_nothing(
    bench: Bench, chance: random.Random, is_in_motion: bool
) -> None:
    """Killed again and again, also while it starts; compared by the generator, over HTTP, and in the objects."""
    bench.broker.start()
    gateway, fleet = bench.gateway(), bench.add(Fleet(bench))
    if is_in_motion:
        set_everything_in_motion(gateway)
    gateway.start()
    fleet.start(rate=2_500)
    kills = disturb(gateway, fleet, chance)
    print(f"{kills} kills")
    assert fleet.wait() == 0 and kills >= 2, fleet.log_text()

    description, acked, published = read_ledger(fleet.ledger)
    wait_until(lambda: gateway.api.row_count() >= len(acked), f"{len(acked)} rows are stored")
    verdict = run(LOAD, "--verify-ledger", fleet.ledger, "--verify", gateway.api.url, timeout=120)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr

    stored = stored_readings(gateway, description["prefix"])
    assert len(stored) == len(set(stored)), "readings are there twice"
    assert acked <= set(stored), f"{len(acked - set(stored))} acked readings are missing"
    assert len(acked) <= gateway.api.row_count() == len(stored) <= published
    assert sum(device["readings"] for device in gateway.api.devices()) == len(stored)
    if is_in_motion:
        wait_until(
            lambda: {partition["state"] for partition in gateway.api.partitions()} == {"delivered"}, "all is delivered"
        )
        delivered = [(device, time, fields["seq"]) for device, time, fields in rows_by_pyarrow(gateway.archive)]
        assert sorted(delivered) == sorted(stored), f"{len(delivered)} rows in objects, {len(stored)} in the store"


def numbers_of(gateway: Gateway, devices: range) -> list[int]:
    return sorted(row["n"] for device in devices for row in gateway.api.rows(f"d-{device}"))


def test_kill_9_does_not_double_messages_without_a_time(bench: Bench, gateway: Gateway, chance: random.Random) -> None:
    """Killed at random moments of a flood: each message is one reading, delivered once or twice."""
    devices, burst, total = range(7), 2_000, 0
    with Publisher(bench.broker.port) as publisher:
        for _ in range(6):
            for number in range(total, total + burst):
                publisher.send(topic(f"d-{number % len(devices)}"), {"n": number})
            total += burst
            time.sleep(chance.uniform(0, 0.2))
            gateway.kill()
            gateway.start()
            print(f"{gateway.api.stats()['duplicates']} duplicates after the restart")
        publisher.publish(topic("last"), {"n": total})
    wait_until(lambda: any(device["id"] == "last" for device in gateway.api.devices()), "the last message has come")
    assert numbers_of(gateway, devices) == list(range(total)) and gateway.api.row_count() == total + 1


@pytest.mark.parametrize("is_killed", [True, False], ids=["killed", "cut off"])
def test_a_message_whose_ack_was_lost_is_no_second_reading(bench: Bench, is_killed: bool) -> None:
    """Committed, but the ack never reached the broker: it comes again, and keeps the receive time that it had."""
    count, devices = 300, range(3)
    bench.broker.start()
    gateway = bench.gateway()
    with Proxy(bench.broker.port) as wire, Publisher(bench.broker.port) as publisher:
        gateway.sections["[mqtt]"]["port"] = wire.port
        gateway.start()
        for number in range(count):
            publisher.send(topic(f"d-{number % len(devices)}"), {"n": number})
        publisher.settle()
        wait_until(lambda: gateway.api.row_count() == count, "the first half is stored")
        # Read as one batch once the gateway goes on: the memory of what was acked holds the newest two.
        gateway.signal(signal.SIGSTOP)
        wire.lose_answers()
        for number in range(count, 2 * count):
            publisher.send(topic(f"d-{number % len(devices)}"), {"n": number})
        publisher.settle()
        gateway.signal(signal.SIGCONT)
        wait_until(lambda: gateway.api.row_count() == 2 * count, "the second half is stored")
        before = {device: gateway.api.rows(f"d-{device}") for device in devices}
        if is_killed:
            gateway.kill()
        wire.cut()
        if is_killed:
            gateway.start()
        wait_until(
            lambda: gateway.api.stats()["duplicates"] == count, "every message of the second half has come again"
        )
        publisher.publish(topic("last"), {"n": 2 * count})
        wait_until(lambda: gateway.api.row_count() > 2 * count, "the next message is stored")
    assert {device: gateway.api.rows(f"d-{device}") for device in devices} == before
    assert numbers_of(gateway, devices) == list(range(2 * count)) and gateway.api.row_count() == 2 * count + 1


def test_kill_9_keeps_what_http_writes_were_answered_for(bench: Bench, chance: random.Random) -> None:
    """A 204 means on disk, too; without a broker, and killed at once after the answer."""
    gateway = bench.gateway(has_broker=False)
    first = now_us() - 60_000_000
    count = 0
    for _ in range(4):
        gateway.start()
        assert (
            [row["n"] for row in gateway.api.rows("d")] == list(range(count)) if count else gateway.api.row_count() == 0
        )
        for _ in range(chance.randrange(1, 12)):
            gateway.api.write(reading("d", first + count, n=count))
            count += 1
        gateway.kill()
    gateway.start()
    assert [(row["time"], row["n"]) for row in gateway.api.rows("d")] == [(first + n, n) for n in range(count)]
    assert gateway.api.latest("d") == {"n": count - 1}
