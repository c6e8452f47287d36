"""Deliveries that are created, paused, restarted and deleted while the gateway runs: over HTTP, by the command line, on the dashboard."""

import json
import os
import pathlib
import pty
import re
import subprocess
import time
from typing import Any

import pytest
import requests

from conftest import Bench
from harness.browser import Browser
from harness.gateway import Gateway, reading
from harness.objects import check_rows, fingerprints, object_files, rows_by_pyarrow
from harness.program import GAUGEHOUSE, run
from harness.waiting import now_us, wait_until

DELIVERIES = "/api/v1/deliveries"
# Rows of an incremental task wait at most so long.
AGE = 1.0


@pytest.fixture
def gateway(bench: Bench) -> Gateway:
    gateway = bench.gateway(has_broker=False)
    gateway.start()
    return gateway


@pytest.fixture
def lake(bench: Bench) -> pathlib.Path:
    """Where the tasks of these tests deliver to."""
    return bench.folder / "lake"


def definition(lake: pathlib.Path, **options: Any) -> dict[str, Any]:
    """An incremental task, without folders."""
    incremental = {"mode": "incremental", "max_object_age": f"{AGE:g}s", "prefix": ""}
    return {"name": "lake", "destination": f"file://{lake}", **incremental, **options}


def create(gateway: Gateway, lake: pathlib.Path, **options: Any) -> dict[str, Any]:
    answer = gateway.api.request("POST", DELIVERIES, json=definition(lake, **options))
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"{DELIVERIES}/{answer.json()['name']}"
    return answer.json()


def task(gateway: Gateway, name: str = "lake") -> dict[str, Any]:
    return gateway.api.get(f"{DELIVERIES}/{name}", time="us")


def change(gateway: Gateway, verb: str, name: str = "lake") -> dict[str, Any]:
    answer = gateway.api.request("POST", f"{DELIVERIES}/{name}/{verb}")
    assert answer.status_code in (200, 202), answer.text
    return answer.json()


def write(gateway: Gateway, *numbers: int) -> dict[tuple[str, int], dict[str, Any]]:
    """A reading for each number, and what objects must say of them."""
    now = now_us()
    gateway.api.write(*(reading("d", now + number, n=number) for number in numbers))
    return {("d", now + number): {"n": number} for number in numbers}


def wait_for_rows(gateway: Gateway, count: int, name: str = "lake") -> None:
    wait_until(lambda: task(gateway, name)["rows"] >= count, f"{count} rows are delivered")
    assert task(gateway, name)["rows"] == count


def sequences(folder: pathlib.Path) -> list[int]:
    return sorted(int(path.stem.rsplit("__", 1)[1]) for path in object_files(folder))


def events(gateway: Gateway, name: str = "lake") -> list[str]:
    """The newest first."""
    return [event["event"] for event in task(gateway, name)["history"]]


def ask(gateway: Gateway, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = run(GAUGEHOUSE, "deliver", *arguments, "--url", gateway.api.url, variables={"TZ": "UTC"})
    assert done.returncode == code, f"{arguments}: {done}"
    return done


def test_a_task_from_its_creation_to_its_end(gateway: Gateway, lake: pathlib.Path) -> None:
    """Objects come within their age without new data; nothing while it is paused; a restart gives further numbers."""
    before = write(gateway, 0)
    created = create(gateway, lake)
    assert (created["origin"], created["table"], created["mode"]) == ("api", "telemetry", "incremental")
    assert created["destination"] == f"file://{lake}" and created["prefix"] == "" and created["error"] == "OK"
    wait_until(lambda: events(gateway) == ["begun"], "it has begun")
    expected = write(gateway, 1, 2, 3)
    wait_for_rows(gateway, 3)
    check_rows(rows_by_pyarrow(lake), expected, "pyarrow")
    assert gateway.api.get(DELIVERIES)["deliveries"][0]["objects"] == len(object_files(lake)) == 1
    assert task(gateway)["last_object"] == str(object_files(lake)[0].relative_to(lake))

    assert change(gateway, "pause")["state"] == "paused"
    waiting = write(gateway, 4, 5)
    first = fingerprints(lake)
    time.sleep(2.5 * AGE)
    assert fingerprints(lake) == first and task(gateway)["state"] == "paused"
    wait_until(lambda: task(gateway)["lag_s"] > 0, "what waits is seen")
    assert not task(gateway)["late"], "and is not alarming yet"
    assert gateway.api.metric("gaugehouse_delivery_paused", delivery="lake") == 1
    assert change(gateway, "resume")["state"] != "paused"
    wait_for_rows(gateway, 5)
    check_rows(rows_by_pyarrow(lake), expected | waiting, "pyarrow")

    change(gateway, "restart")
    wait_until(lambda: events(gateway)[:2] == ["begun", "restarted"], "it has begun anew")
    again = write(gateway, 6)
    wait_until(lambda: any(row[2] == {"n": 6} for row in rows_by_pyarrow(lake)), "what came since is delivered")
    assert sequences(lake) == list(range(len(object_files(lake)))), "numbers go on without gaps"
    assert first.items() <= fingerprints(lake).items(), "objects stay as they are"
    found = {(device, moment) for device, moment, _ in rows_by_pyarrow(lake)}
    assert (expected | waiting | again).keys() <= found <= (before | expected | waiting | again).keys()

    answer = gateway.api.request("DELETE", f"{DELIVERIES}/lake")
    assert answer.status_code == 204 and answer.content == b""
    assert gateway.api.get(DELIVERIES) == {"deliveries": []}
    assert gateway.api.request("GET", f"{DELIVERIES}/lake").status_code == 404
    last = fingerprints(lake)
    write(gateway, 7)
    time.sleep(2 * AGE)
    assert fingerprints(lake) == last
    audit = re.findall(r"audit: anyone from 127\.0\.0\.1: (.+)", gateway.log_text())
    assert audit == [
        f"POST {DELIVERIES}: 201 {DELIVERIES}/lake",
        *(f"POST {DELIVERIES}/lake/{verb}: 200" for verb in ("pause", "resume", "restart")),
        f"DELETE {DELIVERIES}/lake: 204",
    ]


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_created_task_is_there_after_a_restart(gateway: Gateway, lake: pathlib.Path, how: str) -> None:
    """With its pause, its history and its numbers; nothing is delivered twice."""
    create(gateway, lake, max_object_bytes="64KiB", compression_level=7)
    wait_until(lambda: events(gateway) == ["begun"], "it has begun")
    expected = write(gateway, *range(100))
    wait_for_rows(gateway, 100)
    create(gateway, lake.with_name("pool"), name="pool")
    change(gateway, "pause", "pool")
    pooled = write(gateway, 100)
    # Both wrote down what they are before they answered.
    getattr(gateway, how)()
    gateway.start()
    assert [(each["name"], each["state"] == "paused") for each in gateway.api.get(DELIVERIES)["deliveries"]] == [
        ("lake", False),
        ("pool", True),
    ]
    expected |= pooled | write(gateway, 101)
    wait_for_rows(gateway, 102)
    check_rows(rows_by_pyarrow(lake), expected, "pyarrow")
    assert sequences(lake) == list(range(len(object_files(lake))))
    assert events(gateway, "pool") == ["paused", "begun"] and not object_files(lake.with_name("pool"))
    change(gateway, "resume", "pool")
    wait_for_rows(gateway, 2, "pool")
    assert gateway.api.request("DELETE", f"{DELIVERIES}/pool").status_code == 204
    getattr(gateway, how)()
    gateway.start()
    assert [each["name"] for each in gateway.api.get(DELIVERIES)["deliveries"]] == ["lake"]


def test_a_name_that_is_used_again_goes_on_with_its_numbers(gateway: Gateway, lake: pathlib.Path) -> None:
    create(gateway, lake, mode="full")
    wait_until(lambda: task(gateway)["phase"] == "DONE", "there is nothing to deliver")
    assert gateway.api.request("DELETE", f"{DELIVERIES}/lake").status_code == 204
    expected = write(gateway, 1, 2)
    create(gateway, lake, mode="differential")
    wait_for_rows(gateway, 2)
    assert gateway.api.request("DELETE", f"{DELIVERIES}/lake").status_code == 204
    create(gateway, lake, mode="full")
    wait_until(lambda: task(gateway)["phase"] == "DONE" and len(object_files(lake)) >= 2, "all is delivered once more")
    assert sequences(lake) == list(range(len(object_files(lake))))
    assert {(device, moment) for device, moment, _ in rows_by_pyarrow(lake)} == expected.keys()


WRONG = [
    ({"name": None}, "name", "is missing"),
    ({"name": "x"}, "name", "3 to 16 of a-z"),
    ({"name": "../etc"}, "name", "3 to 16 of a-z"),
    ({"name": 5}, "name", ""),
    ({"table": "nowhere"}, "table", 'there is no table "nowhere"'),
    ({"table": "telemetri"}, "table", 'did you mean "telemetry"?'),
    ({"mode": "sometimes"}, "mode", "incremental"),
    ({"mode": "aged", "age": "soon"}, "age", ""),
    ({"mode": "aged", "age": "400d"}, "age", "shorter than the table's ttl"),
    ({"destination": None}, "destination", "is missing"),
    ({"destination": "lake"}, "destination", ""),
    ({"destination": "ftp://lake"}, "destination", ""),
    ({"destination": "file://relative"}, "destination", ""),
    ({"destination": "s3://"}, "destination", ""),
    ({"prefix": "day=$day"}, "prefix", ""),
    ({"prefix": "../up"}, "prefix", ""),
    ({"prefix": "/absolute"}, "prefix", ""),
    ({"prefix_time": "lunch"}, "prefix_time", "reading"),
    ({"max_object_bytes": "12 elephants"}, "max_object_bytes", ""),
    ({"max_object_bytes": 1}, "max_object_bytes", ""),
    ({"max_object_age": "0s"}, "max_object_age", ""),
    ({"max_object_age": "2d"}, "max_object_age", ""),
    ({"encoding": "morse"}, "encoding", "plain"),
    ({"compression_level": 23}, "compression_level", ""),
    ({"compression_level": "high"}, "compression_level", ""),
    ({"bucket_column": "yes"}, "bucket_column", ""),
    ({"s3": "nobody"}, "s3", 'no delivery named "nobody"'),
    ({"s3": ["a"]}, "s3", ""),
    ({"modus": "aged"}, "modus", 'did you mean "mode"?'),
    ({"access_key": "AKIA"}, "access_key", "no option of a delivery"),
    ({"prefix": {"nested": 1}}, "prefix", ""),
    ({"mode": []}, "mode", ""),
]


def test_what_is_wrong_with_a_definition_is_named(gateway: Gateway, lake: pathlib.Path) -> None:
    for options, param, words in WRONG:
        members = {key: value for key, value in (definition(lake) | options).items() if value is not None}
        answer = gateway.api.request("POST", DELIVERIES, json=members)
        assert answer.status_code == 400 and answer.json()["param"] == param, f"{options}: {answer.text}"
        assert words in answer.json()["detail"], f"{options}: {answer.text}"
    store = gateway.folder / "store"
    for place in (store, store / "inside", gateway.folder):
        answer = gateway.api.request("POST", DELIVERIES, json=definition(lake, destination=f"file://{place}"))
        assert (answer.status_code, answer.json()["param"]) == (400, "destination"), answer.text
    create(gateway, lake)
    answer = gateway.api.request("POST", DELIVERIES, json=definition(lake.with_name("other")))
    assert answer.status_code == 409 and "lake" in answer.json()["detail"]
    assert [each["name"] for each in gateway.api.get(DELIVERIES)["deliveries"]] == ["lake"]
    gateway.restart()
    assert [each["name"] for each in gateway.api.get(DELIVERIES)["deliveries"]] == ["lake"]


def test_a_task_of_the_configuration_is_not_deleted_here(bench: Bench) -> None:
    gateway = bench.gateway(has_broker=False)
    gateway.deliver()
    gateway.start()
    assert task(gateway, "archive")["origin"] == "configuration"
    answer = gateway.api.request("DELETE", f"{DELIVERIES}/archive")
    assert answer.status_code == 409 and "remove it there" in answer.json()["detail"]
    assert change(gateway, "pause", "archive")["state"] == "paused"
    gateway.restart()
    assert task(gateway, "archive")["state"] == "paused"


def test_a_task_whose_table_is_gone_is_shown_and_can_be_deleted(bench: Bench, lake: pathlib.Path) -> None:
    gateway = bench.gateway(has_broker=False)
    gateway.preset = '[[table]]\nname = "weather"\n'
    gateway.start()
    create(gateway, lake, table="weather")
    gateway.stop()
    gateway.preset = ""
    gateway.start()
    lost = task(gateway)
    assert (lost["state"], lost["error"], lost["table"]) == ("invalid", "CONFLICT", None)
    assert 'there is no table "weather"' in lost["detail"]
    [warning] = gateway.api.get("/-/ready")["warnings"]
    assert warning["reason"].startswith("lake: CONFLICT: ")
    assert gateway.api.metric("gaugehouse_delivery_failing", delivery="lake") == 1
    for verb in ("pause", "resume", "restart"):
        answer = gateway.api.request("POST", f"{DELIVERIES}/lake/{verb}")
        assert answer.status_code == 409 and "delete it" in answer.json()["detail"]
    assert "invalid" in ask(gateway, "list").stdout
    ask(gateway, "delete", "lake")
    assert gateway.api.get(DELIVERIES) == {"deliveries": []} and "warnings" not in gateway.api.get("/-/ready")
    gateway.restart()
    assert gateway.api.get(DELIVERIES) == {"deliveries": []}


def test_a_destination_that_fails_is_told_everywhere_and_catches_up(
    gateway: Gateway, lake: pathlib.Path, browser: Browser
) -> None:
    """The gateway stays ready; /-/ready, /metrics, the command line and the dashboard say what is wrong, until it is not."""
    lake.write_text("a file where the folder should be")
    create(gateway, lake)
    wait_until(lambda: "begun" in events(gateway), "it has begun")
    expected = write(gateway, 1)
    wait_until(lambda: task(gateway)["error"] == "INVALID_DESTINATION", "the error is told")
    ready = gateway.api.get("/-/ready")
    assert ready["ready"] and ready["warnings"][0]["part"] == "delivery"
    assert ready["warnings"][0]["reason"].startswith("lake: INVALID_DESTINATION: ")
    assert gateway.api.stats()["warnings"] == ready["warnings"] and gateway.api.stats()["ready"]
    assert gateway.api.metric("gaugehouse_delivery_error", delivery="lake", error="INVALID_DESTINATION") == 1
    assert gateway.api.metric("gaugehouse_delivery_error", delivery="lake", error="UNREACHABLE") == 0
    assert gateway.api.metric("gaugehouse_delivery_failing", delivery="lake") == 1
    assert gateway.api.metric("gaugehouse_delivery_phase", delivery="lake", phase="INCR") == 1
    assert "INVALID_DESTINATION" in ask(gateway, "list").stdout
    shown = ask(gateway, "show", "lake").stdout
    assert "INVALID_DESTINATION: " in shown and "failed" in shown

    browser.open(gateway.api.url)
    wait_until(lambda: "A delivery needs attention" in browser.text("#notices"), "the first page says so")
    assert browser.text("#pulse b") == "ready" and browser.all("#pulse .dot.warn")
    browser.open(f"{gateway.api.url}/#/storage")
    wait_until(lambda: browser.all("#deliveries .pill.bad"), "it stands out")
    browser.click('[data-delivery="lake"]')
    wait_until(lambda: "failed" in browser.text("#delivery-history"), "its history is there")
    assert browser.texts(".verbs pre") == [f"gaugehouse deliver {verb} lake" for verb in ("pause", "restart", "delete")]
    browser.click("dialog .actions button")

    lake.unlink()
    wait_for_rows(gateway, 1)
    check_rows(rows_by_pyarrow(lake), expected, "pyarrow")
    wait_until(lambda: events(gateway)[:2] == ["recovered", "failed"], "the history tells its end")
    assert task(gateway)["error"] == "OK"
    assert gateway.api.get("/-/ready") == {"ready": True}
    assert gateway.api.metric("gaugehouse_delivery_error", delivery="lake", error="INVALID_DESTINATION") == 0
    assert gateway.api.metric("gaugehouse_delivery_sync_point_timestamp_seconds", delivery="lake") > time.time() - 60
    wait_until(lambda: not browser.all(".notice") and browser.all("#deliveries .pill.good"), "the page knows it, too")
    assert browser.errors() == []


@pytest.mark.parametrize("width", [390, 1440])
def test_the_dashboard_shows_deliveries(gateway: Gateway, lake: pathlib.Path, browser: Browser, width: int) -> None:
    create(gateway, lake, name="first-of-them-al", prefix="a=$yyyy/b=$MM/c=$dd/d=$HH")
    create(gateway, lake.with_name("pool"), name="pool")
    change(gateway, "pause", "pool")
    wait_until(lambda: "begun" in events(gateway, "first-of-them-al"), "it has begun")
    write(gateway, 1, 2)
    wait_for_rows(gateway, 2, "first-of-them-al")
    browser.command("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=2, mobile=width < 500)
    browser.open(f"{gateway.api.url}/#/storage")
    wait_until(lambda: len(browser.all("#deliveries tbody tr")) == 2, "both are listed")
    assert browser.texts("#deliveries [data-delivery]") == ["pool", "first-of-them-al"], "what needs somebody stands first"
    assert browser.texts("#deliveries .pill")[0] == "paused" and not browser.all(".notice")
    browser.click('[data-delivery="first-of-them-al"]')
    text = wait_until(lambda: browser.text("dialog"), "the dialog opens")
    last = task(gateway, "first-of-them-al")["last_object"]
    for word in (f"file://{lake}", "a=$yyyy/b=$MM/c=$dd/d=$HH", "the API", "1 objects, 2 rows", "begun", last):
        assert word in text, word
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert browser.run("return document.querySelector('dialog').getBoundingClientRect().right") <= width
    assert browser.errors() == []


# The command line


def test_the_verb_creates_shows_changes_and_deletes(gateway: Gateway, lake: pathlib.Path, tmp_path: pathlib.Path) -> None:
    assert ask(gateway, "list").stdout == "no deliveries\n"
    flags = ["--mode", "incremental", "--max-object-age", "1s", "--max-object-bytes", "1MiB", "--prefix", "table=$table/day=$dd"]
    flags += ["--prefix-time", "write", "--encoding", "plain", "--compression-level", "5", "--bucket-column", "--table", "telemetry"]
    made = ask(gateway, "create", "lake", "--destination", f"file://{lake}", *flags)
    assert made.stdout == f"lake delivers to file://{lake}\n"
    wait_until(lambda: "begun" in events(gateway), "it has begun")
    write(gateway, 1, 2)
    wait_for_rows(gateway, 2)
    assert object_files(lake)[0].parent.parent.name == "table=telemetry"
    [saved] = json.loads((gateway.folder / "store/delivery-tasks").read_text())["tasks"]
    assert saved == {
        "name": "lake", "destination": f"file://{lake}", "table": "telemetry", "mode": "incremental", "max_object_age": "1s",
        "max_object_bytes": "1MiB", "prefix": "table=$table/day=$dd", "prefix_time": "write", "encoding": "plain",
        "compression_level": 5, "bucket_column": True,
    }  # fmt: skip

    lines = [re.split(r" {2,}", line) for line in ask(gateway, "list").stdout.splitlines()]
    assert lines[0] == ["DELIVERY", "TABLE", "MODE", "PHASE", "STATE", "BEHIND", "OBJECTS", "ROWS", "SIZE", "ERROR"]
    assert lines[1][:4] == ["lake", "telemetry", "incremental", "INCR"] and lines[1][-1] == "OK"
    assert ask(gateway, "list", "--names").stdout == "lake\n"
    assert ask(gateway, "list", "--table", "other").stdout == "no deliveries\n"
    assert json.loads(ask(gateway, "list", "--json").stdout) == gateway.api.get(DELIVERIES, time="rfc3339")
    assert json.loads(ask(gateway, "show", "lake", "--json").stdout)["history"][0]["event"] == "begun"
    shown = ask(gateway, "show", "lake").stdout
    assert re.search(r"(?m)^objects +1, 2 rows, ", shown) and re.search(r"(?m)^defined by +api$", shown)
    assert "TIME (UTC)" in shown and "begun" in shown

    assert ask(gateway, "pause", "lake").stdout == "lake is paused\n"
    assert ask(gateway, "resume", "lake").stdout == "lake goes on\n"
    refused = ask(gateway, "restart", "lake", code=64)
    assert "--yes" in refused.stderr and "restarted" not in events(gateway)
    assert ask(gateway, "restart", "lake", "--yes").stdout == "lake has begun anew\n"
    assert "restarted" in events(gateway)
    assert ask(gateway, "delete", "lake").stdout == "lake is deleted\n"

    file = tmp_path / "lake.json"
    file.write_text(json.dumps(definition(lake, name="from-a-file")))
    assert json.loads(ask(gateway, "create", "--from", str(file), "--json").stdout)["name"] == "from-a-file"


def on_terminal(words: str, *arguments: str) -> tuple[str, int]:
    """What the program says to somebody at a terminal who types `words`, and its exit code."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(GAUGEHOUSE, [GAUGEHOUSE, "deliver", *arguments])
    output = b""
    try:
        while b"[y/N]" not in output:
            output += os.read(terminal, 1_024)
        os.write(terminal, words.encode())
        while part := os.read(terminal, 1_024):
            output += part
    except OSError:
        pass  # The other end is closed.
    status = os.waitpid(pid, 0)[1]
    os.close(terminal)
    return output.decode(), os.waitstatus_to_exitcode(status)


def test_a_restart_is_asked_for_twice(gateway: Gateway, lake: pathlib.Path) -> None:
    create(gateway, lake)
    for words in ("n\n", "\n", "yep\n"):
        output, code = on_terminal(words, "restart", "lake", "--url", gateway.api.url)
        assert code == 64 and "nothing is changed" in output, output
    assert "restarted" not in events(gateway)
    output, code = on_terminal("y\n", "restart", "lake", "--url", gateway.api.url)
    assert code == 0 and "lake has begun anew" in output and "restarted" in events(gateway)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["show", "nobody"], 66, ["There is no delivery nobody"]),
        (["delete", "nobody"], 66, ["There is no delivery nobody"]),
        (["pause", "nobody"], 66, ["nobody"]),
        (["show", ".."], 64, ["name of a delivery"]),
        (["show", "a/b?c#d"], 66, ["There is no delivery a/b?c#d"]),
        (["show", "\x1b[31m"], 66, ["\\u{1b}[31m"]),
        (["show", "lake", "--table", "x"], 64, ["no --table here"]),
        (["ddl", "lake", "--engine", "abacus"], 64, ["engine must be one of", "[--engine]"]),
        (["create"], 64, ["name of the delivery is missing"]),
        (["create", "lake"], 64, ["--destination"]),
        (["create", "x", "--destination", "file:///tmp/x"], 64, ["3 to 16", "[name]"]),
        (["create", "abc", "--destination", "nowhere"], 64, ["[--destination]"]),
        (["create", "abc", "--destination", "s3://b", "--mode", "never"], 64, ["[--mode]"]),
        (["create", "abc", "--destination", "s3://b", "--max-object-bytes", "5"], 64, ["[--max-object-bytes]"]),
        (["create", "abc", "--destination", "s3://b", "--s3", "nobody"], 64, ["nobody", "[--s3]"]),
        (["create", "abc", "--destination", "s3://b", "--compression-level", "99"], 64, ["[--compression-level]"]),
        (["create", "abc", "--from", "x.json"], 64, ["no others"]),
        (["create", "--from", "/nonexistent.json"], 66, ["/nonexistent.json"]),
        (["create", "--from", "/dev/null"], 64, ["not JSON"]),
    ],
)
def test_what_is_wrong_is_said(shared: Gateway, arguments: list[str], code: int, words: list[str]) -> None:
    done = ask(shared, *arguments, code=code)
    assert done.stdout == "" and all(word in done.stderr for word in words), done.stderr


@pytest.fixture(scope="module")
def shared(shared_bench: Bench) -> Gateway:
    """For what changes nothing."""
    gateway = shared_bench.gateway(has_broker=False)
    gateway.start()
    return gateway


def test_only_admins_change_deliveries(bench: Bench, lake: pathlib.Path) -> None:
    """A reader of everything sees them; who reads some devices, or writes, is not even told their names."""
    tokens = bench.folder / "tokens"

    def make(name: str, scope: str, *more: str) -> dict[str, str]:
        made = run(GAUGEHOUSE, "token", "create", "--file", tokens, "--name", name, "--scope", scope, *more)
        assert made.returncode == 0, made.stderr
        return {"Authorization": f"Bearer {made.stdout.strip()}"}

    admin, reader, writer = make("admin", "admin"), make("reader", "read"), make("writer", "write")
    line = make("line", "read", "--device-prefix", "line1/")
    gateway = bench.gateway(has_broker=False)
    gateway.sections["[http]"]["token_file"] = str(tokens)
    gateway.start()

    def status(method: str, path: str, headers: dict[str, str], **options: Any) -> int:
        answer: requests.Response = gateway.api.request(method, DELIVERIES + path, headers=headers, **options)
        assert answer.status_code < 400 or "lake" not in answer.text
        return answer.status_code

    body = definition(lake)
    for nobody in (reader, writer, line, {}):
        assert status("POST", "", nobody, json=body) == (403 if nobody else 401)
    assert status("POST", "", admin, json=body) == 201
    for path in ("", "/lake", "/lake/ddl?engine=x"):
        assert [status("GET", path, who) for who in (writer, line, {})] == [403, 403, 401]
        assert status("GET", path, reader) == status("GET", path, admin) == (400 if "ddl" in path else 200)
    for method, path in (("POST", "/lake/pause"), ("POST", "/lake/resume"), ("POST", "/lake/restart"), ("DELETE", "/lake")):
        assert [status(method, path, who) for who in (reader, writer, line, {})] == [403, 403, 403, 401]
    assert status("DELETE", "/lake", admin) == 204
    assert f"audit: token admin from 127.0.0.1: DELETE {DELIVERIES}/lake: 204" in gateway.log_text()
