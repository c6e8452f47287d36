"""configs/grafana: what Grafana would ask for the dashboard, asked of a real gateway."""

import json
import math
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from conftest import Bench
from harness.gateway import Gateway, reading
from harness.program import REPOSITORY

GRAFANA = REPOSITORY / "configs/grafana"
DASHBOARD = json.loads((GRAFANA / "dashboards/gaugehouse.json").read_text())
SOURCES = yaml.safe_load((GRAFANA / "provisioning/datasources/gaugehouse.yaml").read_text())["datasources"]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
TARGETS = [
    pytest.param(target, id=f"{panel['title']} {target['refId']}") for panel in PANELS for target in panel["targets"]
]

NOW = int(time.time())
DEVICE = "line1/press 7,x"
# What Grafana puts in: an hour, on a panel 240 points wide.
VARIABLES = {
    "table": "telemetry",
    "device": DEVICE,
    "field": "motor_temp",
    "__interval": "15s",
    "__from": str((NOW - 3600) * 1000),
    "__to": str(NOW * 1000),
}


@pytest.fixture(scope="module")
def gateway(shared_bench: Bench) -> Iterator[Gateway]:
    gateway = shared_bench.gateway(has_broker=False)
    gateway.start()
    for age in range(0, 600, 15):
        moment = (NOW - age) * 1_000
        fields = {"motor.temp": 50 + math.sin(age), "state": "running"}
        gateway.api.write(reading(DEVICE, moment, **fields), reading("line2", moment, **{"motor.temp": age}))
    yield gateway


def substitute(text: str) -> str:
    """Variables as Grafana writes them: `$name`, `${name}`, `${name:percentencode}`."""

    def value(match: re.Match[str]) -> str:
        name, form = match.group(1) or match.group(3), match.group(2)
        assert form in (None, "percentencode")
        return quote(VARIABLES[name], safe="") if form else VARIABLES[name]

    return re.sub(r"\$\{(\w+)(?::(\w+))?\}|\$(\w+)", value, text)


def prometheus(gateway: Gateway, path: str, **form: Any) -> Any:
    response = gateway.api.request("POST" if path.startswith("query") else "GET", f"/prom/api/v1/{path}", params=form)
    assert response.status_code == 200, f"{form}: {response.text}"
    return response.json()["data"]


@pytest.mark.parametrize("target", TARGETS)
def test_every_query_of_the_dashboard_has_data(gateway: Gateway, target: dict[str, Any]) -> None:
    source = next(source for source in SOURCES if source["uid"] == target["datasource"]["uid"])
    assert source["type"] == target["datasource"]["type"]
    if source["type"] == "prometheus":
        query = substitute(target["expr"])
        if target["instant"]:
            result = prometheus(gateway, "query", query=query, time=NOW)["result"]
            assert result == [{"metric": {}, "value": [NOW, "2"]}]
        else:
            [series] = prometheus(gateway, "query_range", query=query, start=NOW - 3600, end=NOW, step=15)["result"]
            # Over a fleet a sample stands for the 5 minutes behind it.
            assert 38 <= len(series["values"]) <= 60
        return
    parameters = {entry["key"]: substitute(entry["value"]) for entry in target["url_options"]["params"]}
    answer = gateway.api.get(substitute(target["url"]), **parameters)
    rows = answer[target["root_selector"]] if target["root_selector"] else [answer]
    assert rows
    for column in target["columns"]:
        assert all(row[column["selector"]] is not None for row in rows)


def test_variables_list_tables_devices_and_fields(gateway: Gateway) -> None:
    expected = {"table": ["telemetry"], "device": [DEVICE, "line2"], "field": ["motor_temp"]}
    for variable in DASHBOARD["templating"]["list"]:
        parts = re.fullmatch(r"label_values\((?:(\{.*\}), )?(\w+)\)", variable["query"]["query"])
        assert parts
        form = {"match[]": substitute(parts.group(1))} if parts.group(1) else {}
        assert prometheus(gateway, f"label/{parts.group(2)}/values", **form) == expected[variable["name"]]


def test_the_data_sources_are_found_and_healthy(gateway: Gateway) -> None:
    paths = {"prometheus": "/prom/api/v1/status/buildinfo", "yesoreyeram-infinity-datasource": "/-/healthy"}
    for source in SOURCES:
        assert gateway.api.request("GET", paths[source["type"]]).status_code == 200
    folder = yaml.safe_load((GRAFANA / "provisioning/dashboards/gaugehouse.yaml").read_text())["providers"][0]["options"]["path"]
    assert folder in (GRAFANA / "README.md").read_text()
