"""Deliveries to a real S3 server: what arrives, and what is said and done when the server, the keys or the bucket fail."""

import pathlib
import random
import string
from collections.abc import Iterator

import pytest

from conftest import Bench
from harness.gateway import Gateway, reading
from harness.objects import Expected, check_objects, object_files
from harness.s3 import ObjectStore
from harness.waiting import now_us, wait_until

SECOND = 1_000_000
WINDOW = 3 * SECOND


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    with ObjectStore() as store:
        yield store


def delivering(bench: Bench, **table: str | int) -> Gateway:
    """A gateway with windows of 3 s that are sealed at once; its delivery is to be added."""
    gateway = bench.gateway(has_broker=False)
    gateway.sections["[[table]]"] |= {"partition": "3s", "seal_after": "0s", "ttl": "1h", **table}
    return gateway


def write(gateway: Gateway, expected: Expected, device: str, count: int = 50, **fields: str) -> None:
    """Readings of ten minutes ago, whose windows are over."""
    start = now_us() - 600 * SECOND
    rows: Expected = {(device, start + n): {"n": n, **fields} for n in range(count)}
    gateway.api.write(*(reading(name, time_us, **values) for (name, time_us), values in rows.items()))
    expected.update(rows)


def errors(gateway: Gateway) -> set[str]:
    """The error types that /partitions names."""
    found = {partition["last_error"] for partition in gateway.api.partitions()}
    return {text.split(": ")[1] for text in found if text}


def wait_until_delivered(gateway: Gateway) -> None:
    wait_until(lambda: {p["state"] for p in gateway.api.partitions()} == {"delivered"}, "all is delivered", 120)


def check(store: ObjectStore, gateway: Gateway, expected: Expected, folder: pathlib.Path, bucket: str = "delivery") -> None:
    """The bucket holds exactly what was written, under numbers without gaps."""
    copy = store.download(folder, bucket)
    check_objects(copy, expected)
    numbers: dict[pathlib.Path, list[int]] = {}
    for path in object_files(copy):
        numbers.setdefault(path.parent, []).append(int(path.stem.rsplit("__", 1)[1]))
    assert all(found == list(range(len(found))) for found in numbers.values()), numbers
    announced = sorted(item["key"] for partition in gateway.api.partitions() for item in partition["objects"])
    assert announced == [str(path.relative_to(copy)) for path in object_files(copy)]


def test_rows_arrive_under_hive_keys_whoever_is_killed(
    bench: Bench, store: ObjectStore, tmp_path: pathlib.Path, chance: random.Random
) -> None:
    """Objects large enough for parts; the gateway and the server are killed in the middle."""
    gateway = delivering(bench)
    store.deliver(gateway, age="0s", max_object_bytes="8MiB")
    gateway.sections["[delivery.s3]"] |= {"part_bytes": "5MiB", "multipart_above": "5MiB"}
    gateway.start()
    expected: Expected = {}
    for number in range(12):
        text = "".join(chance.choices(string.printable, k=20_000))
        write(gateway, expected, f"dev/{number}=ä +%", 60, text=text[::-1] + str(number), other=text)
    for turn in range(4):
        wait_until(lambda: gateway.api.metric("gaugehouse_delivery_objects_total", delivery="archive") >= 0, "it answers")
        wait_until(lambda: chance.random() < 0.3, "a moment", 10)
        if turn % 2:
            gateway.kill()
            gateway.start()
        else:
            store.kill()
            store.start()
    wait_until_delivered(gateway)
    check(store, gateway, expected, tmp_path / "copy")
    assert list((tmp_path / "copy/_manifests/archive").iterdir()), "no manifest"


def test_wrong_keys_are_told_and_right_ones_taken_without_a_restart(
    bench: Bench, store: ObjectStore, tmp_path: pathlib.Path
) -> None:
    gateway = delivering(bench)
    store.deliver(gateway, age="0s")
    secret = tmp_path / "secret"
    secret.write_text("mistyped-secret\n")
    gateway.sections["[delivery.s3]"]["secret_key_file"] = str(secret)
    gateway.start()
    expected: Expected = {}
    write(gateway, expected, "d")
    wait_until(lambda: errors(gateway) == {"UNAUTHORIZED"}, "it says so", 60)
    assert "mistyped-secret" not in gateway.log_text() and gateway.status() == 200
    write(gateway, expected, "e")
    assert gateway.api.rows("d") and gateway.api.rows("e"), "readings come in and are read"
    secret.write_text(store.identities["admin"]["secret"])
    wait_until_delivered(gateway)
    check(store, gateway, expected, tmp_path / "copy")


def test_a_missing_bucket_is_told_and_used_once_it_is_there(
    bench: Bench, store: ObjectStore, tmp_path: pathlib.Path
) -> None:
    gateway = delivering(bench)
    store.deliver(gateway, bucket="absent", age="0s")
    gateway.start()
    expected: Expected = {}
    write(gateway, expected, "d")
    wait_until(lambda: errors(gateway) == {"INVALID_DESTINATION"}, "it says so", 60)
    assert gateway.status() == 200 and gateway.api.rows("d")
    store.make_bucket("absent")
    wait_until_delivered(gateway)
    check(store, gateway, expected, tmp_path / "copy", "absent")


def test_a_server_that_is_away_is_told_and_nothing_is_lost(bench: Bench, store: ObjectStore, tmp_path: pathlib.Path) -> None:
    """Past their TTL, undelivered windows stay; expired readings are unreadable, but arrive."""
    gateway = delivering(bench, ttl="20s")
    store.deliver(gateway, age="0s")
    store.kill()
    gateway.start()
    expected: Expected = {("d", now_us() + n): {"n": n} for n in range(20)}
    gateway.api.write(*(reading(device, time_us, **fields) for (device, time_us), fields in expected.items()))
    wait_until(lambda: errors(gateway) == {"UNREACHABLE"}, "it says so", 60)
    wait_until(lambda: not gateway.api.rows("d"), "the TTL is over", 60)
    assert gateway.api.partitions() and gateway.status() == 200
    store.start()
    wait_until(lambda: not gateway.api.partitions(), "delivered, and then dropped", 120)
    check_objects(store.download(tmp_path / "copy"), expected)


def test_a_key_that_may_only_write_is_enough(bench: Bench, store: ObjectStore, tmp_path: pathlib.Path) -> None:
    """No listing: uploads that a crash leaves are the bucket's business then."""
    gateway = delivering(bench)
    store.deliver(gateway, identity="writer", age="0s")
    gateway.sections["[delivery.s3]"]["abort_stale_uploads"] = False
    gateway.start()
    expected: Expected = {}
    write(gateway, expected, "d")
    wait_until_delivered(gateway)
    check(store, gateway, expected, tmp_path / "copy")
