"""The first thing anybody tries: publish with mosquitto_pub, write and look over HTTP and with the command line."""

import json

from conftest import Bench
from harness.gateway import Gateway, reading
from harness.program import GAUGEHOUSE, REPOSITORY, run
from harness.publisher import topic
from harness.waiting import now_ms, wait_until


def publish(bench: Bench, device: str, payload: str) -> None:
    """With the client that everybody has; it returns when the broker has acked."""
    done = run("mosquitto_pub", "-p", str(bench.broker.port), "-q", "1", "-t", topic(device), "-m", payload)
    assert done.returncode == 0, done.stderr


def test_a_published_reading_stands_everywhere_at_once(bench: Bench, gateway: Gateway) -> None:
    """mosquitto_pub at QoS 1: the value is in latest, range, devices and tables."""
    time = now_ms()
    publish(bench, "dev-1", f'{{"ts":{time},"temperature":21.5,"status":"ok"}}')
    api = gateway.api
    wait_until(api.row_count, "the reading is stored", timeout=5)

    assert api.device("dev-1", "/latest") == {
        "device": "dev-1",
        "table": "telemetry",
        "time": time,
        "values": {"status": {"value": "ok", "time": time}, "temperature": {"value": 21.5, "time": time}},
    }
    answer = api.device("dev-1", "/range", fields="temperature,status")
    assert [column["name"] for column in answer["columns"]] == ["time", "temperature", "status"]
    assert [column["type"] for column in answer["columns"]] == ["timestamp_ms", "double", "string"]
    assert answer["rows"] == [[time, 21.5, "ok"]] and "next_page_token" not in answer
    [device] = api.devices()
    assert (device["id"], device["state"], device["readings"]) == ("dev-1", "online", 1)
    assert time - 1 <= device["first_seen"] == device["last_seen"] <= now_ms()
    table = api.table()
    assert (table["rows"], table["devices"], table["newest"]) == (1, 1, time)
    assert {field["name"]: field["type"] for field in table["fields"]} == {"temperature": "double", "status": "string"}


def test_an_http_write_is_readable_when_it_is_answered(gateway: Gateway) -> None:
    """POST /api/v1/write answers 204 after the commit; no waiting is needed to see the values of every type."""
    time, api = now_ms(), gateway.api
    values = {"count": 2**63 - 1, "ratio": 0.1, "on": True, "name": "Wehr №7 🚰", "nothing": ""}
    api.write(reading("a/b c", time, **values), reading("other", None, ratio=1.5))
    assert api.latest("a/b c") == values
    assert api.rows("a/b c") == [{"time": time * 1_000, **values}]
    assert (
        abs(api.device("other", "/latest")["time"] - now_ms()) < 60_000
    ), "a reading without a time gets the receive time"
    assert api.row_count() == 2


def test_the_command_line_shows_what_the_gateway_holds(gateway: Gateway) -> None:
    """latest, query and partitions print tables for people and JSON for programs, the same as the API."""
    time, api = now_ms(), gateway.api
    api.write(reading("dev-1", time - 1_000, temperature=21.5), reading("dev-1", time, temperature=22.5, status="ok"))

    latest = run(GAUGEHOUSE, "latest", "dev-1", "--url", api.url)
    assert latest.returncode == 0, latest.stderr
    lines = [line.split() for line in latest.stdout.splitlines()]
    assert lines[0][:3] == ["FIELD", "VALUE", "TIME"]
    assert [line[:2] for line in lines[1:]] == [["status", "ok"], ["temperature", "22.5"]]

    as_json = run(GAUGEHOUSE, "latest", "dev-1", "--url", api.url, "--json")
    assert json.loads(as_json.stdout) == api.device("dev-1", "/latest", time="rfc3339")

    query = run(
        GAUGEHOUSE,
        "query",
        "dev-1",
        "--url",
        api.url,
        "--order",
        "asc",
        "--fields",
        "temperature,status",
        "--start",
        "-5m",
    )
    assert query.returncode == 0, query.stderr
    lines = [line.split() for line in query.stdout.splitlines()]
    assert lines[0][2:] == ["temperature", "status"] and [line[2:] for line in lines[1:]] == [["21.5"], ["22.5", "ok"]]

    partitions = run(GAUGEHOUSE, "partitions", "--url", api.url, "--json")
    assert json.loads(partitions.stdout) == api.get("/api/v1/partitions", time="rfc3339")
    text = run(GAUGEHOUSE, "partitions", "--url", api.url).stdout
    assert text.splitlines()[0].split()[:4] == ["TABLE", "START", "END", "STATE"] and " open " in text


def test_the_command_line_says_why_it_has_nothing_to_show(gateway: Gateway) -> None:
    """Unknown device: 66. Bad argument: 64. No gateway: 69. A sentence each, and nothing on standard output."""
    cases = [
        (["latest", "nobody", "--url", gateway.api.url], 66, "nobody"),
        (["query", "nobody", "--url", gateway.api.url, "--start", "yesterday"], 64, "start"),
        (["latest", "dev-1", "--url", "http://127.0.0.1:1"], 69, "http://127.0.0.1:1"),
    ]
    for arguments, code, word in cases:
        done = run(GAUGEHOUSE, *arguments)
        assert (done.returncode, done.stdout) == (code, ""), f"{arguments}: {done}"
        assert word in done.stderr, done.stderr


def test_explain_shows_what_a_message_would_make(bench: Bench) -> None:
    """explain needs no running gateway; what would be refused is said with exit code 65."""
    config = bench.gateway().write_config()
    payload = '{"ts":1764000000000,"temperature":21.5,"gps":{"lat":48}}'
    # A year ago: past the table's TTL, which is said behind the readings.
    late = run(GAUGEHOUSE, "explain", "--config", config, "--topic", topic("dev-1"), "--payload", payload)
    assert late.returncode == 65 and "temperature" in late.stdout and "late: 2025-11-24" in late.stderr
    done = run(GAUGEHOUSE, "explain", "--config", config, "--set", "table.0.ttl=36500d", "--topic", topic("dev-1"), "--payload", payload)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["dev-1", "2025-11-24T16:00:00Z", "gps.lat", "integer", "48"] in lines
    assert ["dev-1", "2025-11-24T16:00:00Z", "temperature", "double", "21.5"] in lines

    refused = run(GAUGEHOUSE, "explain", "--config", config, "--topic", topic("dev-1"), "--payload", '{"t":NaN}')
    assert (refused.returncode, refused.stdout) == (65, "") and "undecodable" in refused.stderr
    elsewhere = run(GAUGEHOUSE, "explain", "--config", config, "--topic", "other/dev-1", "--payload", payload)
    assert elsewhere.returncode == 65 and "unmatched-topic" in elsewhere.stderr


def test_check_config_accepts_what_is_shipped() -> None:
    """The two shipped files are right, and the reference is the program's own."""
    for name in ("gaugehouse.toml", "demo.toml"):
        done = run(GAUGEHOUSE, "check-config", "--config", REPOSITORY / "configs" / name)
        assert done.returncode == 0, done.stderr
    reference = run(GAUGEHOUSE, "check-config", "--reference")
    assert reference.stdout == (REPOSITORY / "configs/gaugehouse.toml").read_text()
