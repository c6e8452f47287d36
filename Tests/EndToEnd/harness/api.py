"""The gateway's HTTP API, seen through `requests`."""

import re
from typing import Any
from urllib.parse import quote

import requests

TIMEOUT_SECONDS = 30
PAGE = 10_000


class API:
    """Every call is a connection of its own: the server may have been restarted in between."""

    def __init__(self, url: str) -> None:
        self.url = url

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        return requests.request(method, self.url + path, timeout=TIMEOUT_SECONDS, **options)

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON of a 200."""
        response = self.request("GET", path, params=parameters)
        assert response.status_code == 200, f"{response.url}: {response.status_code} {response.text}"
        return response.json()

    def device(self, device: str, path: str = "", **parameters: Any) -> Any:
        return self.get(f"/api/v1/devices/{quote(device, safe='')}{path}", **parameters)

    def latest(self, device: str, **parameters: Any) -> dict[str, Any]:
        """The newest value of each field, by name."""
        values = self.device(device, "/latest", **parameters)["values"]
        return {name: entry["value"] for name, entry in values.items()}

    def rows(self, device: str, **parameters: Any) -> list[dict[str, Any]]:
        """All rows of a device, page by page, as objects; `time` in µs, fields without a value left out."""
        query = {"shape": "objects", "time": "us", "limit": PAGE, "order": "asc", "end": "now+1h", **parameters}
        rows: list[dict[str, Any]] = []
        while True:
            page = self.device(device, "/range", **query)
            rows += [{key: value for key, value in row.items() if value is not None} for row in page["rows"]]
            if "next_page_token" not in page:
                return rows
            query["page_token"] = page["next_page_token"]

    def devices(self) -> list[dict[str, Any]]:
        return self.get("/api/v1/devices", limit=100_000)["devices"]

    def table(self, name: str = "telemetry") -> dict[str, Any]:
        return next(table for table in self.get("/api/v1/tables")["tables"] if table["name"] == name)

    def row_count(self) -> int:
        return self.table()["rows"]

    def partitions(self) -> list[dict[str, Any]]:
        return self.get("/api/v1/partitions")["partitions"]

    def stats(self) -> dict[str, Any]:
        return self.get("/api/v1/stats")

    def metric(self, name: str, **labels: str) -> float:
        """The value of one sample of /metrics."""
        text = ",".join(f'{key}="{value}"' for key, value in labels.items())
        line = re.escape(name + (f"{{{text}}}" if text else "")) + r" (\S+)"
        found = re.search(f"(?m)^{line}$", self.request("GET", "/metrics").text)
        assert found, f"/metrics has no sample {name} {labels}"
        return float(found.group(1))

    def write(self, *readings: dict[str, Any]) -> None:
        """Stores readings; returns when they are on disk."""
        response = self.request("POST", "/api/v1/write", json=list(readings))
        assert response.status_code == 204, f"{response.status_code} {response.text}"

    def readiness(self) -> tuple[int, str]:
        """Status of /-/ready, and the reason when there is one."""
        response = self.request("GET", "/-/ready")
        return response.status_code, response.json().get("detail", "")
