"""The gateway among the servers of the store's benchmark: the same lines written to it, the same questions asked."""

import json
import pathlib
import sys
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "store" / "harness"), str(HERE.parent / "end-to-end")]
from datasets import DataSet  # noqa: E402
from servers import Server  # noqa: E402


class GatewayServer(Server):
    """`gaugehouse serve` without a broker, or with one at `broker_port`."""

    name = "gaugehouse"
    write_path = "/write?precision=ms"

    def __init__(self, folder, binary, broker_port=None):
        self.binary = str(binary)
        self.broker_port = broker_port
        super().__init__(folder)

    def options(self):
        configuration = self.folder / "gaugehouse.toml"
        configuration.write_text(
            f"""\
[store]
path = "{self.data}"

[[table]]
name = "telemetry"
ttl = "3650d"
partition = "1d"

[http]
listen = "127.0.0.1:{self.port}"
measurement = "drop"

[dead_letters]
path = "{self.folder}/dead-letters"
""" + (f"""
[mqtt]
host = "127.0.0.1"
port = {self.broker_port}

[[mqtt.subscription]]
filter = "devices/+/telemetry"
topic = "devices/{{device}}/telemetry"
format = "json"
table = "telemetry"
""" if self.broker_port else ""))
        return ["serve", "--config", configuration]

    def answers(self):
        try:
            return self.get("/-/ready") is not None
        except Exception:
            return False

    def row_count(self, data_set):
        return json.loads(self.get("/api/v1/tables"))["tables"][0]["rows"]

    def row(self, data_set, device, milliseconds):
        rows = json.loads(self.get(self.path_of(device, f"range?start={milliseconds}&end={milliseconds + 1}&shape=objects")))["rows"]
        return {name: rows[0][name] for name in data_set.numeric_fields}

    @staticmethod
    def path_of(device, rest):
        return f"/api/v1/devices/{DataSet.device_name(device)}/{rest}"

    def newest_question(self, data_set, device):
        return (self.path_of(device, f"range?start=0&end={data_set.end_milliseconds}&limit=100"), None), \
            lambda content: len(json.loads(content)["rows"]) == min(100, data_set.ticks)

    def latest_question(self, data_set, devices):
        if len(devices) == 1:
            return (self.path_of(devices[0], "latest"), None), lambda content: len(json.loads(content)["values"]) >= 4
        assert len(devices) == data_set.devices
        return (f"/api/v1/latest?limit={len(devices)}", None), lambda content: len(json.loads(content)["rows"]) == len(devices)

    def aggregate_question(self, data_set, device, minutes):
        arguments = urllib.parse.urlencode({
            "start": data_set.end_milliseconds - minutes * 60_000, "end": data_set.end_milliseconds, "step": "1m", "agg": "avg",
        })
        return (self.path_of(device, f"range?{arguments}"), None), lambda content: len(json.loads(content)["rows"]) == minutes
