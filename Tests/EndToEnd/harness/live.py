"""A live client of its own kind: server-sent events from a socket, read when a test says so."""

import dataclasses
import json
import socket
import time
from collections.abc import Iterator
from typing import Any, Self

from .waiting import PATIENCE


@dataclasses.dataclass
class Event:
    name: str
    id: str
    data: dict[str, Any]


class LiveClient:
    """One connection to /api/v1/live; use as a context manager."""

    def __init__(
        self, port: int, query: str = "", last_id: str | None = None, receive_buffer: int | None = None
    ) -> None:
        self._socket = socket.socket()
        if receive_buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.settimeout(PATIENCE)
        self._socket.connect(("127.0.0.1", port))
        resume = "" if last_id is None else f"Last-Event-ID: {last_id}\r\n"
        self._socket.sendall(f"GET /api/v1/live{query} HTTP/1.1\r\nHost: localhost\r\n{resume}\r\n".encode())
        self._file = self._socket.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        while self._file.readline().strip():
            pass
        # Every event, statistics too, until the connection ends.
        self.events = self._events()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def cut(self) -> None:
        """Ends the connection as a lost network would: without reading what is left."""
        self._file.close()
        self._socket.close()

    def _lines(self) -> Iterator[bytes]:
        """Lines of the body, out of its chunks (RFC 9112 §7.1). Ends with the stream, or with the connection."""
        rest = b""
        while True:
            try:
                size = int(self._file.readline().strip() or b"0", 16)
                rest += self._file.read(size)
                self._file.readline()
            except (OSError, ValueError):
                return
            if size == 0:
                return
            *lines, rest = rest.split(b"\n")
            yield from lines

    def _events(self) -> Iterator[Event]:
        fields: dict[str, str] = {}
        for line in self._lines():
            if line:
                name, _, value = line.decode().partition(": ")
                fields[name] = value
                continue
            if "data" in fields:
                yield Event(fields["event"], fields["id"], json.loads(fields["data"]))
            fields = {}

    def news(self) -> Iterator[Event]:
        """Readings and gaps; fails when none comes for too long."""
        patience = time.monotonic() + PATIENCE
        for event in self.events:
            if event.name != "stats":
                yield event
                patience = time.monotonic() + PATIENCE
            assert time.monotonic() < patience, f"no news for {PATIENCE:g} s"
