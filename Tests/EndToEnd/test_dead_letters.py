"""Messages that cannot be stored: acked, counted by reason, kept in the dead-letter file; ingestion goes on."""

import base64
import itertools
import json
import signal
from typing import Any

import requests
from conftest import Bench
from harness.gateway import Gateway, reading
from harness.publisher import Publisher, topic
from harness.waiting import now_ms, wait_until

KEPT_BYTES = 65_536
LONG_TEXT = "x" * 1_000_000

# Topic, payload, reason: one of each way to be wrong.
REFUSED: list[tuple[str, bytes | str, str]] = [
    (topic("d"), "temperature=21.5", "undecodable"),
    (topic("d"), '{"temperature":NaN}', "undecodable"),
    (topic("d"), '{"temperature":21.5', "undecodable"),
    (topic("d"), b'{"text":"\xff\xfe"}', "undecodable"),
    (topic("d"), "42", "undecodable"),
    (topic("d"), '["a","b"]', "undecodable"),
    (topic("d"), "[" * 5_000, "undecodable"),
    (topic("d"), '{"ts":"yesterday","n":1}', "bad-time"),
    (topic("d"), '{"ts":"2026-01-01T00:00:00","n":1}', "bad-time"),
    (topic("d"), '{"ts":[1],"n":1}', "bad-time"),
    (topic("d"), '{"n":123456789012345678901234567890}', "bad-value"),
    (topic("d"), '{"n":18446744073709551615}', "bad-value"),
    (topic("d"), '{"ts":1764000000000}', "no-fields"),
    (topic("d"), '{"n":null}', "no-fields"),
    (topic("d"), "[]", "no-fields"),
    (topic("d"), json.dumps({"text": LONG_TEXT}), "value-too-long"),
    (topic("d"), json.dumps({"text": LONG_TEXT, "more": LONG_TEXT}), "payload-too-long"),
    (topic("d"), json.dumps({"n" * 300: 1}), "field-name-too-long"),
    (topic("d"), json.dumps({f"n{number}": 1 for number in range(1_025)}), "too-many-fields"),
    (topic("x" * 300), '{"n":1}', "device-too-long"),
    (topic(""), '{"n":1}', "no-device"),
    ("devices/d/other", '{"n":1}', "unmatched-topic"),
    ("devices/d/telemetry/more", '{"n":1}', "unmatched-topic"),
    (topic("d"), '{"ts":"1970-01-01T00:00:00Z","n":1}', "late"),
    (topic("d"), '{"ts":0,"n":1}', "late"),
    (topic("d"), '{"ts":"2199-01-01T00:00:00Z","n":1}', "future"),
    (topic("d"), '{"ts":7226582400000,"n":1}', "future"),
]


def check_letter(letter: dict[str, Any], topic: str, payload: bytes | str) -> None:
    """The whole payload, or its beginning and its true size."""
    sent = payload if isinstance(payload, bytes) else payload.encode()
    kept = base64.b64decode(letter["payload_base64"]) if "payload_base64" in letter else letter["payload"].encode()
    assert letter["topic"] == topic and kept == sent[:KEPT_BYTES]
    assert letter.get("payload_bytes", len(sent)) == len(sent) and ("payload_bytes" in letter) == (
        len(sent) > KEPT_BYTES
    )
    assert letter["detail"] and letter["time"].startswith("20")


def open_wide(gateway: Gateway) -> None:
    """Subscribes to more topics than the template fits."""
    gateway.sections["[[mqtt.subscription]]"]["filter"] = "devices/#"


def test_every_refused_message_is_counted_and_kept_and_the_next_is_stored(bench: Bench) -> None:
    """By reason in stats, metrics and the file, in order; good messages in between are stored; none comes again."""
    bench.broker.start()
    gateway = bench.gateway()
    open_wide(gateway)
    gateway.start()
    api, start = gateway.api, now_ms() - 60_000
    with Publisher(bench.broker.port) as publisher:
        for number, (refused_topic, payload, _) in enumerate(REFUSED):
            publisher.send(refused_topic, payload)
            publisher.send(topic("good"), {"ts": start + number, "n": number})
            publisher.settle()
    wait_until(lambda: api.stats()["mqtt"]["messages"] == 2 * len(REFUSED), "all messages were taken")

    counts = {reason: sum(other == reason for *_, other in REFUSED) for *_, reason in REFUSED}
    letters = gateway.letters()
    assert len(letters) == len(REFUSED)
    # The store refuses times when a batch is committed, decoding refuses earlier: order holds within each of the two.
    for late in (False, True):
        for letter, (sent_topic, payload, reason) in zip(
            [letter for letter in letters if (letter["reason"] in ("late", "future")) == late],
            [refused for refused in REFUSED if (refused[2] in ("late", "future")) == late],
            strict=True,
        ):
            assert letter["reason"] == reason, letter
            check_letter(letter, sent_topic, payload)
    assert api.stats()["mqtt"]["rejected"] == counts
    for reason, count in counts.items():
        assert api.metric("gaugehouse_messages_rejected_total", broker=f"127.0.0.1:{bench.broker.port}", reason=reason) == count
    assert [row["n"] for row in api.rows("good")] == list(range(len(REFUSED)))
    assert [device["id"] for device in api.devices()] == ["good"]

    gateway.restart()
    with Publisher(bench.broker.port) as publisher:
        publisher.publish(topic("good"), {"n": -1})
    wait_until(lambda: api.row_count() == len(REFUSED) + 1, "the next message is stored")
    assert (
        api.stats()["mqtt"]["rejected"] == {} and api.stats()["mqtt"]["messages"] == 1
    ), "refused messages were not acked"
    assert len(gateway.letters()) == len(REFUSED)


def test_one_bad_reading_of_a_message_refuses_the_message(bench: Bench, gateway: Gateway) -> None:
    """What cannot be decoded is refused whole; a reading that is only out of time leaves the others alone."""
    now, api = now_ms(), gateway.api
    with Publisher(bench.broker.port) as publisher:
        publisher.publish(topic("d"), [{"ts": now, "n": 1}, {"ts": "never", "n": 2}])
        publisher.publish(topic("d"), [{"ts": now, "n": 3}, {"ts": 1, "n": 4}, {"ts": now - 1, "n": 5}])
    wait_until(lambda: api.stats()["mqtt"]["messages"] == 2, "both were taken")
    assert [row["n"] for row in api.rows("d")] == [5, 3]
    assert api.stats()["mqtt"]["rejected"] == {"bad-time": 1, "late": 1}
    assert [letter["reason"] for letter in gateway.letters()] == ["bad-time", "late"]


def test_dead_letters_are_bounded(bench: Bench) -> None:
    """All files together stay within max_bytes and their number, and hold the newest letters, over a kill -9."""
    bench.broker.start()
    gateway = bench.gateway()
    gateway.sections["[dead_letters]"] |= {"max_bytes": "1MiB", "files": 3}
    gateway.start()
    with Publisher(bench.broker.port) as publisher:
        for first in (0, 300):
            for number in range(first, first + 300):
                publisher.send(topic("d"), f"message {number} {'x' * 5_000}")
            publisher.settle()
            # Those whose ack the kill has swallowed come again.
            wait_until(lambda: gateway.api.stats()["mqtt"]["messages"] >= 300, "all messages were taken")
            if first == 0:
                gateway.kill()
                # What a crash in the middle of a line leaves.
                with open(max(gateway.dead_letters.glob("*.ndjson")), "a") as file:
                    file.write('{"time":"2025-11-24T16:0')
                gateway.start()
    files = sorted(gateway.dead_letters.glob("*.ndjson"))
    assert len(files) == 3 and sum(file.stat().st_size for file in files) <= 1 << 20
    lines = [line for file in files for line in file.read_text().splitlines()]
    numbers = sorted({int(json.loads(line)["payload"].split()[1]) for line in lines if line.endswith("}")})
    assert numbers == list(range(600 - len(numbers), 600)) and len(numbers) > 130


def test_letters_are_listed_and_replayed_through_a_mended_mapping(bench: Bench) -> None:
    """Selected by reason, topic and time; each is sent once; what is sent is stored as if it had come like that."""
    bench.broker.start()
    gateway = bench.gateway()
    open_wide(gateway)
    gateway.start()
    start = now_ms() - 60_000
    with Publisher(bench.broker.port) as publisher:
        for number in range(250):
            publisher.send("devices/hall/d/telemetry", {"ts": start + number, "n": number})
        publisher.send(topic("d"), "no JSON, \n\x1b[31m")
        publisher.send(topic("d"), json.dumps({"text": LONG_TEXT, "more": LONG_TEXT}))
        publisher.settle()
    wait_until(lambda: len(gateway.letters()) == 252, "all were refused")
    assert gateway.log_text().count("(unmatched-topic)") == 1, "one line in ten seconds"

    table = gateway.verb("dead-letters", "list", "--reason", "undecodable")
    assert table.returncode == 0 and len(table.stdout.splitlines()) == 2 and "undecodable" in table.stdout, table
    listed = gateway.verb("dead-letters", "list", "--json", "--topic", "devices/+/d/#", "--since", "1h")
    letters = [json.loads(line) for line in listed.stdout.splitlines()]
    assert [json.loads(letter["payload"])["n"] for letter in letters] == list(range(250))
    assert not any(letter["replayed"] for letter in letters)

    # Before the mapping is mended, a letter that is sent comes back.
    again = gateway.verb("dead-letters", "replay", "--reason", "undecodable")
    assert (again.returncode, again.stdout) == (0, "1 letter replayed\n"), again
    wait_until(lambda: len(gateway.letters()) == 253, "it was refused again")

    gateway.sections["[[mqtt.subscription]]"]["topic"] = "devices/{hall}/{device}/telemetry"
    gateway.restart()
    trial = gateway.verb("dead-letters", "replay", "--reason", "unmatched-topic", "--dry-run")
    assert (trial.returncode, trial.stdout) == (0, "250 letters to replay\n") and gateway.api.row_count() == 0
    replayed = gateway.verb("dead-letters", "replay", "--reason", "unmatched-topic")
    assert (replayed.returncode, replayed.stdout) == (0, "250 letters replayed\n"), replayed
    wait_until(lambda: gateway.api.row_count() == 250, "all are stored")
    assert [(row["n"], row["hall"]) for row in gateway.api.rows("d")] == [(number, "hall") for number in range(250)]
    twice = gateway.verb("dead-letters", "replay", "--reason", "unmatched-topic")
    assert (twice.returncode, twice.stdout) == (0, "0 letters replayed; 250 replayed before\n"), twice
    cut = gateway.verb("dead-letters", "replay", "--reason", "payload-too-long")
    assert cut.returncode == 0 and "1 cannot be: only the beginning of the payload was kept" in cut.stdout, cut
    assert gateway.api.stats()["mqtt"]["messages"] == 250


def test_replay_says_why_it_does_not(bench: Bench) -> None:
    """Exit codes of sysexits; no letter is lost by it."""
    bench.broker.start()
    gateway = bench.gateway()
    assert gateway.verb("dead-letters", "list").returncode == 66
    assert gateway.verb("dead-letters", "replay").returncode == 66
    assert gateway.verb("dead-letters", "list", "--reason", "bad").returncode == 64
    assert gateway.verb("dead-letters", "list", "--since", "yesterday").returncode == 64
    assert gateway.verb("dead-letters", "replay", "--topic", "a/#/b").returncode == 64
    gateway.start()
    with Publisher(bench.broker.port) as publisher:
        publisher.publish(topic("d"), "x")
    wait_until(lambda: len(gateway.letters()) == 1, "it was refused")
    gateway.sections["[[mqtt.subscription]]"]["filter"] = "other/+/telemetry"
    gateway.sections["[[mqtt.subscription]]"]["topic"] = "other/{device}/telemetry"
    assert gateway.stop() == 0
    bench.broker.stop()
    away = gateway.verb("dead-letters", "replay")
    assert away.returncode == 69 and "0 letters replayed" in away.stdout and "refused" in away.stderr, away
    # A broker that has forgotten the session: nobody is subscribed to the letter's topic.
    for file in bench.broker.state.iterdir():
        file.unlink()
    bench.broker.start()
    gateway.start()
    unheard = gateway.verb("dead-letters", "replay")
    assert unheard.returncode == 69 and "1 not: nobody is subscribed to the topic" in unheard.stdout, unheard
    assert len(gateway.letters()) == 1
    del gateway.sections["[mqtt]"], gateway.sections["[[mqtt.subscription]]"]
    assert gateway.verb("dead-letters", "replay").returncode == 78


def test_limits_of_a_table_hold_for_mqtt_and_http(bench: Bench) -> None:
    """Rates and the cap on devices: refused with the option's name, counted, kept; 429 over HTTP when nothing was stored."""
    bench.broker.start()
    gateway = bench.gateway()
    gateway.sections["[[table]]"] |= {"device_readings_per_second": 1, "rate_burst": "100s", "max_devices": 3}
    gateway.start()
    api, start = gateway.api, now_ms() - 60_000
    with Publisher(bench.broker.port) as publisher:
        for number in range(150):
            publisher.send(topic("fast"), {"ts": start + number, "n": number})
        publisher.send(topic("slow"), {"ts": start, "n": 1})
        publisher.settle()
    wait_until(lambda: api.stats()["mqtt"]["messages"] == 151, "all were taken")
    stored = len(api.rows("fast"))
    refused = api.stats()["mqtt"]["rejected"]["rate-limited"]
    # The rate goes on meanwhile.
    assert 100 <= stored <= 140 and refused == 150 - stored == len(gateway.letters()) and len(api.rows("slow")) == 1
    assert "device_readings_per_second = 1" in gateway.letters()[0]["detail"]

    def post(*readings: dict[str, Any]) -> requests.Response:
        return api.request("POST", "/api/v1/write", json=list(readings))

    # What has come back of the rate meanwhile.
    assert post(*[reading("fast", start - 1 - number, n=1) for number in range(50)]).status_code in (400, 429)
    all_refused = post(*[reading("fast", start - 100, n=1)])
    assert all_refused.status_code == 429 and all_refused.headers["Retry-After"] == "1", all_refused.text
    (error,) = all_refused.json()["errors"]
    assert (error["index"], error["reason"]) == (0, "rate-limited") and "device_readings_per_second" in error["detail"], error
    partly = post(reading("fast", start - 100, n=1), reading("third", start, n=1), reading("fourth", start, n=1))
    assert partly.status_code == 400 and partly.json()["accepted"] == 1
    assert [bad["reason"] for bad in partly.json()["errors"]] == ["rate-limited", "device-limit"]
    assert {device["id"] for device in api.devices()} == {"fast", "slow", "third"}
    assert api.metric("gaugehouse_readings_rejected_total", reason="device-limit") == 1
    assert api.metric("gaugehouse_table_readings_total", table="telemetry") == api.row_count()
    assert api.metric("gaugehouse_device_clock_skew_seconds_count") == 151
    assert api.metric("gaugehouse_device_clock_skew_seconds_bucket", le="600") == 151


def test_limits_are_taken_over_by_a_reload(bench: Bench, gateway: Gateway) -> None:
    """SIGHUP changes them while readings come in; 0 ends them."""

    numbers = itertools.count()

    def newcomer() -> int:
        body = [reading(f"newcomer {next(numbers)}", None, n=1)]
        return gateway.api.request("POST", "/api/v1/write", json=body).status_code

    gateway.api.write(*[reading(device, None, n=1) for device in ("first", "second", "third")])
    gateway.sections["[[table]]"]["max_devices"] = 3
    gateway.write_config()
    gateway.signal(signal.SIGHUP)
    wait_until(lambda: newcomer() == 400, "a new device is refused")
    gateway.sections["[[table]]"]["max_devices"] = 0
    gateway.write_config()
    gateway.signal(signal.SIGHUP)
    wait_until(lambda: newcomer() == 204, "a new device is taken")


def test_a_field_that_changes_its_type_is_counted_and_logged_once(bench: Bench, gateway: Gateway) -> None:
    """Integers and doubles are one type; a number that becomes text is told of, once per device."""
    api, start = gateway.api, now_ms() - 60_000
    with Publisher(bench.broker.port) as publisher:
        for number, value in enumerate([1, 2.5, "three", "four", 5, "six"]):
            publisher.publish(topic("d"), {"ts": start + number, "n": value})
    wait_until(lambda: api.row_count() == 6, "all are stored")
    assert [row["n"] for row in api.rows("d")] == [1, 2.5, "three", "four", 5, "six"]
    assert api.metric("gaugehouse_field_type_changes_total") == 3
    wait_until(lambda: "changed the type of field" in gateway.log_text(), "it is logged")
    assert gateway.log_text().count("changed the type of field") == 1
