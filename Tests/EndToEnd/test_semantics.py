"""Rules of product.md, seen over the wire: duplicates, versions, TTL, the window for writes."""

import csv
import io

from conftest import Bench
from harness.gateway import Gateway, reading
from harness.publisher import Publisher, topic
from harness.waiting import now_ms, now_us, wait_until

SECOND = 1_000_000


def test_a_repeated_reading_is_a_duplicate_and_changes_nothing(bench: Bench, gateway: Gateway) -> None:
    """Counted, stored once; also when it comes the other way, only with a part of its fields, or after a restart."""
    time, api = now_ms(), gateway.api
    message = {"ts": time, "temperature": 21.5, "status": "ok"}
    with Publisher(bench.broker.port) as publisher:
        for _ in range(3):
            publisher.publish(topic("d"), message)
    wait_until(lambda: api.stats()["readings"] == 3, "all three were committed")
    assert api.stats()["duplicates"] == 2
    api.write(reading("d", time, status="ok"))
    assert api.stats()["duplicates"] == 3
    gateway.restart()
    api.write(reading("d", time, temperature=21.5, status="ok"))
    assert api.stats()["duplicates"] == 1
    assert api.rows("d") == [{"time": time * 1_000, "temperature": 21.5, "status": "ok"}]
    assert api.row_count() == 1 and api.devices()[0]["readings"] == 1


def test_the_newest_versions_of_a_value_are_readable(bench: Bench) -> None:
    """max_versions = 3: of four writes the newest three, newest first; fields that were not written are left alone."""
    gateway = bench.gateway(has_broker=False)
    gateway.sections["[[table]]"]["max_versions"] = 3
    gateway.start()
    time, api = now_ms(), gateway.api
    api.write(reading("d", time, value=1, other="a"))
    for value in (2, 2, 3, 4):
        api.write(reading("d", time, value=value))

    def versions(count: int) -> dict[str, list[object]]:
        [row] = api.rows("d", versions=count)
        commits = [entry["version"] for entry in row["value"]]
        assert commits == sorted(commits, reverse=True)
        return {name: [entry["value"] for entry in row[name]] for name in ("value", "other")}

    for _ in range(2):
        assert api.rows("d") == [{"time": time * 1_000, "value": 4, "other": "a"}]
        assert versions(10) == {"value": [4, 3, 2], "other": ["a"]}
        assert versions(2) == {"value": [4, 3], "other": ["a"]}
        assert api.latest("d") == {"value": 4, "other": "a"} and api.row_count() == 1
        gateway.restart()


def test_with_one_version_a_rewritten_value_replaces_the_old_one(gateway: Gateway) -> None:
    """The default: the old value is unreadable at once, whatever is asked for; the row still counts once."""
    time, api = now_ms(), gateway.api
    api.write(reading("d", time, value=1, other="a"))
    api.write(reading("d", time, value=2.5, third=True))
    assert api.rows("d") == [{"time": time * 1_000, "value": 2.5, "other": "a", "third": True}]
    [row] = api.rows("d", versions=10)
    assert [entry["value"] for entry in row["value"]] == [2.5] and api.row_count() == 1


def test_an_expired_reading_is_never_returned(bench: Bench) -> None:
    """To the instant, by every interface: asked again and again around the end of a TTL of 3 s."""
    gateway = bench.gateway(has_broker=False)
    gateway.sections["[[table]]"] |= {"ttl": "3s", "partition": "1h"}
    gateway.start()
    api, first = gateway.api, now_us() - SECOND
    times = {"a": first, "b": first + SECOND}
    api.write(reading("d", times["a"], a=1), reading("d", times["b"], b=2))
    seen: list[set[str]] = []

    def csv_of_all() -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(api.request("GET", "/api/v1/devices/d/range?format=csv").text)))

    def fields_by_every_way() -> dict[str, set[str]]:
        names = set(times)
        return {
            "latest": names & api.latest("d").keys(),
            "latest of many": {name for row in api.get("/api/v1/latest", prefix="d")["rows"] for name in row["values"]},
            "range": {name for row in api.rows("d") for name in row if name in names},
            "csv": {name for row in csv_of_all() for name in names if row.get(name)},
            "versions": {name for row in api.rows("d", versions=5) for name in row if name in names and row[name]},
        }

    def is_over() -> bool:
        before = now_us()
        found = fields_by_every_way()
        after = now_us()
        for way, fields in found.items():
            for name, time in times.items():
                if before > time + 3 * SECOND:
                    assert name not in fields, f"{way} shows {name}, {before - time - 3 * SECOND} µs after its end"
                if after < time + 3 * SECOND:
                    assert name in fields, f"{way} has lost {name}, {time + 3 * SECOND - after} µs before its end"
        seen.append(found["latest"])
        return not any(found.values())

    wait_until(is_over, "both readings have expired")
    assert {"a", "b"} in seen and {"b"} in seen, "the machine was too slow to see it happen"
    assert api.device("d")["readings"] == 2, "the device itself is known still"


def test_a_lowered_ttl_takes_effect_at_once(bench: Bench) -> None:
    """And a raised one does not bring back what was dropped meanwhile."""
    gateway = bench.gateway(has_broker=False)
    gateway.sections["[[table]]"] |= {"ttl": "30d", "partition": "1m"}
    gateway.start()
    now = now_ms()
    gateway.api.write(*(reading("d", now - minutes * 60_000, minutes=minutes) for minutes in (0, 30, 600)))
    assert [row["minutes"] for row in gateway.api.rows("d")] == [600, 30, 0]
    for ttl, left in (("1h", [30, 0]), ("10m", [0]), ("30d", [0])):
        gateway.sections["[[table]]"]["ttl"] = ttl
        gateway.restart()
        assert [row["minutes"] for row in gateway.api.rows("d")] == left
        wait_until(lambda: gateway.api.row_count() == len(gateway.api.rows("d")), "expired partitions are dropped")


def test_only_readings_inside_the_window_for_writes_are_stored(bench: Bench) -> None:
    """Older than the TTL: late. Further ahead than max_future: future. The good ones of the same body are stored."""
    gateway = bench.gateway(has_broker=False)
    gateway.sections["[[table]]"] |= {"ttl": "1h", "max_future": "10m"}
    gateway.start()
    now, api = now_ms(), gateway.api
    offsets = {"late": -3_700, "old": -3_500, "now": 0, "soon": 500, "future": 700}
    body = [reading(name, now + seconds * 1_000, n=1) for name, seconds in offsets.items()]
    response = api.request("POST", "/api/v1/write", json=body)
    problem = response.json()
    assert (response.status_code, problem["accepted"], problem["rejected"]) == (400, 3, 2)
    errors = [(error["index"], error["reason"]) for error in problem["errors"]]
    assert errors == [(0, "late"), (4, "future")]
    assert all(error["detail"].startswith("its time was read as 20") for error in problem["errors"])
    assert {device["id"] for device in api.devices()} == {"old", "now", "soon"}
    assert api.stats()["rejected"] == {"late": 1, "future": 1}
    assert api.metric("gaugehouse_readings_rejected_total", reason="late") == 1
