"""Prometheus' own tools ask the gateway: promtool, and a client library from PyPI; Grafana's "Save & test" by hand."""

import datetime
import json
import subprocess
import time
from collections.abc import Iterator

import pytest
import requests
from prometheus_api_client import PrometheusConnect

from conftest import Bench
from harness.gateway import Gateway, reading
from harness.program import run

# Seconds, whole; the newest reading's time.
NOW = int(time.time()) - 30


@pytest.fixture(scope="module")
def gateway(shared_bench: Bench) -> Iterator[Gateway]:
    """Ten minutes of two devices, a value a minute; one device's name is as hostile as they come."""
    gateway = shared_bench.gateway(has_broker=False)
    gateway.start()
    for minute in range(10):
        moment = (NOW - 60 * (9 - minute)) * 1_000
        gateway.api.write(
            reading("line1/press", moment, temp=20 + minute, running=minute % 2 == 1, state="ok", **{"motor.rpm": 100.5}),
            reading('a "b" \\ {c}', moment, temp=minute),
        )
    yield gateway


def promtool(gateway: Gateway, *arguments: str) -> subprocess.CompletedProcess[str]:
    kind, *rest = arguments
    return run("promtool", "query", kind, "--format=json", gateway.api.url + "/prom", *rest)


def answer(gateway: Gateway, *arguments: str) -> list[dict[str, object]]:
    found = promtool(gateway, *arguments)
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def test_promtool_asks_for_an_instant(gateway: Gateway) -> None:
    [scalar_time, scalar] = answer(gateway, "instant", "1+1")
    assert scalar == "2" and abs(float(str(scalar_time)) - time.time()) < 60
    [press] = answer(gateway, "instant", f"--time={NOW}", 'temp{device="line1/press"}')
    assert press == {
        "metric": {"__name__": "temp", "device": "line1/press", "table": "telemetry"},
        "value": [NOW, "29"],
    }
    averages = answer(gateway, "instant", f"--time={NOW}", "avg by (device) (avg_over_time(temp[5m]))")
    assert {series["metric"]["device"]: series["value"][1] for series in averages} == {
        "line1/press": "27",
        'a "b" \\ {c}': "7",
    }
    [total] = answer(gateway, "instant", f"--time={NOW}", "sum(temp)")
    assert total == {"metric": {}, "value": [NOW, "38"]}
    [running] = answer(gateway, "instant", f"--time={NOW}", "running")
    assert running["value"] == [NOW, "1"]
    assert answer(gateway, "instant", f"--time={NOW}", "state") == []


def test_promtool_asks_for_a_range(gateway: Gateway) -> None:
    [series] = answer(
        gateway, "range", f"--start={NOW - 120}", f"--end={NOW}", "--step=1m", 'temp{device=~"line1/.*"}'
    )
    assert series["values"] == [[NOW - 120, "27"], [NOW - 60, "28"], [NOW, "29"]]
    query = 'rate(temp{device="line1/press"}[5m])'
    [rate] = answer(gateway, "range", f"--start={NOW - 60}", f"--end={NOW}", "--step=60s", query)
    assert rate["values"] == [[NOW - 60, "0.016666666666666666"], [NOW, "0.016666666666666666"]]


def test_promtool_lists_labels_and_series(gateway: Gateway) -> None:
    assert answer(gateway, "labels", "__name__") == ["motor_rpm", "running", "temp"]
    assert answer(gateway, "labels", "device") == ['a "b" \\ {c}', "line1/press"]
    assert answer(gateway, "labels", "table") == ["telemetry"]
    assert answer(gateway, "series", '--match={__name__="motor.rpm"}') == [
        {"__name__": "motor_rpm", "device": "line1/press", "table": "telemetry"}
    ]


@pytest.mark.parametrize(
    ("query", "message"),
    [("topk(3, temp)", "topk is not supported"), ("temp{", "parse error"), ('{device="line1/press"} * 2', "same labelset")],
)
def test_promtool_shows_what_is_wrong(gateway: Gateway, query: str, message: str) -> None:
    failed = promtool(gateway, "instant", f"--time={NOW}", query)
    assert failed.returncode == 1 and message in failed.stderr


def test_a_client_library_asks(gateway: Gateway) -> None:
    client = PrometheusConnect(url=gateway.api.url + "/prom")
    assert client.all_metrics() == ["motor_rpm", "running", "temp"]
    assert client.get_label_values("device") == ['a "b" \\ {c}', "line1/press"]
    [current] = client.get_current_metric_value("temp", {"device": "line1/press"}, params={"time": NOW})
    assert current["value"][1] == "29"
    end = datetime.datetime.fromtimestamp(NOW)
    [samples] = client.get_metric_range_data(
        "temp", {"device": "line1/press"}, start_time=end - datetime.timedelta(seconds=150), end_time=end
    )
    assert samples["values"] == [[NOW - 120, "27"], [NOW - 60, "28"], [NOW, "29"]]
    [series] = client.custom_query_range("max(temp)", end - datetime.timedelta(seconds=60), end, "30s")
    assert series["values"] == [[NOW - 60, "28"], [NOW - 30, "28"], [NOW, "29"]]


def test_grafana_saves_and_tests(gateway: Gateway) -> None:
    """What its data source sends: a form with `1+1`, GET where that fails, then the version."""
    base = gateway.api.url + "/prom/api/v1"
    form = requests.post(f"{base}/query", data={"query": "1+1", "time": "4"}, timeout=10)
    assert form.status_code == 200
    assert form.json() == {"status": "success", "data": {"resultType": "scalar", "result": [4, "2"]}}
    plain = requests.get(f"{base}/query", params={"query": "1+1", "time": "4"}, timeout=10)
    assert plain.json() == form.json()
    build = requests.get(f"{base}/status/buildinfo", timeout=10).json()
    assert build["status"] == "success" and build["data"]["version"].startswith("2.42.0-gaugehouse-")
    assert requests.get(f"{base}/metadata", timeout=10).json()["data"]["motor_rpm"][0]["help"] == "Field motor.rpm"
