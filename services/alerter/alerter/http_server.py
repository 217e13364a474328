"""The edge that serves the webhook: uvicorn on a thread of its own."""

from __future__ import annotations

import socket
import threading

import uvicorn
from fastapi import FastAPI

from hazardcast import ports
from hazardcast.addresses import join
from hazardcast.errors import ConfigError

STOP_WITHIN_S = 3.0


class HttpServer:
    """Serves an application until closed."""

    def __init__(self, app: FastAPI, *, host: str, port: int) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            log_level="warning",
            lifespan="off",
            timeout_graceful_shutdown=2,
            limit_concurrency=256,
        )
        try:
            listener = ports.listen(host, port)
        except OSError as error:
            raise ConfigError(
                f"HAZARDCAST_HTTP_HOST, HAZARDCAST_HTTP_PORT: cannot listen on "
                f"{join(host, port)}: {error.strerror}"
            ) from None
        # Inherited by every connection; without it an answer in two pieces takes 40 ms (Nagle).
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = int(listener.getsockname()[1])
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="http", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Answer what is being asked and stop."""
        self._server.should_exit = True
        self._thread.join(STOP_WITHIN_S)
