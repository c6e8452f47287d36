"""The peers that are servers: InfluxDB and VictoriaMetrics, private instances on loopback, fed and asked over HTTP."""

import http.client
import json
import math
import pathlib
import random
import shutil
import sys
import threading
import time
import urllib.parse

from datasets import FIRST_MILLISECONDS, WRITERS, DataSet

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "end-to-end"))
from processes import BenchmarkError, Program, free_port  # noqa: E402

REQUEST_SECONDS = 300
# A server is at rest when for this long it neither uses this much of a core nor changes its files.
REST_SECONDS = 3
REST_CPU_SHARE = 0.02
SETTLE_SECONDS = 600
# Devices and ticks whose values are compared after ingest.
SAMPLES = 20
# VictoriaMetrics keeps a decimal mantissa, which does not hold every double exactly.
LOSS_LIMIT = 1e-9
LATEST_DEVICES = 1_000
# A question that takes seconds is not asked for minutes.
QUESTION_SECONDS = 10
LEAST_ANSWERS = 5


def folder_bytes(folder):
    """Allocated bytes of all files; files that vanish meanwhile do not count."""
    total = 0
    for path in pathlib.Path(folder).rglob("*"):
        try:
            if path.is_file():
                total += path.stat().st_blocks * 512
        except FileNotFoundError:
            pass
    return total


class Server(Program):
    """One private server and the data set it holds. The paths of the data are `self.folder / "data"`."""

    name = ""
    binary = ""
    write_path = ""

    def __init__(self, folder):
        super().__init__(self.name, folder)
        self.port = free_port()
        self.data = self.folder / "data"
        program = shutil.which(self.binary)
        if not program:
            raise BenchmarkError(f"{self.binary} is not installed")
        self.start([program, *self.options()])
        try:
            self.wait_until(self.answers, "answering")
            self.prepare()
        except BaseException:
            self.stop()
            raise

    def options(self):
        raise NotImplementedError

    def prepare(self):
        pass

    def answers(self):
        try:
            return self.get("/ping" if self.name == "influxdb" else "/health") is not None
        except (OSError, http.client.HTTPException):
            return False

    # Talking to it

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=REQUEST_SECONDS)

    def call(self, connection, method, path, body=None, headers=None):
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise BenchmarkError(f"{self.name}: {method} {path[:80]}: {answer.status} {content[:500].decode(errors='replace')}")
        return content

    def get(self, path):
        connection = self.connect()
        try:
            return self.call(connection, "GET", path)
        finally:
            connection.close()

    # Ingest

    def feed(self, files):
        """Sends all lines from a few connections; returns when the last has been answered."""
        errors = []

        def send(writer):
            connection = self.connect()
            try:
                for body in files.requests(writer):
                    self.call(connection, "POST", self.write_path, body)
            except Exception as error:
                errors.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=send, args=(writer,), daemon=True) for writer in range(WRITERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise BenchmarkError(f"{self.name}: {errors[0]}")

    def settle(self):
        """Asks for what can be asked, then waits until files and CPU are at rest."""
        self.request_settling()
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            size, cpu = folder_bytes(self.data), self.cpu_seconds()
            time.sleep(REST_SECONDS)
            self.check_alive()
            if folder_bytes(self.data) == size and self.cpu_seconds() - cpu < REST_CPU_SHARE * REST_SECONDS and self.is_settled():
                return
            if time.monotonic() > deadline:
                raise self.failure("does not come to rest")

    def request_settling(self):
        pass

    def is_settled(self):
        return True

    def measure(self, files, questions):
        data_set = files.data_set
        cpu, start = self.cpu_seconds(), time.monotonic()
        self.feed(files)
        result = {
            "readings": data_set.readings,
            "commit_cpu_s": self.cpu_seconds() - cpu,
            "commit_wall_s": time.monotonic() - start,
        }
        self.settle()
        result |= {
            "cpu_s": self.cpu_seconds() - cpu,
            "wall_s": time.monotonic() - start,
            "settled_bytes": folder_bytes(self.data),
            "peak_bytes": self.resident_bytes("VmHWM"),
        }
        result["relative_error"] = self.verify(files)
        if questions:
            result |= self.ask(data_set, questions)
        return result

    # Checking

    def verify(self, files):
        """Compares the count of rows and a sample of values; returns the greatest relative error."""
        data_set, greatest = files.data_set, 0.0
        count = self.row_count(data_set)
        if count != data_set.readings:
            raise BenchmarkError(f"{self.name} holds {count} of {data_set.readings} readings")
        draw = random.Random(1)
        for _ in range(SAMPLES):
            device, tick = draw.randrange(data_set.devices), draw.randrange(data_set.ticks)
            sent, values = files.values(device, tick)
            found = self.row(data_set, device, sent)
            error = max(abs(found.get(key, math.inf) - values[key]) / max(abs(values[key]), 1e-9) for key in values)
            greatest = max(greatest, error)
            if found.keys() != values.keys() or error > LOSS_LIMIT:
                raise BenchmarkError(f"{self.name}: {DataSet.device_name(device)} at {sent} ms is {found}, sent was {values}")
        return greatest

    def row_count(self, data_set):
        raise NotImplementedError

    def row(self, data_set, device, milliseconds):
        raise NotImplementedError

    # Asking

    def ask(self, data_set, count):
        """Median and 99th percentile of each question, µs, over one connection; a quarter more before, unmeasured."""
        draw = random.Random(2)
        minutes = min(60, data_set.ticks * data_set.step_milliseconds // 60_000)
        questions = {
            "http": lambda: (self.empty_question(), None),
            "range100": lambda: self.newest_question(data_set, draw.randrange(data_set.devices)),
            "latest1": lambda: self.latest_question(data_set, [draw.randrange(data_set.devices)]),
            "latest1000": lambda: self.latest_question(
                data_set, draw.sample(range(data_set.devices), min(LATEST_DEVICES, data_set.devices))),
        }
        if minutes:
            questions["hour_by_minute"] = lambda: self.aggregate_question(data_set, draw.randrange(data_set.devices), minutes)
        result, connection = {}, self.connect()
        for name, question in questions.items():
            rounds = max(10, count // 20) if name == "latest1000" else count
            times, deadline = [], time.monotonic() + QUESTION_SECONDS
            for number in range(-(rounds // 4), rounds):
                if len(times) >= LEAST_ANSWERS and time.monotonic() > deadline:
                    break
                (path, body), check = question()
                start = time.perf_counter()
                content = self.call(
                    connection, "POST" if body else "GET", path, body, {"Content-Type": "application/x-www-form-urlencoded"})
                if number >= 0:
                    times.append((time.perf_counter() - start) * 1e6)
                if check and not check(content):
                    raise BenchmarkError(f"{self.name}: wrong answer to {name}: {content[:300]}")
            times.sort()
            result |= {f"{name}_p50_us": times[len(times) // 2], f"{name}_p99_us": times[len(times) * 99 // 100]}
        connection.close()
        return result


class InfluxDB(Server):
    name = "influxdb"
    binary = "influxd"
    write_path = "/write?db=bench&precision=ms"

    def options(self):
        configuration = self.folder / "influxdb.conf"
        # As shipped, in a place of its own; the "cold" durations are short so that a store at rest is compacted now, not in hours.
        configuration.write_text(
            f"""\
reporting-disabled = true
bind-address = "127.0.0.1:{free_port()}"
[meta]
dir = "{self.data}/meta"
[data]
dir = "{self.data}/data"
wal-dir = "{self.data}/wal"
index-version = "tsi1"
query-log-enabled = false
cache-snapshot-write-cold-duration = "3s"
compact-full-write-cold-duration = "3s"
max-series-per-database = 0
max-values-per-tag = 0
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:{self.port}"
log-enabled = false
max-body-size = 0
[logging]
level = "warn"
""")
        return ["run", "-config", configuration]

    def prepare(self):
        self.query("create database bench")

    def query(self, text):
        connection = self.connect()
        try:
            (path, body), _ = self.select(text)
            return json.loads(self.call(connection, "POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"}))
        finally:
            connection.close()

    def select(self, text, rows=None):
        def is_right(content):
            series = json.loads(content)["results"][0].get("series", [])
            return sum(len(one["values"]) for one in series) == rows

        body = urllib.parse.urlencode({"q": text, "db": "bench", "epoch": "ms"})
        return ("/query", body), is_right if rows is not None else None

    def is_settled(self):
        # What is still in the log is not yet in the files whose size counts.
        return folder_bytes(self.data / "wal") < 1 << 20

    def row_count(self, data_set):
        answer = self.query(f"select count({data_set.numeric_fields[0]}) from readings")
        return answer["results"][0]["series"][0]["values"][0][1]

    def row(self, data_set, device, milliseconds):
        fields = ",".join(data_set.numeric_fields)
        where = f"device = '{DataSet.device_name(device)}' and time = {milliseconds}ms"
        answer = self.query(f"select {fields} from readings where {where}")
        return dict(zip(data_set.numeric_fields, answer["results"][0]["series"][0]["values"][0][1:]))

    def empty_question(self):
        return "/ping", None

    def newest_question(self, data_set, device):
        where = f"device = '{DataSet.device_name(device)}'"
        return self.select(f"select * from readings where {where} order by time desc limit 100", min(100, data_set.ticks))

    def latest_question(self, data_set, devices):
        if len(devices) == 1:
            where = f"where device = '{DataSet.device_name(devices[0])}'"
        elif len(devices) == data_set.devices:
            where = ""
        else:
            where = f"where device =~ /^({'|'.join(map(DataSet.device_name, devices))})$/"
        return self.select(f"select last(*) from readings {where} group by device", len(devices))

    def aggregate_question(self, data_set, device, minutes):
        means = ",".join(f"mean({field})" for field in data_set.numeric_fields)
        end = data_set.end_milliseconds
        where = f"device = '{DataSet.device_name(device)}' and time >= {end - minutes * 60_000}ms and time < {end}ms"
        return self.select(f"select {means} from readings where {where} group by time(1m)", minutes)


class VictoriaMetrics(Server):
    name = "victoria-metrics"
    binary = "victoria-metrics"
    write_path = "/influx/write?precision=ms"

    def options(self):
        return [
            f"-storageDataPath={self.data}", f"-httpListenAddr=127.0.0.1:{self.port}", "-retentionPeriod=100y", "-loggerLevel=WARN",
            # Limits that a fleet of 100 000 devices with four metrics each would meet; no cache of whole answers.
            "-search.maxUniqueTimeseries=10000000", "-search.maxSeries=10000000", "-search.maxExportSeries=10000000",
            "-search.disableCache", "-search.latencyOffset=0s", "-search.maxQueryLen=1MB",
        ]

    def request_settling(self):
        self.get("/internal/force_flush")
        self.get("/internal/force_merge")

    def query(self, text, seconds):
        arguments = urllib.parse.urlencode({"query": text, "time": seconds})
        return json.loads(self.get(f"/api/v1/query?{arguments}"))["data"]["result"]

    def row_count(self, data_set):
        span = (data_set.end_milliseconds - FIRST_MILLISECONDS) // 1_000 + 3_600
        answer = self.query(f'sum(count_over_time({{__name__=~"readings_.+"}}[{span}s]))', data_set.end_milliseconds // 1_000)
        return int(answer[0]["value"][1]) / len(data_set.numeric_fields) if answer else 0

    def row(self, data_set, device, milliseconds):
        lines = self.export(device, milliseconds, milliseconds)[0]
        return {
            one["metric"]["__name__"].removeprefix("readings_"): one["values"][0]
            for one in map(json.loads, self.get(lines[0]).splitlines())
        }

    def export(self, device, start, end, rows=None):
        """start and end in ms, both inclusive."""
        def is_right(content):
            return all(len(one["values"]) == rows for one in map(json.loads, content.splitlines()))

        match = f'{{device="{DataSet.device_name(device)}"}}'
        arguments = urllib.parse.urlencode({"match[]": match, "start": start / 1_000, "end": end / 1_000})
        return (f"/api/v1/export?{arguments}", None), is_right if rows else None

    def empty_question(self):
        return "/health", None

    def newest_question(self, data_set, device):
        # There is no "newest n": a client asks for the time in which n rows lie.
        rows = min(100, data_set.ticks)
        first = data_set.end_milliseconds - rows * data_set.step_milliseconds
        return self.export(device, first, data_set.end_milliseconds - 1, rows)

    def latest_question(self, data_set, devices):
        if len(devices) == data_set.devices:
            match = '__name__=~"readings_.+"'
        else:
            match = f'device=~"{"|".join(map(DataSet.device_name, devices))}"'
        expected = len(devices) * len(data_set.numeric_fields)
        body = urllib.parse.urlencode({"query": f"last_over_time({{{match}}}[1h])", "time": data_set.end_milliseconds // 1_000})
        return ("/api/v1/query", body), lambda content: len(json.loads(content)["data"]["result"]) == expected

    def aggregate_question(self, data_set, device, minutes):
        def is_right(content):
            result = json.loads(content)["data"]["result"]
            return len(result) == len(data_set.numeric_fields) and all(len(one["values"]) == minutes for one in result)

        end = data_set.end_milliseconds // 1_000
        arguments = urllib.parse.urlencode({
            "query": f'avg_over_time({{device="{DataSet.device_name(device)}"}}[1m])', "start": end - (minutes - 1) * 60, "end": end,
            "step": 60, "nocache": 1,
        })
        return (f"/api/v1/query_range?{arguments}", None), is_right
