"""Bad HTTP requests: a problem that names what is wrong, and nothing else happens."""

from collections.abc import Iterator

import pytest
import requests

from conftest import Bench
from harness.gateway import Gateway, reading


@pytest.fixture(scope="module")
def gateway(shared_bench: Bench) -> Iterator[Gateway]:
    gateway = shared_bench.gateway(has_broker=False)
    gateway.start()
    gateway.api.write(reading("d", None, n=1), reading("e", None, n=1))
    yield gateway
    assert gateway.is_running and gateway.api.row_count() == 2, "a bad request changed something"


def check_problem(response: requests.Response, status: int, param: str | None) -> None:
    """RFC 9457, with the parameter at fault and an id for the log."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status and problem["type"].startswith("/problems/")
    assert problem["title"] and problem["detail"] and problem["request_id"]
    assert problem.get("param") == param, problem


@pytest.mark.parametrize(
    ("target", "status", "param"),
    [
        ("/api/v1/devices?limit=0", 400, "limit"),
        ("/api/v1/devices?limit=many", 400, "limit"),
        ("/api/v1/devices?state=asleep", 400, "state"),
        ("/api/v1/devices?sort=size", 400, "sort"),
        ("/api/v1/devices?page_token=AAAA", 400, "page_token"),
        ("/api/v1/devices?limit=1&limit=2", 400, "limit"),
        ("/api/v1/devices?prefix=%FF", 400, "prefix"),
        ("/api/v1/devices?colour=red", 400, "colour"),
        ("/api/v1/devices?table=none", 404, "table"),
        ("/api/v1/devices/nobody", 404, "id"),
        ("/api/v1/devices/nobody/latest", 404, "id"),
        ("/api/v1/devices/nobody/range", 404, "id"),
        ("/api/v1/devices/d/latest?fields=nothing", 400, "fields"),
        ("/api/v1/devices/d/range?start=2026-01-01T00:00:00", 400, "start"),
        ("/api/v1/devices/d/range?start=yesterday", 400, "start"),
        ("/api/v1/devices/d/range?start=now&end=-1h", 400, "start"),
        ("/api/v1/devices/d/range?end=NaN", 400, "end"),
        ("/api/v1/devices/d/range?order=up", 400, "order"),
        ("/api/v1/devices/d/range?fields=n,,n", 400, "fields"),
        ("/api/v1/devices/d/range?versions=0", 400, "versions"),
        ("/api/v1/devices/d/range?versions=2&format=csv", 400, "versions"),
        ("/api/v1/devices/d/range?time=minutes", 400, "time"),
        ("/api/v1/devices/d/range?format=xml", 400, "format"),
        ("/api/v1/devices/d/range?shape=round", 400, "shape"),
        ("/api/v1/latest?devices=d&prefix=e", 400, "devices"),
        ("/api/v1/partitions?state=melted", 400, "state"),
        ("/api/v1/nothing", 404, None),
        ("/api/v1/devices/d/range/more", 404, None),
    ],
)
def test_a_bad_parameter_is_named(gateway: Gateway, target: str, status: int, param: str | None) -> None:
    """Wrong value, unknown name, given twice, unknown thing."""
    check_problem(gateway.api.request("GET", target), status, param)


@pytest.mark.parametrize(
    ("body", "headers", "status", "param"),
    [
        (b"temperature 21.5", {}, 400, "body"),
        (b"", {}, 400, "body"),
        (b'{"device":"x","fields":{"n":NaN}}', {}, 400, "body"),
        (b'{"device":"x","fields":{}}', {}, 400, "body"),
        (b'[{"device":"x","time":"never","fields":{"n":1}}]', {}, 400, "body"),
        (b'{"device":"","fields":{"n":1}}', {}, 400, "body"),
        (b"<n>1</n>", {"Content-Type": "text/xml"}, 415, "content-type"),
        (b"x" * (9 << 20), {}, 413, None),
    ],
)
def test_a_bad_body_is_refused(
    gateway: Gateway, body: bytes, headers: dict[str, str], status: int, param: str | None
) -> None:
    """Not JSON, no readings, another type, too large."""
    check_problem(gateway.api.request("POST", "/api/v1/write", data=body, headers=headers), status, param)


def test_other_methods_types_and_tokens_are_refused(gateway: Gateway) -> None:
    """405 names what is allowed; 406 what cannot be answered; a token belongs to its query."""
    api = gateway.api
    wrong_method = api.request("DELETE", "/api/v1/devices/d")
    check_problem(wrong_method, 405, None)
    assert "GET" in wrong_method.headers["Allow"]
    assert api.request("GET", "/api/v1/devices/d/range", headers={"Accept": "image/png"}).status_code == 406
    token = api.get("/api/v1/devices", limit=1)["next_page_token"]
    assert [device["id"] for device in api.get("/api/v1/devices", limit=1, page_token=token)["devices"]] == ["e"]
    check_problem(api.request("GET", f"/api/v1/devices?prefix=d&page_token={token}"), 400, "page_token")
    check_problem(api.request("GET", f"/api/v1/latest?prefix=d&page_token={token}"), 400, "page_token")
