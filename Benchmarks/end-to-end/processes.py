"""The programs of a benchmark round, each started on free loopback ports in a folder of its own and ended by pid."""

import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
FILTER = "devices/+/telemetry"
READY_SECONDS = 20

# Lines of the shipped configuration that tie it to a place or to a user; the round sets its own.
PLACE_KEYS = {
    "listener", "port", "bind_address", "persistence_location", "log_dest", "pid_file", "user", "include_dir", "password_file",
    "acl_file", "allow_anonymous", "persistence",
}
FALLBACK_CONFIGURATION = """\
max_inflight_messages 10000
max_queued_messages 2000000
max_queued_bytes 536870912
set_tcp_nodelay true
autosave_interval 10
"""


class BenchmarkError(Exception):
    """A round that could not be run; the message is for people."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """One child process with its log; use as a context manager, which ends it."""

    def __init__(self, name, folder):
        self.name = name
        self.folder = pathlib.Path(folder)
        self.log = self.folder / f"{name}.log"
        self.child = None

    def start(self, command, **options):
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen([str(part) for part in command], stderr=log, **{"stdout": log, **options})

    def stop(self):
        if self.child and self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(15)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def failure(self, what):
        tail = self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""
        return BenchmarkError(f"{self.name} {what}\n{tail}")

    def check_alive(self):
        if self.child.poll() is not None:
            raise self.failure(f"ended with status {self.child.returncode}")

    def wait_until(self, is_ready, what, seconds=READY_SECONDS):
        deadline = time.monotonic() + seconds
        while not is_ready():
            self.check_alive()
            if time.monotonic() > deadline:
                raise self.failure(f"was not {what} after {seconds} s")
            time.sleep(0.02)

    def cpu_seconds(self):
        """User and system time of all threads so far."""
        fields = pathlib.Path(f"/proc/{self.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self, key="VmRSS"):
        for line in pathlib.Path(f"/proc/{self.child.pid}/status").read_text().splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024
        raise self.failure("has no resident memory any more")


class Broker(Program):
    """A private mosquitto with the limits of the shipped configuration, if there is one."""

    def __init__(self, folder):
        super().__init__("mosquitto", folder)
        self.port = free_port()
        shipped = REPOSITORY / "configs" / "mosquitto.conf"
        self.configuration = "configs/mosquitto.conf" if shipped.exists() else "built-in"
        text = shipped.read_text() if shipped.exists() else FALLBACK_CONFIGURATION
        kept = [line for line in text.splitlines() if line.split() and line.split()[0] not in PLACE_KEYS]
        own = [f"listener {self.port} 127.0.0.1", "allow_anonymous true", "persistence true", f"persistence_location {folder}/"]
        if os.geteuid() == 0:
            own.append("user root")
        path = self.folder / "mosquitto.conf"
        path.write_text("\n".join(kept + own) + "\n")
        binary = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        if not binary:
            raise BenchmarkError("mosquitto is not installed")
        self.start([binary, "-c", path])
        self.wait_until(self.accepts, "listening")

    def accepts(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False


def build_baseline(folder):
    """Compiles the baseline consumer; returns its path."""
    source = pathlib.Path(__file__).with_name("baseline_consumer.c")
    binary = pathlib.Path(folder) / "baseline_consumer"
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libmosquitto"], check=True, capture_output=True, text=True).stdout.split()
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", str(binary), str(source), *flags], check=True)
    return binary


class Baseline(Program):
    """The consumer that throws messages away; tells on standard output when it has them all."""

    def __init__(self, mode, folder, broker_port, messages, binary):
        super().__init__(mode, folder)
        self.command = [binary, mode, "127.0.0.1", broker_port, FILTER, messages]
        self.text = b""
        self.launch()

    def launch(self):
        self.text = b""
        self.start(self.command, stdout=subprocess.PIPE)
        self.wait_until(lambda: self.read_line("ready") is not None, "subscribed")

    def read_line(self, word):
        """The line that starts with a word, once it has come."""
        while select.select([self.child.stdout], [], [], 0)[0]:
            portion = os.read(self.child.stdout.fileno(), 4096)
            if not portion:
                break
            self.text += portion
        lines = self.text.decode().split("\n")[:-1]
        return next((line for line in lines if line.startswith(word)), None)

    def finished_at(self):
        """ns of CLOCK_MONOTONIC when the last message was consumed; None before."""
        line = self.read_line("done")
        return int(line.split()[1]) if line else None


class Gateway(Program):
    """`gaugehouse serve` with one table and a fresh store; a message is consumed when its row is committed and counted."""

    def __init__(self, folder, broker_port, messages, binary, qos=1):
        super().__init__("gaugehouse", folder)
        self.messages = messages
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        path = self.folder / "gaugehouse.toml"
        path.write_text(
            f"""\
[store]
path = "{self.folder}/store"

[[table]]
name = "telemetry"

[mqtt]
host = "127.0.0.1"
port = {broker_port}

[[mqtt.subscription]]
filter = "{FILTER}"
topic = "devices/{{device}}/telemetry"
format = "json"
table = "telemetry"
qos = {qos}

[http]
listen = "127.0.0.1:{self.port}"

[dead_letters]
path = "{self.folder}/dead-letters"
"""
        )
        self.command = [binary, "serve", "--config", path]
        self.launch()

    def launch(self):
        self.start(self.command)
        self.wait_until(self.is_ready, "ready")

    def is_ready(self):
        try:
            with urllib.request.urlopen(self.url + "/-/ready", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def row_count(self):
        with urllib.request.urlopen(self.url + "/api/v1/tables", timeout=60) as answer:
            return sum(table["rows"] for table in json.load(answer)["tables"])

    def finished_at(self):
        rows = self.row_count()
        if rows > self.messages:
            raise self.failure(f"holds {rows} rows of {self.messages} messages")
        return time.clock_gettime_ns(time.CLOCK_MONOTONIC) if rows == self.messages else None
