"""The edge that serves the webhook: uvicorn on a thread of its own.

As at every server of the house no peer costs another anything (`service.limited_http`): uvicorn
itself waits for a request, and for a reader of its answer, without end.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from hazardcast.service import limited_http
from hazardcast.service.watchdog import UNWATCHED, Turn

STOP_WITHIN_S = 3.0
MOST_CONNECTIONS = 256
TICK_S = 0.1
"""Of uvicorn's main loop."""
GETS_ON_WITHIN_S = 10.0
"""From one whole request to the next, or to the end of its answer."""

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol as _Protocol
else:
    _Protocol = AutoHTTPProtocol


class LimitedProtocol(_Protocol):
    """A connection that is cut when it does not get on, or has waited longest of too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to watch it."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self.born = self.loop.time()
        self._watch(last=None)
        if len(self.connections) >= MOST_CONNECTIONS:
            _cut_oldest(self.connections)

    def _watch(self, last: Any) -> None:
        """Cut the connection if it is still at the request of the last look."""
        if self.transport.is_closing():
            return
        if last is not None and last == self._stage():
            self.transport.abort()
            return
        self.loop.call_later(GETS_ON_WITHIN_S, self._watch, self._stage())

    def _stage(self) -> tuple[object, bool]:
        """What it is at: the request, and whether that is answered."""
        return self.cycle, self.cycle is not None and self.cycle.response_complete

    @property
    def waits_for_peer(self) -> bool:
        """Whether it is the peer's turn."""
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body


def _cut_oldest(connections: Iterable[Any]) -> None:
    """Make room; one whose request is just being answered keeps its place."""
    waiting = [one for one in connections if one.waits_for_peer]
    if waiting:
        min(waiting, key=lambda one: one.born).transport.abort()


class _Server(uvicorn.Server):
    """Begins a turn with every tick of its loop; what holds up the loop holds up the next tick."""

    def __init__(self, config: uvicorn.Config, turn: Turn) -> None:
        super().__init__(config)
        self._turn = turn

    async def on_tick(self, counter: int) -> bool:
        self._turn.begin()
        return bool(await super().on_tick(counter))

    async def main_loop(self) -> None:
        await super().main_loop()
        self._turn.end()


class HttpServer:
    """Serves an application until closed.

    Raises:
        ConfigError: the address cannot be listened on.
    """

    def __init__(self, app: FastAPI, *, host: str, port: int, turn: Turn = UNWATCHED) -> None:
        config = uvicorn.Config(
            app,
            http=LimitedProtocol,
            ws="none",
            log_config=None,
            access_log=False,
            log_level="warning",
            lifespan="off",
            timeout_graceful_shutdown=2,
            limit_concurrency=2 * MOST_CONNECTIONS,
        )
        listener = limited_http.listen(host, port, setting="HAZARDCAST_HTTP")
        self.port = int(listener.getsockname()[1])
        self._server = _Server(config, turn)
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="http", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Answer what is being asked and stop."""
        self._server.should_exit = True
        self._thread.join(STOP_WITHIN_S)
