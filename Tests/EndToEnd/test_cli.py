"""The command line asks and writes at a real gateway: forms, pages, errors, exit codes, completion."""

import csv
import io
import json
import os
import pathlib
import pty
import re
import select
import subprocess
import time
from collections.abc import Iterator

import pytest

from conftest import Bench
from harness.gateway import Gateway, reading
from harness.program import GAUGEHOUSE, run

NOW = int(time.time())
HOSTILE = 'évil \x1b[31m"x",\n\u202e'
ZONE = {"TZ": "UTC"}


@pytest.fixture(scope="module")
def gateway(shared_bench: Bench) -> Iterator[Gateway]:
    """Two devices, a value a second for two minutes; and one that wants to command the terminal."""
    gateway = shared_bench.gateway(has_broker=False)
    gateway.start()
    for device in ("line1/oven", "line1/press"):
        gateway.api.write(*(reading(device, (NOW - age) * 1_000, temp=100 - age, state="on") for age in range(120)))
    gateway.api.write(reading(HOSTILE, NOW * 1_000, **{"t\x1b[2J": 1, "note": "a\tb\x07"}))
    yield gateway


def ask(gateway: Gateway, *arguments: str, code: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
    done = run(GAUGEHOUSE, *arguments, "--url", gateway.api.url, variables=ZONE | variables)
    assert done.returncode == code, f"{arguments}: {done}"
    return done


def cells(text: str) -> list[list[str]]:
    return [re.split(r" {2,}", line.strip()) for line in text.splitlines()]


def test_query_prints_a_table_of_one_device(gateway: Gateway) -> None:
    table = cells(ask(gateway, "query", "line1/press", "--field", "temp,state", "--limit", "2").stdout)
    times = [time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(NOW - age)) for age in range(2)]
    assert table == [["TIME (UTC)", "temp", "state"], [times[0], "100", "on"], [times[1], "99", "on"]]


def test_query_follows_pages_up_to_the_limit(gateway: Gateway) -> None:
    """A limit beyond a page's is asked page by page; what is left is told on standard error."""
    full = ask(gateway, "query", "--prefix", "line1/", "--csv", "--limit", "1000000")
    rows = list(csv.DictReader(io.StringIO(full.stdout)))
    assert len(rows) == 240 and full.stderr == ""
    assert {row["device"] for row in rows} == {"line1/oven", "line1/press"}
    part = ask(gateway, "query", "--prefix", "line1/", "--csv", "--limit", "130")
    assert list(csv.DictReader(io.StringIO(part.stdout))) == rows[:130]
    assert "more rows follow" in part.stderr


def test_query_aggregates_and_filters(gateway: Gateway) -> None:
    options = ["--start", "-10m", "--step", "1h", "--agg", "max,count", "--field", "temp", "--fill", "none", "--json"]
    answer = json.loads(ask(gateway, "query", "line1/press", "line1/oven", *options, "--where", "temp <= 50").stdout)
    assert [series["device"] for series in answer["series"]] == ["line1/press", "line1/oven"]
    for series in answer["series"]:
        assert series["columns"] == ["time", "temp_max", "temp_count"]
        assert max(row[1] for row in series["rows"]) == 50 and sum(row[2] for row in series["rows"]) == 70
    both = ask(gateway, "query", "line1/press", "--where", "temp > 90", "--where", "temp < 93", "--csv", "--field", "temp")
    assert [row.split(",")[2] for row in both.stdout.splitlines()] == ["temp", "92", "91"]


def test_query_plots(gateway: Gateway) -> None:
    done = ask(gateway, "query", "line1/press", "--plot", "--field", "temp,state", COLUMNS="60")
    lines = done.stdout.splitlines()
    assert lines[0] == "line1/press temp  min -19 · avg 40.5 · max 100 · 120 values"
    assert len(lines) == 16 and all(len(line) <= 60 for line in lines)
    assert lines[1].lstrip().startswith("100 ┤") and lines[13].lstrip().startswith("-19 ┤")
    assert any("\u2801" <= letter <= "\u28ff" for letter in done.stdout)
    assert time.strftime("%H:%M:%S", time.gmtime(NOW - 119)) in lines[15]


def test_latest_of_one_of_some_and_of_all(gateway: Gateway) -> None:
    one = cells(ask(gateway, "latest", "line1/press").stdout)
    assert one[0] == ["FIELD", "VALUE", "TIME (UTC)", "AGE"]
    assert [line[:2] for line in one[1:]] == [["state", "on"], ["temp", "100"]]
    assert all(re.fullmatch(r"\d+ (s|min) ago", line[3]) for line in one[1:])
    some = cells(ask(gateway, "latest", "line1/press", "line1/oven", "--field", "temp").stdout)
    assert some[0] == ["DEVICE", "AGE", "temp"] and [line[0] for line in some[1:]] == ["line1/press", "line1/oven"]
    fleet = ask(gateway, "latest", "--prefix", "line1/", "--limit", "1")
    assert "line1/oven" in fleet.stdout and "line1/press" not in fleet.stdout and "more devices" in fleet.stderr
    answer = json.loads(ask(gateway, "latest", "--json").stdout)
    assert answer == gateway.api.get("/api/v1/latest", time="rfc3339")


def test_devices_and_tables(gateway: Gateway) -> None:
    devices = cells(ask(gateway, "devices", "--prefix", "line1/", "--state", "online").stdout)
    assert devices[0] == ["DEVICE", "STATE", "LAST SEEN", "FIRST SEEN", "READINGS"]
    assert [(line[0], line[1], line[4]) for line in devices[1:]] == [
        ("line1/oven", "online", "120"),
        ("line1/press", "online", "120"),
    ]
    assert ask(gateway, "devices", "--prefix", "line1/", "--ids").stdout == "line1/oven\nline1/press\n"
    rows = list(csv.DictReader(io.StringIO(ask(gateway, "devices", "--csv").stdout)))
    assert [row["id"] for row in rows] == [device["id"] for device in gateway.api.devices()]
    tables = cells(ask(gateway, "tables").stdout)
    assert tables[0][:6] == ["TABLE", "TTL", "DEVICES", "FIELDS", "ROWS", "SIZE"]
    assert tables[1][:5] == ["telemetry", "30 d", "3", "4", "241"]


def test_hostile_names_do_not_reach_the_terminal(gateway: Gateway) -> None:
    for arguments in (["devices"], ["devices", "--ids"], ["latest"], ["latest", HOSTILE], ["query", HOSTILE], ["query", HOSTILE, "--plot"]):
        text = ask(gateway, *arguments).stdout
        assert "\x1b" not in text and "\x07" not in text and "\u202e" not in text, text
        assert "\\u{1b}" in text, text
    unknown = ask(gateway, "latest", "no\x1b[31m", code=66).stderr
    assert "\x1b" not in unknown and "\\u{1b}[31m" in unknown


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["query", "line1/press", "--step", "never"], 64, ["Invalid parameter: ", "step must be", "[--step]"]),
        (["query", "line1/press", "--field", "nothing"], 64, ["has no field nothing", "[--field]"]),
        (["query", "line1/press", "--start", "yesterday"], 64, ["start must be", "[--start]"]),
        (["query", "line1/press", "--end", "-2h"], 64, ["start must not be later", "[--start]"]),
        (["query", "line1/press", "--fill", "null"], 64, ["[--fill]"]),
        (["query", "line1/press", "--step", "1ms", "--start", "-1d"], 64, ["smallest step", "[--step]"]),
        (["query", "line1/press", "--where", "temp"], 64, ["no condition such as", "[--where]"]),
        (["query", "line1/press", "--where", "nothing > 1"], 64, ["no field nothing", "[--where]"]),
        (["query", "line1/press", "--limit", "0"], 64, ["--limit is at least 1"]),
        (["query", "line1/press", "--order", "up"], 64, ["order must be one of desc, asc", "[--order]"]),
        (["query", "line1/press", "--plot", "--csv"], 64, ["exclude each other"]),
        (["query", "line1/press", "--prefix", "x"], 64, ["exclude each other"]),
        (["query", "nobody"], 66, ["nobody"]),
        (["query", "line1/press", "--table", "none"], 66, ["no table none", "[--table]"]),
        (["latest", "nobody"], 66, ["nobody"]),
        (["latest", "line1/press", "nobody"], 66, ["nobody"]),
        (["devices", "--state", "dead"], 64, ["state must be one of", "[--state]"]),
        (["devices", "--sort", "size"], 64, ["[--sort]"]),
        (["tables", "--table", "x"], 64, ["no --table here"]),
        (["latest", "--token-file", "/nonexistent"], 66, ["/nonexistent", "[--token-file]"]),
        (["latest", "--token", "a", "--token-file", "b"], 64, ["exclude each other"]),
        (["write", "/nonexistent.csv"], 66, ["/nonexistent.csv"]),
        (["write", "--format", "xml"], 64, ["xml"]),
    ],
)
def test_what_is_wrong_is_said_with_the_flag(gateway: Gateway, arguments: list[str], code: int, words: list[str]) -> None:
    done = ask(gateway, *arguments, code=code)
    assert done.stdout == "" and all(word in done.stderr for word in words), done.stderr


def write(gateway: Gateway, body: str | bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [GAUGEHOUSE, "write", "--url", gateway.api.url, *arguments]
    data = body.encode() if isinstance(body, str) else body
    return subprocess.run(command, input=data, capture_output=True, timeout=60, check=False)


READING = '{{"device":"w {name}","time":{ms},"fields":{{"v":1}}}}'


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("json", f"[{READING}", ',{{"device":"w {name}","time":{ms}00000,"fields":{{"v":2}}}}]'),
        ("ndjson", f"{READING}\n", '{{"device":"w {name}"}}\n'),
        ("csv", "device,time,v\nw {name},{ms},1\n", "w {name},yesterday,2\n"),
        ("line", "v,device=w\\ {name} v=1 {ms}000000\n", "v,device=w\\ {name} v=\n"),
    ],
)
def test_write_stores_the_good_and_tells_of_the_others(
    gateway: Gateway, tmp_path: pathlib.Path, name: str, good: str, bad: str
) -> None:
    good, bad = (text.format(name=name, ms=NOW * 1_000) for text in (good, bad))
    done = write(gateway, good + bad, "--format", name)
    assert done.returncode == 65, done
    lines = done.stdout.decode().splitlines()
    assert lines[0] == "1 rejected, 1 stored:" and len(lines) == 3
    place = {"json": "reading 2", "ndjson": "line 2", "csv": "line 3", "line": "line 2"}[name]
    assert lines[2].startswith(place + " ")
    [row] = gateway.api.rows(f"w {name}", end="now+1d")
    assert row.pop("time") == NOW * 1_000_000 and list(row.values()) == [1]
    report = json.loads(write(gateway, good + bad, "--format", name, "--json").stdout)
    assert report["rejected"] == 1 and report["accepted"] == 1 and len(report["errors"]) == 1
    # A file's ending tells its format.
    file = tmp_path / f"good.{'lp' if name == 'line' else name}"
    file.write_text(good + ("]" if name == "json" else ""))
    assert ask(gateway, "write", str(file)).stdout == "all stored\n"


def test_write_sends_a_big_file_in_pieces(gateway: Gateway) -> None:
    """12 MB: more than one body may have; the only bad line is told by its number in the file."""
    count = 200_000
    lines = [f"m,device=big v={number},text=\"{'x' * 20}\" {(NOW - 3600) * 1_000_000 + number}" for number in range(count)]
    lines[150_000] = "m,device=big v=bad"
    done = write(gateway, "\n".join(lines), "--format", "line", "--precision", "us", "--json")
    assert done.returncode == 65, done.stderr
    report = json.loads(done.stdout)
    assert report["rejected"] == 1 and report["errors"][0]["line"] == 150_001
    device = next(device for device in gateway.api.devices() if device["id"] == "big")
    assert device["readings"] == count - 1


def test_write_sends_many_short_lines_in_pieces(gateway: Gateway, tmp_path: pathlib.Path) -> None:
    """1 MB: more readings than one body may have. From a pipe of the shell, too."""
    file = tmp_path / "short.csv"
    file.write_text("device,v\n" + "".join(f"short-{number % 7},{number}\n" for number in range(70_000)))
    command = f"'{GAUGEHOUSE}' write <(cat '{file}') --format csv --url {gateway.api.url}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "all stored\n"), done
    assert sum(device["readings"] for device in gateway.api.devices() if device["id"].startswith("short-")) == 70_000


def test_write_without_a_gateway_or_without_input(gateway: Gateway) -> None:
    assert write(gateway, "").returncode == 65
    away = subprocess.run([GAUGEHOUSE, "write", "--url", "http://127.0.0.1:1"], input=b"{}", capture_output=True, check=False)
    assert away.returncode == 69 and b"is the gateway running?" in away.stderr


def on_terminal(*arguments: str, **variables: str) -> str:
    """What the program prints to a terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(GAUGEHOUSE, [GAUGEHOUSE, *arguments], os.environ | ZONE | {"TERM": "xterm"} | variables)
    output = b""
    while select.select([terminal], [], [], 30)[0]:
        try:
            part = os.read(terminal, 65_536)
        except OSError:
            break
        if not part:
            break
        output += part
    os.waitpid(pid, 0)
    os.close(terminal)
    return output.decode()


def test_colours_are_for_terminals_only(gateway: Gateway) -> None:
    arguments = ["devices", "--prefix", "line1/", "--url", gateway.api.url]
    assert "\x1b[32monline\x1b[0m" in on_terminal(*arguments)
    assert "\x1b" not in on_terminal(*arguments, NO_COLOR="1")
    assert "\x1b" not in on_terminal(*arguments, TERM="dumb")
    assert "\x1b" not in ask(gateway, "devices").stdout


def test_completion_runs_nothing_that_a_device_is_called(gateway: Gateway, tmp_path: pathlib.Path) -> None:
    """bash expands what it offers, and whoever may publish names devices."""
    mark = tmp_path / "run"
    for device in (f"press-$(touch${{IFS}}{mark})", f"press-`touch {mark}`", "press-'", 'press-"', "press-8", "press-1 2"):
        gateway.api.write(reading(device, NOW * 1_000, v=1))
    (tmp_path / "gaugehouse").symlink_to(GAUGEHOUSE)
    steps = [
        "source <(gaugehouse --generate-completion-script bash)",
        "COMP_WORDS=(gaugehouse latest press-) COMP_CWORD=2 COMP_LINE='gaugehouse latest press-' COMP_POINT=24 COMP_TYPE=9",
        "_gaugehouse gaugehouse press- latest",
        'printf "%s\\n" "${COMPREPLY[@]}"',
    ]
    variables = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GAUGEHOUSE_URL": gateway.api.url}
    shell = subprocess.run(["bash", "-c", "\n".join(steps)], env=variables, capture_output=True, text=True, check=False)
    assert shell.stdout.split() == ["press-8"], shell
    assert not mark.exists()


def test_output_that_is_not_taken_is_an_error(gateway: Gateway) -> None:
    for arguments in (["devices"], ["query", "line1/press", "--csv"], ["latest", "--json"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [GAUGEHOUSE, *arguments, "--url", gateway.api.url], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 74 and "cannot write the output" in done.stderr, done


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_know_the_verbs(shell: str) -> None:
    script = run(GAUGEHOUSE, "--generate-completion-script", shell)
    assert script.returncode == 0
    for word in ("query", "latest", "devices", "tables", "write", "precision", "gaugehouse devices --words", "gaugehouse deliver list --names"):
        assert word in script.stdout, word
    if shell == "bash":
        checked = subprocess.run(["bash", "-n"], input=script.stdout, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
