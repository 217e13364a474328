"""A network between browser and console that a test may slow down and cut."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

CHUNK = 1400


class Link:
    """Hands everything on to a port of this machine; slow and dead as a test says."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.bytes_per_s: float | None = None
        """What comes from the console at most, all connections together; None: as it comes."""
        self.down = False
        self.passed = 0
        """Bytes that came from the console."""
        self._lock = threading.Lock()
        self._free_at = 0.0
        self._open: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """The base of the console's addresses by this way."""
        return f"http://localhost:{self.port}/"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                if self.down:
                    client.close()
                    continue
                console = socket.create_connection(("127.0.0.1", self._to))
                # Little waits in between: who is slow must feel it at once.
                for one in (client, console):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
                self._open += [client, console]
                for ends in ((client, console, False), (console, client, True)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, slow: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK if slow and self.bytes_per_s else 65_536):
                if slow:
                    self._wait(len(data))
                    self.passed += len(data)
                sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _wait(self, size: int) -> None:
        """Until the line, which all share, has room for so many bytes."""
        if self.bytes_per_s is None:
            return
        with self._lock:
            now = time.monotonic()
            self._free_at = max(now, self._free_at) + size / self.bytes_per_s
            wait_s = self._free_at - now
        while wait_s > 0 and self.bytes_per_s is not None:
            time.sleep(min(wait_s, 0.1))
            wait_s = self._free_at - time.monotonic()

    def cut(self) -> None:
        """End every connection, and let none come."""
        self.down = True
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def mend(self) -> None:
        """Let connections come again."""
        self.down = False

    def close(self) -> None:
        self._server.close()
        self.cut()


@contextlib.contextmanager
def link_to(port: int) -> Iterator[Link]:
    """A link for a while."""
    link = Link(port)
    try:
        yield link
    finally:
        link.close()
