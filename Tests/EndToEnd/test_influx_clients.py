"""InfluxDB's own client libraries, unchanged, write into the gateway; and writers of every other kind of body."""

import gzip
import json
import time
from collections.abc import Iterator

import influxdb
import influxdb.exceptions
import influxdb_client
import pytest
from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.write_api import SYNCHRONOUS

from conftest import Bench
from harness.gateway import Gateway
from harness.waiting import wait_until

# Seconds, whole: the same time in every precision.
NOW = int(time.time()) - 60


@pytest.fixture(scope="module")
def gateway(shared_bench: Bench) -> Iterator[Gateway]:
    gateway = shared_bench.gateway(has_broker=False)
    gateway.sections["[[table]] # second"] = {"name": "metrics"}
    gateway.sections["[http]"] |= {"device_tag": "host"}
    gateway.start()
    yield gateway


def client_v1(gateway: Gateway, **options: object) -> influxdb.InfluxDBClient:
    return influxdb.InfluxDBClient("127.0.0.1", gateway.port, "user", "password", "metrics", retries=1, **options)


def client_v2(gateway: Gateway, **options: object) -> influxdb_client.InfluxDBClient:
    return influxdb_client.InfluxDBClient(gateway.api.url, token="any", org="org", timeout=30_000, **options)


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize(("precision", "unit"), [(None, 10**9), ("n", 10**9), ("u", 10**6), ("ms", 10**3), ("s", 1)])
def test_version_1_writes_points(gateway: Gateway, precision: str | None, unit: int, is_packed: bool) -> None:
    """Dictionaries, every precision, gzip; the database is a table's name."""
    host = f"v1 {precision},{is_packed}"
    point = {
        "measurement": "cpu load",
        "tags": {"host": host, "cpu": "cpu 0"},
        "fields": {"idle": 98.5, "count": 12, "ok": True, "note": 'a "quoted", text\\'},
        "time": NOW * unit,
    }
    assert client_v1(gateway, gzip=is_packed).write_points([point], time_precision=precision)
    device = host.replace(",", "\\,") + ",cpu=cpu 0"
    assert gateway.api.rows(device, table="metrics") == [
        {
            "time": NOW * 10**6,
            "cpu load.idle": 98.5,
            "cpu load.count": 12,
            "cpu load.ok": True,
            "cpu load.note": 'a "quoted", text\\',
        }
    ]


def test_version_1_sees_the_version_and_errors(gateway: Gateway) -> None:
    """`ping` gives a version; a partly bad body is an exception with InfluxDB's words."""
    client = client_v1(gateway)
    assert client.ping().startswith("1.8")
    with pytest.raises(influxdb.exceptions.InfluxDBClientError) as error:
        client.write([f"m,host=p v=1 {NOW}", "m,rack=r v=1", "m,host=p v="], {"precision": "s"}, protocol="line")
    assert error.value.code == 400
    assert json.loads(error.value.content)["error"].startswith("partial write: line 2: ")
    assert gateway.api.rows("p") == [{"time": NOW * 10**6, "m.v": 1.0}]


@pytest.mark.parametrize("is_packed", [False, True])
def test_version_2_writes_points(gateway: Gateway, is_packed: bool) -> None:
    """Points and line protocol through the synchronous writer; an unknown bucket means the default table."""
    with client_v2(gateway, enable_gzip=is_packed) as client:
        assert client.ping()
        assert client.version().startswith("1.8")
        host = f"v2-{is_packed}"
        point = influxdb_client.Point("mem").tag("host", host).field("used", 7).field("free", 0.5).time(NOW * 10**9)
        writer = client.write_api(write_options=SYNCHRONOUS)
        writer.write("metrics", record=point)
        writer.write("unheard", record=f"mem,host={host} used=8i {NOW}", write_precision="s")
    assert gateway.api.rows(host, table="metrics") == [{"time": NOW * 10**6, "mem.used": 7, "mem.free": 0.5}]
    assert gateway.api.rows(host) == [{"time": NOW * 10**6, "mem.used": 8}]


def test_version_2_shows_errors(gateway: Gateway) -> None:
    """The message is the one of the body."""
    with client_v2(gateway) as client, pytest.raises(InfluxDBError) as error:
        client.write_api(write_options=SYNCHRONOUS).write("metrics", record="m,host=x v=nothing")
    assert error.value.response.status == 400
    assert error.value.message.startswith('partial write: line 1: field "m.v": "nothing" is no number')


def test_version_2_writes_in_batches(gateway: Gateway) -> None:
    """The writer that most programs use: in the background, in batches, with retries."""
    failures: list[str] = []
    with client_v2(gateway, enable_gzip=True) as client:
        options = influxdb_client.WriteOptions(batch_size=1_000, flush_interval=200)
        with client.write_api(
            write_options=options, error_callback=lambda _, data, error: failures.append(str(error))
        ) as writer:
            for number in range(10_000):
                writer.write(
                    "metrics", record=f"batch,host=b{number % 10} n={number}i {NOW * 1000 + number}", write_precision="ms"
                )
    assert not failures
    wait_until(lambda: len(gateway.api.rows("b0", table="metrics")) == 1_000, "every point of b0 is there")
    rows = [row["batch.n"] for host in range(10) for row in gateway.api.rows(f"b{host}", table="metrics")]
    assert sorted(rows) == list(range(10_000))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", '[{"device":"kind","time":%d,"fields":{"t":21.5,"n":7}}]'),
        ("application/x-ndjson", '{"device":"kind","time":%d,"fields":{"t":21.5,"n":7}}\n'),
        ("text/csv", "host,time,t,n\r\nkind,%d,21.5,7\r\n"),
    ],
)
@pytest.mark.parametrize("is_packed", [False, True])
def test_every_type_of_body_is_taken(gateway: Gateway, kind: str, body: str, is_packed: bool) -> None:
    """Each at a time of its own, so that none stands in for another."""
    moment = NOW - 1 - 2 * ["application/json", "application/x-ndjson", "text/csv"].index(kind) - is_packed
    data = (body % moment).encode()
    headers = {"Content-Type": kind} | ({"Content-Encoding": "gzip"} if is_packed else {})
    response = gateway.api.request(
        "POST", "/api/v1/write", data=gzip.compress(data) if is_packed else data, headers=headers
    )
    assert response.status_code == 204, response.text
    rows = gateway.api.rows("kind", start=str(moment), end=str(moment + 1))
    assert rows == [{"time": moment * 10**6, "t": 21.5, "n": 7}]


def test_a_zip_bomb_is_refused(gateway: Gateway) -> None:
    """4 GiB of zeros in four megabytes: 413, and no memory to speak of."""
    before = resident_bytes(gateway.pid, "VmHWM")
    bomb = gzip.compress(bytes(64 << 20)) * 64
    assert len(bomb) < 8 << 20
    response = gateway.api.request(
        "POST", "/api/v1/write", data=bomb, headers={"Content-Type": "text/plain", "Content-Encoding": "gzip"}
    )
    assert response.status_code == 413, response.text
    assert resident_bytes(gateway.pid, "VmHWM") - before < 64 << 20


def resident_bytes(pid: int, name: str) -> int:
    """A line of /proc/<pid>/status, which is in KiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith(name + ":"))
