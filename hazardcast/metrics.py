"""What every service measures, and the small HTTP server that shows it.

A service declares its own metrics in its `metrics.py`; names start with `hazardcast_`, units are
base units, labels are only camera, kind, reason, result, stage, sender (and method of latency).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, make_wsgi_app

from hazardcast.errors import ConfigError

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LATENCY_BUCKETS_S = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
"""Half a second, the promise, is an edge."""

MQTT_CONNECTED = Gauge("hazardcast_mqtt_connected", "1 while the broker is connected")
MQTT_RECONNECTS = Counter("hazardcast_mqtt_reconnects_total", "Connections after the first")
MESSAGES_REJECTED = Counter(
    "hazardcast_messages_rejected_total", "Messages from the broker that did not parse", ["kind"]
)
OUTBOX_DROPPED = Counter(
    "hazardcast_outbox_dropped_total", "Messages dropped because the outbox was full", ["kind"]
)


@dataclass(frozen=True)
class Health:
    """What `/healthz` and `/readyz` answer; each returns whether it holds, and why not."""

    alive: Callable[[], tuple[bool, str]] = lambda: (True, "alive")
    ready: Callable[[], tuple[bool, str]] = lambda: (True, "ready")


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Scrapes are not news."""


class MetricsServer:
    """`/metrics`, `/healthz` and `/readyz` on a thread of its own.

    Raises:
        ConfigError: the address cannot be listened on, for example because the port is taken.
    """

    def __init__(
        self, host: str, port: int, health: Health, registry: CollectorRegistry = REGISTRY
    ) -> None:
        try:
            self._server: WSGIServer = make_server(
                host, port, application(health, registry), handler_class=_QuietHandler
            )
        except OSError as error:
            raise ConfigError(f"HAZARDCAST_METRICS_PORT: {host}:{port}: {error.strerror}") from None
        self.port = int(self._server.server_port)
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="metrics", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


def application(health: Health, registry: CollectorRegistry = REGISTRY) -> WSGIApplication:
    """The WSGI application of `MetricsServer`, to be mounted elsewhere too."""
    show_metrics = make_wsgi_app(registry)
    checks = {"/healthz": health.alive, "/readyz": health.ready}

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        check = checks.get(environ.get("PATH_INFO", ""))
        if check is None:
            return show_metrics(environ, start)  # type: ignore[no-any-return]
        holds, detail = check()
        status = "200 OK" if holds else "503 Service Unavailable"
        start(status, [("Content-Type", "application/json")])
        return [json.dumps({"ok": holds, "detail": detail}).encode()]

    return answer
