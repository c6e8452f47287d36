"""A wire between gateway and broker that can lose what the gateway says."""

import contextlib
import socket
import threading

from .program import free_port

CHUNK = 65_536


class Proxy:
    """Forwards TCP to `target_port`; use as a context manager. Threads end with their connections."""

    def __init__(self, target_port: int) -> None:
        self.port = free_port()
        self._target_port = target_port
        self._loses_answers = threading.Event()
        self._loses_everything = threading.Event()
        self._sockets: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", self.port))

    def __enter__(self) -> "Proxy":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()
        self.cut()

    def lose_answers(self) -> None:
        """From now on nothing that the gateway sends reaches the broker; what the broker sends arrives."""
        self._loses_answers.set()

    def go_dark(self) -> None:
        """From now on nothing arrives on either side, and nobody is told: the connections are half open for good."""
        self._loses_everything.set()

    def come_back(self) -> None:
        """New connections forward both ways; those of the dark stay as they are."""
        self._sockets = []
        self._loses_everything = threading.Event()

    def cut(self) -> None:
        """Ends all connections; new ones forward both ways."""
        sockets, self._sockets = self._sockets, []
        for end in sockets:
            # Its peer may have been quicker.
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._loses_answers.clear()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target_port))
            self._sockets += [near, far]
            threading.Thread(target=self._pump, args=(near, far, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, False), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        darkness = self._loses_everything
        try:
            while data := source.recv(CHUNK):
                if not darkness.is_set() and not (is_answer and self._loses_answers.is_set()):
                    sink.sendall(data)
            if not darkness.is_set():
                sink.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # Cut, or a peer has gone: the other direction ends the same way.
        finally:
            source.close()
