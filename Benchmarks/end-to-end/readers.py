"""HTTP clients that ask for much, and such that take an answer a few bytes at a time, while the gateway ingests."""

import contextlib
import json
import socket
import threading
import time
import urllib.parse
import urllib.request

SLOW_CLIENTS = 8
SLOW_PAUSE_SECONDS = 0.2
EXPORTS = 2


class Readers:
    """Use as a context manager: they read from beginning to end of it."""

    def __init__(self, url):
        self._url = url
        self._address = urllib.parse.urlsplit(url)
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._read_slowly) for _ in range(SLOW_CLIENTS)]
        self._threads += [threading.Thread(target=self._export) for _ in range(EXPORTS)]
        self.row_count = 0

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _devices(self):
        with urllib.request.urlopen(self._url + "/api/v1/devices?limit=100000", timeout=60) as answer:
            return [device["id"] for device in json.load(answer)["devices"]]

    def _export(self):
        """Every row of every device, over and over."""
        while not self._is_over.is_set():
            for device in self._devices():
                if self._is_over.is_set():
                    return
                path = f"/api/v1/devices/{urllib.parse.quote(device, safe='')}/range?start=-1h&end=now%2B1h&limit=100000&format=ndjson"
                with urllib.request.urlopen(self._url + path, timeout=60) as answer:
                    self.row_count += answer.read().count(b"\n")
            time.sleep(0.01)

    def _read_slowly(self):
        while not self._is_over.is_set():
            with contextlib.suppress(OSError), socket.create_connection((self._address.hostname, self._address.port), 5) as wire:
                wire.sendall(b"GET /api/v1/latest?prefix=&limit=100000 HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n")
                while not self._is_over.is_set() and wire.recv(64):
                    time.sleep(SLOW_PAUSE_SECONDS)
