"""What an operator gets wrong is said clearly, with an exit code of sysexits, and costs no data."""

import pathlib
import re
import socket

import pytest

from conftest import Bench
from harness.gateway import Gateway, reading
from harness.program import GAUGEHOUSE, run
from harness.waiting import now_ms, wait_until

WRONG = """\
[store]
pth = "/tmp/somewhere"
durability = "sometimes"
commit_interval = 2

[[table]]
name = "telemetry"
ttl = "forever"
buckets = 0
max_versions = "many"

[mqtt]
port = 70000
[[mqtt.subscription]]
topic = "devices/{device"
qos = 2
table = "telemetri"

[http]
listen = "nowhere"

[[delivery]]
name = "A!"
age = -1
destination = "ftp://example.net"

[serial]
"""
# Line, and a word that the message must have.
MISTAKES = {
    2: 'did you mean "path"',
    3: "fsync",
    4: "duration",
    8: "forever",
    9: "1024",
    10: "integer",
    13: "65535",
    15: "{device",
    16: "qos",
    17: 'did you mean "telemetry"',
    20: "nowhere",
    23: "A!",
    24: "duration",
    25: "file://",
    27: "serial",
}


@pytest.mark.parametrize("verb", ["serve", "check-config"])
def test_all_mistakes_of_a_configuration_are_told_at_once(tmp_path: pathlib.Path, verb: str) -> None:
    """One line each, with file and line, in the order of the file; exit code 78."""
    config = tmp_path / "wrong.toml"
    config.write_text(WRONG)
    done = run(GAUGEHOUSE, verb, "--config", config)
    assert (done.returncode, done.stdout) == (78, ""), done
    messages = done.stderr.splitlines()
    lines = []
    for message in messages:
        found = re.match(re.escape(str(config)) + r":(\d+): ", message)
        assert found, f"no file and line: {message}"
        lines.append(int(found.group(1)))
        assert MISTAKES[lines[-1]] in message, message
    assert lines == sorted(lines) and set(lines) == MISTAKES.keys()


def test_what_is_no_configuration_is_told_apart(tmp_path: pathlib.Path) -> None:
    """A missing file, one that is not TOML, a wrong flag and a wrong variable: each named, exit code 78."""
    missing, broken, empty = tmp_path / "missing.toml", tmp_path / "broken.toml", tmp_path / "empty.toml"
    broken.write_text('[store]\npath = "/tmp\n')
    empty.write_text("")
    cases: list[tuple[pathlib.Path, list[str], dict[str, str], str]] = [
        (missing, [], {}, f"{missing}: cannot be read"),
        (broken, [], {}, f"{broken}:2: not TOML"),
        (empty, ["--set", "store.path"], {}, "--set store.path: expected SECTION.KEY=VALUE"),
        (empty, ["--set", "table.0.ttl=never"], {}, "--set table.0.ttl: ttl: expected a duration"),
        (empty, [], {"GAUGEHOUSE_STORE__PTH": "/tmp"}, 'GAUGEHOUSE_STORE__PTH: unknown key "pth"'),
    ]
    for config, flags, variables, message in cases:
        done = run(GAUGEHOUSE, "check-config", "--config", config, *flags, variables=variables)
        assert done.returncode == 78 and message in done.stderr, done


def check_refusal(gateway: Gateway, code: int, *words: str) -> None:
    """The gateway ends by itself with a message that has all of the words."""
    gateway.spawn_serve()
    assert gateway.wait() == code, gateway.log_text()
    message = gateway.log_text().splitlines()[-1]
    assert message.startswith("gaugehouse: ") and all(word in message for word in words), gateway.log_text()


def test_a_port_in_use_is_named(bench: Bench) -> None:
    """Exit code 69; the store is closed cleanly, and opens with another port."""
    gateway = bench.gateway(has_broker=False)
    with socket.create_server(("127.0.0.1", gateway.port)):
        check_refusal(gateway, 69, f"127.0.0.1:{gateway.port}", "in use")
    gateway.start()


def test_two_gateways_do_not_share_a_store(bench: Bench) -> None:
    """The second one names the first one's process and ends with exit code 75; the first one goes on."""
    first, second = bench.gateway("first", has_broker=False), bench.gateway("second", has_broker=False)
    first.start()
    second.sections["[store]"]["path"] = first.sections["[store]"]["path"]
    check_refusal(second, 75, str(first.sections["[store]"]["path"]), f"process {first.pid}")
    first.api.write(reading("d", None, n=1))
    assert first.api.latest("d") == {"n": 1}
    first.kill()
    second.start()
    assert second.api.latest("d") == {"n": 1}, "the lock of a killed gateway is gone with it"


def test_a_directory_that_cannot_be_used_is_named(bench: Bench) -> None:
    """A file where a directory should be: exit code 73."""
    gateway = bench.gateway(has_broker=False)
    blocking = gateway.folder / "file"
    blocking.write_text("")
    for path in (blocking, blocking / "store"):
        gateway.sections["[store]"]["path"] = str(path)
        check_refusal(gateway, 73, str(blocking), "Not a directory")


def test_options_that_contradict_the_store_are_named(bench: Bench) -> None:
    """Buckets and partition length are fixed when a table is created: exit code 78, and nothing is changed."""
    gateway = bench.gateway(has_broker=False)
    gateway.start()
    gateway.api.write(reading("d", None, n=1))
    assert gateway.stop() == 0
    table = gateway.sections["[[table]]"]
    for key, value in (("buckets", 32), ("partition", "2h")):
        gateway.sections["[[table]]"] = table | {key: value}
        check_refusal(gateway, 78, "telemetry", key)
    gateway.sections["[[table]]"] = table
    gateway.start()
    assert gateway.api.latest("d") == {"n": 1}


def test_sigterm_stops_cleanly_and_a_restart_finds_everything(bench: Bench, gateway: Gateway) -> None:
    """Exit code 0; rows, devices with their counts, latest values and partitions are as they were."""
    now, api = now_ms(), gateway.api
    for hour in range(2, 7):
        api.write(*(reading(f"d-{n % 9}", now - hour * 3_600_000 - n, n=n, **{f"f{hour}": n / 2}) for n in range(500)))

    def everything() -> dict[str, object]:
        return {
            "rows": {device["id"]: api.rows(device["id"]) for device in api.devices()},
            "latest": api.get("/api/v1/latest"),
            "devices": api.devices(),
            "fields": [api.device(device["id"]) for device in api.devices()],
            "tables": {key: value for key, value in api.table().items() if key != "bytes"},
            "partitions": [
                {key: partition[key] for key in ("start", "end", "state", "rows")} for partition in api.partitions()
            ],
            "sequence": api.stats()["sequence"],
        }

    wait_until(lambda: {partition["state"] for partition in api.partitions()} == {"sealed"}, "the past is sealed")
    before = everything()
    assert gateway.stop() == 0 and "stopped" in gateway.log_text().splitlines()[-1]
    gateway.start()
    assert everything() == before
    gateway.kill()
    gateway.start()
    assert everything() == before
