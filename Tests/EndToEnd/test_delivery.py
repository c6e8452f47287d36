"""Partitions by the real clock, with windows of seconds: sealed, delivered as Parquet, dropped in the end."""

import hashlib
import json
import pathlib
import random
import string
import time
from datetime import datetime, timedelta
from typing import Any

from conftest import Bench
from harness.gateway import Gateway, reading
from harness.objects import Expected, check_objects, fingerprints, object_files
from harness.publisher import Publisher, topic
from harness.waiting import now_us, wait_until

SECOND = 1_000_000
WINDOW = 3 * SECOND
STATES = ["open", "sealed", "delivering", "delivered"]


def delivering(bench: Bench, has_broker: bool = True, age: str = "1s", **table: str | int) -> Gateway:
    """A gateway with windows of 3 s that are sealed a second after their end and delivered soon after; not started."""
    gateway = bench.gateway(has_broker=has_broker)
    gateway.sections["[[table]]"] |= {"partition": "3s", "seal_after": "1s", "ttl": "1h", **table}
    gateway.deliver(age=age)
    return gateway


def window(time_us: int) -> int:
    """Start of the window in ms, as /partitions shows it."""
    return time_us // WINDOW * WINDOW // 1_000


def states(gateway: Gateway) -> dict[int, str]:
    return {partition["start"]: partition["state"] for partition in gateway.api.partitions()}


def wait_until_delivered(gateway: Gateway, windows: set[int]) -> None:
    wait_until(
        lambda: {start for start, state in states(gateway).items() if state == "delivered"} >= windows,
        "all is delivered",
        90,
    )


def wait_for_objects(gateway: Gateway, count: int) -> None:
    wait_until(lambda: len(object_files(gateway.archive)) >= count, f"{count} objects are there")


def check_announced_objects(gateway: Gateway) -> None:
    """/partitions names exactly the files that are there, with their sizes, rows and hashes."""
    announced = [(partition, announced) for partition in gateway.api.partitions() for announced in partition["objects"]]
    assert sorted(item["key"] for _, item in announced) == [
        str(path.relative_to(gateway.archive)) for path in object_files(gateway.archive)
    ]
    for partition, item in announced:
        content = (gateway.archive / item["key"]).read_bytes()
        assert (item["bytes"], item["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
        assert 0 < item["rows"] <= partition["rows"]
    rows = sum(item["rows"] for _, item in announced)
    assert rows == sum(partition["rows"] for partition in gateway.api.partitions()) == gateway.api.row_count()


def check_manifests(gateway: Gateway, window_us: int) -> None:
    """Manifests name exactly the objects that are there, each with its hash, in the window of their rows."""
    named: list[str] = []
    for path in (gateway.archive / "_manifests").rglob("manifest.json"):
        manifest = json.loads(path.read_text())
        start = datetime.fromisoformat(manifest["start"])
        assert path.parent.name == start.strftime("%Y%m%dT%H%M%SZ")
        assert datetime.fromisoformat(manifest["end"]) - start == timedelta(microseconds=window_us)
        for item in manifest["objects"]:
            content = (gateway.archive / item["key"]).read_bytes()
            assert (item["bytes"], item["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
            times = [manifest["start"], manifest["min_time"], item["min_time"], item["max_time"], manifest["max_time"]]
            assert [datetime.fromisoformat(text) for text in times] == sorted(datetime.fromisoformat(text) for text in times)
            assert manifest["max_time"] < manifest["end"]
        assert manifest["rows"] == sum(item["rows"] for item in manifest["objects"])
        named += [item["key"] for item in manifest["objects"]]
    assert sorted(named) == [str(path.relative_to(gateway.archive)) for path in object_files(gateway.archive)]


def sample(number: int) -> dict[str, Any]:
    """Fields of every type with values at the edges; some are not in every reading, one has changing types."""
    fields: dict[str, Any] = {
        "level": [0.1, -0.0, 5e-324, -1.7976931348623157e308, 21.5][number % 5],
        "count": [2**63 - 1, -(2**63), 2**53 + 1, 0, number][number % 5],
        "on": number % 3 == 0,
        "status": ["", "ok", "Wehr №7 🚰", 'a"b\\c\n', "x" * 5_000][number % 5],
        "mixed": number if number % 2 else f"err {number}",
    }
    return fields if number % 4 else {"count": number, "gps.lat": number / 8}


def test_a_partition_goes_from_open_to_delivered(bench: Bench) -> None:
    """Seen over /partitions while the clock runs; pyarrow and duckdb read exactly what was published, types too."""
    bench.broker.start()
    gateway = delivering(bench, age="3s")
    gateway.start()
    wait_until(lambda: now_us() % WINDOW < SECOND, "a window begins")
    expected: Expected = {}
    with Publisher(bench.broker.port) as publisher:
        for number in range(200):
            device, time_us = f"d/{number % 7}" if number % 2 else f"d-{number % 5}", now_us()
            body = {"ts": time_us, **sample(number)}
            # A device id with a slash cannot stand in a level of the topic: those come over HTTP.
            if "/" in device:
                gateway.api.write(reading(device, time_us, **sample(number)))
            else:
                publisher.send(topic(device), body)
            expected[device, time_us] = sample(number)
        publisher.settle()
    first = min(window(time_us) for _, time_us in expected)
    windows = {window(time_us) for _, time_us in expected}

    seen: list[str] = []

    def watch() -> bool:
        now = states(gateway)
        if first in now and now[first] not in seen:
            seen.append(now[first])
        return windows <= {start for start, state in now.items() if state == "delivered"}

    wait_until(watch, "all partitions are delivered")
    assert seen == sorted(seen, key=STATES.index) and {"open", "sealed", "delivered"} <= set(seen), seen
    assert gateway.api.row_count() == len(expected)
    check_objects(gateway.archive, expected)
    check_announced_objects(gateway)
    assert gateway.api.metric("gaugehouse_delivery_rows_total", delivery="archive") == len(expected)


def test_late_rows_of_a_delivered_partition_make_a_further_object(bench: Bench) -> None:
    """Objects that are visible never change: same bytes, same time of change; a restart does not make them again."""
    gateway = delivering(bench, has_broker=False)
    gateway.start()
    start = (now_us() - 600 * SECOND) // WINDOW * WINDOW
    expected: Expected = {("d", start + n): {"n": n} for n in range(100)}
    gateway.api.write(*(reading(device, time_us, **fields) for (device, time_us), fields in expected.items()))
    wait_until_delivered(gateway, {window(start)})
    before = fingerprints(gateway.archive)
    assert len(before) == 1
    gateway.restart()

    late: Expected = {(device, start + n): {"n": n, "late": True} for device in ("d", "e") for n in range(100, 130)}
    gateway.api.write(*(reading(device, time_us, **fields) for (device, time_us), fields in late.items()))
    assert states(gateway)[window(start)] == "sealed", "what is late is not delivered yet"
    wait_until_delivered(gateway, {window(start)})
    after = fingerprints(gateway.archive)
    assert len(after) == 2 and before.items() <= after.items()
    assert sorted(after)[0] in before, "numbers rise"
    check_objects(gateway.archive, expected | late)
    check_announced_objects(gateway)
    gateway.kill()
    gateway.start()
    gateway.api.write(reading("elsewhere", start - WINDOW, n=1))
    wait_until_delivered(gateway, {window(start), window(start - WINDOW)})
    assert after.items() <= fingerprints(gateway.archive).items() and len(object_files(gateway.archive)) == 3
    check_announced_objects(gateway)


def test_kill_9_while_objects_are_written_doubles_nothing(bench: Bench, chance: random.Random) -> None:
    """A backlog of windows, several objects each, killed at random: every row is delivered once, no object changes."""
    gateway = delivering(bench, has_broker=False)
    gateway.sections["[[delivery]]"]["max_object_bytes"] = "64KiB"
    gateway.start()
    start, expected = (now_us() - 1_200 * SECOND) // WINDOW * WINDOW, Expected()
    for number in range(40):
        for row in range(200):
            text = "".join(chance.choices(string.printable, k=900))
            expected[f"d-{row % 20}", start + number * WINDOW + row] = {"text": text, "n": row}
        batch = list(expected.items())[-200:]
        gateway.api.write(*(reading(device, time_us, **fields) for (device, time_us), fields in batch))
    visible: dict[str, tuple[int, str]] = {}
    for kills in range(8):
        wait_for_objects(gateway, len(visible) + 1)
        time.sleep(chance.uniform(0, 0.3))
        gateway.kill()
        assert visible.items() <= fingerprints(gateway.archive).items(), "an object changed"
        visible = fingerprints(gateway.archive)
        print(f"kill {kills}: {len(visible)} objects")
        gateway.start()
        if all(state == "delivered" for state in states(gateway).values()):
            break
    wait_until_delivered(gateway, {window(time_us) for _, time_us in expected})
    assert visible.items() <= fingerprints(gateway.archive).items() and len(object_files(gateway.archive)) > 40
    check_objects(gateway.archive, expected)
    check_announced_objects(gateway)
    leftovers = [path for path in gateway.archive.rglob("*") if path.is_file() and path.suffix != ".parquet"]
    assert {path.name for path in leftovers} == {"manifest.json"}, "leftovers of kills"
    check_manifests(gateway, WINDOW)


def test_a_delivered_partition_is_dropped_when_its_ttl_is_over(bench: Bench) -> None:
    """open, sealed, delivered, gone; the object stays, the space comes back, and a restart does not bring it back."""
    gateway = delivering(bench, has_broker=False, age="1s", ttl="9s")
    gateway.start()
    time_us = now_us()
    gateway.api.write(reading("d", time_us, n=1))
    wait_until_delivered(gateway, {window(time_us)})
    wait_until(lambda: not gateway.api.partitions(), "the partition is dropped")
    assert now_us() >= window(time_us) * 1_000 + WINDOW + 9 * SECOND, "dropped before the last reading's TTL was over"
    gateway.restart()
    assert gateway.api.partitions() == [] and gateway.api.row_count() == 0 and gateway.api.rows("d") == []
    folder = gateway.folder / "store/tables/telemetry"
    assert [path.name for path in folder.iterdir() if path.is_dir()] == []
    check_objects(gateway.archive, {("d", time_us): {"n": 1}})


def test_no_partition_is_dropped_before_its_delivery(bench: Bench) -> None:
    """While a destination fails, what is past its TTL is unreadable but there; then all of it is delivered."""
    gateway = delivering(bench, has_broker=False, age="0s", ttl="4s", seal_after="0s")
    gateway.archive.write_text("a file where the folder should be")
    gateway.start()
    times = [now_us() + n for n in range(50)]
    gateway.api.write(*(reading("d", time_us, n=n) for n, time_us in enumerate(times)))
    windows = {window(time_us) for time_us in times}
    wait_until(lambda: now_us() > times[-1] + WINDOW + 6 * SECOND, "the TTL of the whole partition is over")
    assert states(gateway).keys() == windows, "dropped although nobody has it"
    assert gateway.api.rows("d") == [] and gateway.api.latest("d") == {}, "expired readings are not readable"
    for partition in gateway.api.partitions():
        assert "archive" in partition["last_error"], partition
    assert gateway.api.metric("gaugehouse_delivery_failing", delivery="archive") == 1
    gateway.restart()
    assert states(gateway).keys() == windows

    gateway.archive.unlink()
    wait_until(lambda: not gateway.api.partitions(), "delivered and dropped")
    check_objects(gateway.archive, {("d", time_us): {"n": n} for n, time_us in enumerate(times)})


def test_a_delivery_that_lags_makes_writers_wait_and_loses_nothing(bench: Bench, small_disk: pathlib.Path) -> None:
    """A disk of 24 MiB of which 10 are reserved: held partitions fill it, writes are refused, and go on once there is room."""
    gateway = delivering(bench, has_broker=False, age="0s", ttl="15s", seal_after="0s")
    gateway.sections["[store]"] |= {"path": str(small_disk / "store"), "log_file_size": "1MiB", "disk_reserve": "10MiB"}
    gateway.archive.write_text("a file where the folder should be")
    gateway.start()
    chance, expected, taken_at = random.Random(7), Expected(), time.monotonic()

    def write() -> int:
        rows = {("d", now_us() + n): {"noise": chance.randbytes(2_000).hex()} for n in range(100)}
        body = [reading(device, time_us, **fields) for (device, time_us), fields in rows.items()]
        status = gateway.api.request("POST", "/api/v1/write", json=body).status_code
        if status == 204:
            expected.update(rows)
        return status

    def is_refused_for_long() -> bool:
        """Longer than it takes to seal what is there, and than the TTL."""
        nonlocal taken_at
        status = write()
        assert status in (204, 507)
        if status == 204:
            taken_at = time.monotonic()
        time.sleep(0.1)
        return time.monotonic() - taken_at > 20

    wait_until(is_refused_for_long, "writes are refused", 120)
    status, text = gateway.api.readiness()
    assert status == 503 and "disk_reserve is 10 MiB" in text, text
    assert gateway.api.metric("gaugehouse_delivery_failing", delivery="archive") == 1
    held = gateway.api.partitions()
    assert held and all(partition["end"] < now_us() / 1_000 - 15_000 for partition in held), "past its TTL, and held"
    gateway.archive.unlink()
    wait_until(lambda: gateway.status() == 200, "objects make room", 120)
    assert write() == 204
    wait_until(lambda: not gateway.api.partitions(), "all is delivered and dropped", 120)
    check_objects(gateway.archive, expected)
