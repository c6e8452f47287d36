"""The live tail from MQTT to the client: what comes, what comes back after a cut, and what a slow client is told."""

import itertools
import json
import os
import signal
import subprocess
import time

from conftest import Bench
from harness.gateway import Gateway, reading
from harness.live import LiveClient
from harness.program import GAUGEHOUSE, run
from harness.publisher import Publisher, topic
from harness.waiting import now_ms, wait_until


def resident_bytes(gateway: Gateway) -> int:
    with open(f"/proc/{gateway.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def client_count(gateway: Gateway) -> int:
    metrics = gateway.api.request("GET", "/metrics").text
    return next(int(line.split()[1]) for line in metrics.splitlines() if line.startswith("gaugehouse_live_clients "))


def test_a_published_reading_appears_at_once(bench: Bench, gateway: Gateway) -> None:
    """From publishing to the event, with the values of the message and a sequence number."""
    with LiveClient(gateway.port) as live, Publisher(bench.broker.port) as publisher:
        assert next(live.events).name == "stats", "the first event says where the stream begins"
        news = live.news()
        delays = []
        for number in range(10):
            start, now = time.monotonic(), now_ms()
            publisher.publish(topic("dev \"1\" ü"), {"ts": now, "temp": 21.5, "n": number, "text": "a\nb\u2028"})
            event = next(news)
            delays.append(time.monotonic() - start)
            assert event.id == str(number + 1)
            assert event.data == {
                "device": "dev \"1\" ü",
                "table": "telemetry",
                "time": now,
                "values": {"n": number, "temp": 21.5, "text": "a\nb\u2028"},
            }
        # The best of some: other processes may have the machine for a while.
        assert min(delays) < 0.1, delays


def test_a_redelivered_message_is_no_event(bench: Bench, gateway: Gateway) -> None:
    now = now_ms()
    with LiveClient(gateway.port) as live, Publisher(bench.broker.port) as publisher:
        news = live.news()
        for number in (1, 1, 2):
            publisher.publish(topic("d"), {"ts": now + number, "n": number})
        assert [next(news).data["values"]["n"] for _ in range(2)] == [1, 2]


def test_a_cut_connection_resumes_without_loss_or_doubles(bench: Bench, gateway: Gateway) -> None:
    """Cut again and again while messages come; what the connections brought adds up to all of them, once."""
    count, last, seen = 3_000, "0", []
    # From the beginning: whoever was never connected has no id.
    with LiveClient(gateway.port) as live:
        next(live.events)
        with Publisher(bench.broker.port) as publisher:
            for number in range(count):
                publisher.send(topic(f"d{number % 7}"), {"ts": now_ms(), "n": number, "text": "x" * 50})
            while len(seen) < count:
                with LiveClient(gateway.port, last_id=last) as again:
                    for event in itertools.islice(again.news(), min(400, count - len(seen))):
                        assert event.name == "reading", event
                        seen.append(event.data["values"]["n"])
                        last = event.id
    assert sorted(seen) == list(range(count))


def test_a_client_that_does_not_read_costs_nothing_and_is_told_what_it_missed(bench: Bench) -> None:
    """100 000 readings pass by: the gateway's memory stays, others are served, and the gap is exact."""
    count, batch = 100_000, 500
    gateway = bench.gateway(has_broker=False)
    gateway.sections["[http]"]["live_buffer"] = "1MiB"
    gateway.start()
    start = now_ms() - 3_600_000 // 2
    with LiveClient(gateway.port, receive_buffer=4_096) as slow, LiveClient(gateway.port) as quick:
        next(slow.events)
        next(quick.events)

        def write(first: int) -> None:
            gateway.api.write(*(reading("d", start + n, n=n, text="x" * 100) for n in range(first, first + batch)))

        # Up to here everything that grows by itself has grown: heads, the ring, what the kernel holds for the sockets.
        for first in range(0, count // 2, batch):
            write(first)
        before = resident_bytes(gateway)
        others = [LiveClient(gateway.port, receive_buffer=4_096) for _ in range(50)]
        for first in range(count // 2, count, batch):
            write(first)
        # 50 000 rows in memory, and less than a chunk and its buffers for each of 50 clients that do not read.
        grown = resident_bytes(gateway) - before
        assert grown < 60 << 20, f"{grown >> 20} MiB more"
        for client in others:
            client.cut()

        for client in (slow, quick):
            shown, missed, expected = 0, 0, 1
            for event in client.news():
                if event.name == "gap":
                    assert event.data["exact"] is True
                    missed += event.data["dropped"]
                    expected += event.data["dropped"]
                    assert event.id == str(expected - 1)
                else:
                    assert event.id == str(expected) and event.data["values"]["n"] == expected - 1
                    shown, expected = shown + 1, expected + 1
                if shown + missed == count:
                    break
            assert shown + missed == count
            assert missed > 0 and shown > 0
    wait_until(lambda: client_count(gateway) == 0, "all clients are gone")


def test_a_killed_gateway_goes_on_where_it_was(bench: Bench, gateway: Gateway) -> None:
    """kill -9: numbers go on. A client that missed nothing sees no gap; one that did is told."""
    with Publisher(bench.broker.port) as publisher:
        with LiveClient(gateway.port) as live:
            news = live.news()
            for number in range(20):
                publisher.publish(topic("d"), {"ts": now_ms(), "n": number})
                last = next(news).id
            assert last == "20"
            gateway.kill()
            assert next(news, None) is None, "the stream ends with the process"
        gateway.start()
        with LiveClient(gateway.port, last_id=last) as same, LiveClient(gateway.port, last_id="5") as behind:
            publisher.publish(topic("d"), {"ts": now_ms(), "n": 20})
            event = next(same.news())
            assert (event.name, event.id, event.data["values"]) == ("reading", "21", {"n": 20})
            news = behind.news()
            gap, event = next(news), next(news)
            assert (gap.name, gap.id, gap.data) == ("gap", "20", {"dropped": 15, "exact": False})
            assert (event.name, event.id) == ("reading", "21")


def test_a_stopping_gateway_ends_the_streams(gateway: Gateway) -> None:
    with LiveClient(gateway.port) as live, LiveClient(gateway.port, receive_buffer=4_096):
        next(live.events)
        assert gateway.stop() == 0
        assert next(live.news(), None) is None


def test_tail_prints_readings_and_comes_back(bench: Bench, gateway: Gateway) -> None:
    """`gaugehouse tail`: aligned lines, JSON, CSV; a restart of the gateway costs nothing; Ctrl-C ends it."""

    def tail(*options: str) -> "subprocess.Popen[str]":
        command = [GAUGEHOUSE, "tail", "--url", gateway.api.url, *options]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def clients() -> bool:
        return client_count(gateway) == 3

    # Fields are asked for by name, so that they must be known.
    gateway.api.write(reading("x", None, n=0))
    filtered = tail("--json", "--device", "d1"), tail("--csv", "--prefix", "d", "--field", "n")
    with tail() as text, filtered[0] as objects, filtered[1] as csv:
        try:
            wait_until(clients, "three clients follow")
            now = now_ms()
            gateway.api.write(reading("d1", now, n=1, text='a,"b'), reading("device-2", now, n=2))
            assert text.stdout and objects.stdout and csv.stdout and text.stderr
            lines = [text.stdout.readline() for _ in range(2)]
            assert lines[0].split()[1:] == ["d1", "n=1", 'text=a,"b']
            assert lines[1].index("n=2") == lines[1].index("device-2") + len("device-2") + 2
            assert json.loads(objects.stdout.readline())["values"] == {"n": 1, "text": 'a,"b'}
            assert csv.stdout.readline() == "time,device,field,value\n"
            assert csv.stdout.readline().endswith(",d1,n,1\n")
            assert csv.stdout.readline().endswith(",device-2,n,2\n")

            gateway.restart()
            wait_until(clients, "three clients follow again")
            gateway.api.write(reading("d1", now + 1, n=3))
            assert text.stdout.readline().split()[1:] == ["d1", "n=3"]
            assert json.loads(objects.stdout.readline())["values"] == {"n": 3}
        finally:
            for process in (text, objects, csv):
                process.send_signal(signal.SIGINT)
        assert [process.wait(10) for process in (text, objects, csv)] == [0, 0, 0]
        assert "trying again" in text.stderr.read()


def test_tail_says_what_is_wrong(gateway: Gateway) -> None:
    for options, code, message in (
        (["--table", "nope"], 66, "no table nope"),
        (["--field", "nope"], 64, "no field nope"),
        (["--max-hz", "1000"], 64, "max_hz"),
        (["--device", "a,b"], 64, "comma"),
        (["--json", "--csv"], 64, "exclude"),
        (["--url", "http://127.0.0.1:1"], 69, "is the gateway running?"),
    ):
        url = [] if "--url" in options else ["--url", gateway.api.url]
        done = run(GAUGEHOUSE, "tail", *options, *url)
        assert done.returncode == code and message in done.stderr, (options, done)
