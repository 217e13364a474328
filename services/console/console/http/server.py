"""The edge that serves the application: uvicorn on a thread of its own.

As at every server of the house no peer costs another anything (`service.limited_http`). Here
answers may take long (a playlist waits for its next part, a stream of events has no end), so only
a connection whose peer is to blame is cut: one that does not finish its request, or that does not
read what it asked for. A WebSocket's own limits begin where it is taken over.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from console.doors import proxies
from console.doors.attempts import network_of
from console.doors.proxies import Network
from hazardcast.service import limited_http

STOP_WITHIN_S = 4.0
GRACE_S = 2
MOST_CONNECTIONS = 512
"""Of HTTP; sockets are counted by who serves them."""
MOST_OF_ONE = 150
"""Of one address; a proxy that is believed brings many."""
GETS_ON_WITHIN_S = 10.0
LONGEST_WORD = 65_536
"""Bytes of a WebSocket's message from a browser: it asks, it does not send pictures."""
WORDS_WAITING = 16
PING_EVERY_S = 20.0
PONG_WITHIN_S = 20.0

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol as _Protocol
else:
    _Protocol = AutoHTTPProtocol


class LimitedProtocol(_Protocol):
    """A connection that is cut when its peer does not get on, or has waited longest of too many."""

    watch: asyncio.TimerHandle | None = None
    trusted: tuple[Network, ...] = ()
    """Where proxies stand."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to watch it."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self.born = self.loop.time()
        address = self.client[0] if self.client else ""
        self.network = None if proxies.is_of(address, self.trusted) else network_of(address)
        self._look(last=None)
        every = [
            one
            for one in self.connections
            if isinstance(one, LimitedProtocol) and not one.transport.is_closing()
        ]
        own = [one for one in every if one.network == self.network]
        if self.network is not None and len(own) > MOST_OF_ONE:
            _cut_oldest(own)
        elif len(every) > MOST_CONNECTIONS:
            _cut_oldest(every)

    def connection_lost(self, exc: Exception | None) -> None:
        """Watch it no more."""
        self._let_be()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, *arguments: Any) -> None:
        """From here on it is a socket, which others look after."""
        self._let_be()
        super().handle_websocket_upgrade(*arguments)

    def _let_be(self) -> None:
        if self.watch is not None:
            self.watch.cancel()

    def _look(self, last: tuple[object, ...] | None) -> None:
        """Cut the connection if its peer has done nothing since the last look."""
        if self.transport.is_closing():
            return
        stage = self._stage()
        if self.peer_is_awaited and stage == last:
            self.transport.abort()
            return
        self.watch = self.loop.call_later(GETS_ON_WITHIN_S, self._look, stage)

    def _stage(self) -> tuple[object, ...]:
        """What it is at: the request, whether that is answered, and what waits to be read."""
        answered = self.cycle is not None and self.cycle.response_complete
        return self.cycle, answered, self._unread

    @property
    def _unread(self) -> int:
        return int(self.transport.get_write_buffer_size())

    @property
    def peer_is_awaited(self) -> bool:
        """Whether it is the peer's turn: to ask, to send the body, or to read."""
        return self.waits_for_request or self._unread > 0

    @property
    def waits_for_request(self) -> bool:
        """Whether nothing is being answered."""
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body


def _cut_oldest(connections: Iterable[LimitedProtocol]) -> None:
    """Make room; one whose request is just being answered keeps its place, before a new one."""
    waiting = [one for one in connections if one.waits_for_request]
    if waiting:
        min(waiting, key=lambda one: one.born).transport.abort()


class HttpServer:
    """Serves an application until closed.

    Raises:
        ConfigError: the address cannot be listened on.
    """

    def __init__(
        self, app: FastAPI, *, host: str, port: int, trusted: tuple[Network, ...] = ()
    ) -> None:
        config = uvicorn.Config(
            app,
            http=type("Protocol", (LimitedProtocol,), {"trusted": trusted}),
            ws="websockets-sansio",
            ws_max_size=LONGEST_WORD,
            ws_max_queue=WORDS_WAITING,
            ws_ping_interval=PING_EVERY_S,
            ws_ping_timeout=PONG_WITHIN_S,
            ws_per_message_deflate=False,
            log_config=None,
            access_log=False,
            log_level="warning",
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
        )
        listener = limited_http.listen(host, port, setting="HAZARDCAST_CONSOLE")
        self.port = int(listener.getsockname()[1])
        self._server = uvicorn.Server(config)
        self.thread = threading.Thread(
            target=self._server.run, args=([listener],), name="http", daemon=True
        )
        self.thread.start()

    def close(self) -> None:
        """Answer what is being asked, close every socket, and stop."""
        self._server.should_exit = True
        self.thread.join(STOP_WITHIN_S)
