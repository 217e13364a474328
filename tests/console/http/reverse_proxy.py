"""A small reverse proxy that shows a console under a path, as nginx or Caddy would."""

from __future__ import annotations

import contextlib
import re
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

LOOPBACK = "127.0.0.1"
_FIRST_LINE = re.compile(rb"(\S+) (\S+) (HTTP/1\.1)")


class _Handler(socketserver.BaseRequestHandler):
    server: _Proxy

    def handle(self) -> None:
        """One request, or one WebSocket, a connection."""
        head, rest = _head(self.request)
        found = _FIRST_LINE.match(head)
        prefix = self.server.prefix.encode()
        if found is None or not found[2].startswith(prefix):
            self.request.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection((LOOPBACK, self.server.console), 10) as console:
            path = b"/" + found[2].removeprefix(prefix)
            console.sendall(self._forwarded(head.replace(found[2], path, 1)) + rest)
            back = threading.Thread(target=_pump, args=(console, self.request))
            back.start()
            _pump(self.request, console)
            back.join()

    def _forwarded(self, head: bytes) -> bytes:
        host = re.search(rb"(?im)^host: *(\S+)", head)
        lines = [
            b"X-Forwarded-For: " + self.client_address[0].encode(),
            b"X-Forwarded-Proto: http",
            b"X-Forwarded-Host: " + (host[1] if host else b""),
            b"X-Forwarded-Prefix: " + self.server.prefix.rstrip("/").encode(),
        ]
        if not re.search(rb"(?im)^upgrade:", head):
            head = re.sub(rb"(?im)^connection:[^\r]*\r\n", b"", head)
            lines.append(b"Connection: close")
        head = re.sub(rb"(?im)^host:[^\r]*", b"Host: console", head)
        return head.rstrip(b"\r\n") + b"\r\n" + b"\r\n".join(lines) + b"\r\n\r\n"


class _Proxy(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, console: int, prefix: str) -> None:
        self.console, self.prefix = console, prefix
        super().__init__((LOOPBACK, 0), _Handler)


def _head(peer: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        data += peer.recv(65_536) or b"\r\n\r\n"
    head, _, rest = data.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", rest


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def behind(console: int, prefix: str) -> Iterator[int]:
    """The port of a proxy that shows the console on port `console` below `prefix` alone."""
    with _Proxy(console, prefix) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,))
        thread.start()
        yield proxy.server_address[1]
        proxy.shutdown()
        thread.join()
