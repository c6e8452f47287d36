"""Messages that cannot be stored: acked, counted by reason, kept in the dead-letter file; ingestion goes on."""

import base64
import json
from typing import Any

from conftest import Bench
from harness.gateway import Gateway
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


def read_letters(gateway: Gateway) -> list[dict[str, Any]]:
    return (
        [json.loads(line) for line in gateway.dead_letters.read_text().splitlines()]
        if gateway.dead_letters.exists()
        else []
    )


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
    letters = read_letters(gateway)
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
        assert api.metric("gaugehouse_messages_rejected_total", reason=reason) == count
    assert [row["n"] for row in api.rows("good")] == list(range(len(REFUSED)))
    assert [device["id"] for device in api.devices()] == ["good"]

    gateway.restart()
    with Publisher(bench.broker.port) as publisher:
        publisher.publish(topic("good"), {"n": -1})
    wait_until(lambda: api.row_count() == len(REFUSED) + 1, "the next message is stored")
    assert (
        api.stats()["mqtt"]["rejected"] == {} and api.stats()["mqtt"]["messages"] == 1
    ), "refused messages were not acked"
    assert len(read_letters(gateway)) == len(REFUSED)


def test_one_bad_reading_of_a_message_refuses_the_message(bench: Bench, gateway: Gateway) -> None:
    """What cannot be decoded is refused whole; a reading that is only out of time leaves the others alone."""
    now, api = now_ms(), gateway.api
    with Publisher(bench.broker.port) as publisher:
        publisher.publish(topic("d"), [{"ts": now, "n": 1}, {"ts": "never", "n": 2}])
        publisher.publish(topic("d"), [{"ts": now, "n": 3}, {"ts": 1, "n": 4}, {"ts": now - 1, "n": 5}])
    wait_until(lambda: api.stats()["mqtt"]["messages"] == 2, "both were taken")
    assert [row["n"] for row in api.rows("d")] == [5, 3]
    assert api.stats()["mqtt"]["rejected"] == {"bad-time": 1, "late": 1}
    assert [letter["reason"] for letter in read_letters(gateway)] == ["bad-time", "late"]


def test_the_dead_letter_file_is_bounded(bench: Bench) -> None:
    """It and its predecessor stay within max_bytes each, and hold the newest letters."""
    bench.broker.start()
    gateway = bench.gateway()
    gateway.sections["[dead_letters]"]["max_bytes"] = "64KiB"
    gateway.start()
    with Publisher(bench.broker.port) as publisher:
        for number in range(600):
            publisher.send(topic("d"), f"message {number} {'x' * 300}")
        publisher.settle()
    wait_until(lambda: gateway.api.stats()["mqtt"]["messages"] == 600, "all messages were taken")
    predecessor = gateway.dead_letters.with_name(gateway.dead_letters.name + ".1")
    assert gateway.dead_letters.stat().st_size <= 65_536 and predecessor.stat().st_size <= 65_536
    letters = [json.loads(line) for line in predecessor.read_text().splitlines()] + read_letters(gateway)
    numbers = [int(letter["payload"].split()[1]) for letter in letters]
    assert numbers == list(range(600 - len(numbers), 600)) and len(numbers) > 130
