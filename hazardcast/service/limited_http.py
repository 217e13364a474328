"""The small HTTP servers of the services: no peer costs another anything, whatever it does not do.

A connection that has not asked and been answered in time is cut, however slowly it goes on; when
there are too many the one that has been open longest gives way, never the newest.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
import sys
import threading
from abc import ABC, abstractmethod
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any

from hazardcast.contract.errors import ConfigError
from hazardcast.machine.clock import Clock, SystemClock
from hazardcast.net import ports
from hazardcast.net.addresses import join

log = logging.getLogger(__name__)
MOST_CONNECTIONS = 64
ANSWERED_WITHIN_S = 10.0
SILENT_FOR_S = 5.0
LOOK_EVERY_S = 0.1
_OF_THE_PORT = frozenset({errno.EADDRINUSE, errno.EACCES})


def listen(host: str, port: int, *, setting: str) -> socket.socket:
    """A socket that listens on an address of either family.

    Raises:
        ConfigError: it cannot be had; the error names `{setting}_HOST` or `{setting}_PORT`.
        OSError: this process may have no further socket.
    """
    try:
        listener = ports.listen(host, port)
    except (OSError, UnicodeError) as error:
        if isinstance(error, OSError) and error.errno in ports.NO_SOCKET:
            raise
        taken = isinstance(error, OSError) and error.errno in _OF_THE_PORT
        problem = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"{setting}_{'PORT' if taken else 'HOST'}: {join(host, port)}: {problem}"
        ) from None
    # Inherited by every connection; without it an answer in two pieces takes 40 ms (Nagle).
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


class LimitedServer(ThreadingMixIn, TCPServer):
    """Serves a listening socket, a daemon thread for each connection, until closed."""

    daemon_threads = True
    block_on_close = False

    def __init__(
        self,
        listener: socket.socket,
        handler: type[LimitedHandler],
        *,
        most: int = MOST_CONNECTIONS,
        answered_within_s: float = ANSWERED_WITHIN_S,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(("", 0), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.server_address = listener.getsockname()
        self.port = int(self.server_address[1])
        self._most = most
        self._answered_within_s = answered_within_s
        self._clock = clock or SystemClock()
        self._asking: dict[socket.socket, float] = {}
        self._guard = threading.Lock()

    def start(self, name: str) -> None:
        """Serve on a thread of its own."""
        threading.Thread(
            target=self.serve_forever, args=(LOOK_EVERY_S,), name=name, daemon=True
        ).start()

    def close(self) -> None:
        """Answer nobody any more; waits for no peer."""
        self.shutdown()
        self.server_close()

    def answering(self, connection: socket.socket) -> None:
        """This one is no longer bound by time: its handler streams, and looks after itself."""
        with self._guard:
            self._asking.pop(connection, None)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Note the connection and hand it to a thread; the oldest gives way."""
        with self._guard:
            self._asking[request] = self._clock.monotonic()
            oldest = next(iter(self._asking)) if len(self._asking) > self._most else None
        if oldest:
            self._cut(oldest)
        super().process_request(request, client_address)

    def service_actions(self) -> None:
        """Cut who takes too long; called at each look."""
        now = self._clock.monotonic()
        with self._guard:
            late = [
                one for one, since in self._asking.items() if now - since > self._answered_within_s
            ]
        for connection in late:
            self._cut(connection)

    def _cut(self, connection: socket.socket) -> None:
        """End a connection under its handler's hands: what that waits for ends at once."""
        self.answering(connection)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    def shutdown_request(self, request: Any) -> None:
        """The handler is done with it."""
        self.answering(request)
        super().shutdown_request(request)

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is nothing to report."""
        log.debug("a connection failed: %s", sys.exception())


class LimitedHandler(BaseHTTPRequestHandler, ABC):
    """One request a connection: HEAD as GET without the body, other methods are refused."""

    server: LimitedServer
    server_version = "hazardcast"
    sys_version = ""
    timeout = SILENT_FOR_S

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Who asks is counted, not logged."""

    def do_HEAD(self) -> None:
        """As GET, without the body."""
        self.do_GET()

    @abstractmethod
    def do_GET(self) -> None:
        """What the server is for."""

    def answer(self, status: HTTPStatus, content_type: str, body: bytes, **headers: str) -> None:
        """Send a whole answer; header names are given with `_` for `-`."""
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
