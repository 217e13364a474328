"""What every service measures, and the small HTTP server that shows it.

A service declares its own metrics in its `metrics.py`; names start with `hazardcast_`, units are
base units, labels are only camera, kind, reason, result, stage, sender (and method of latency).
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge
from prometheus_client.exposition import choose_encoder

from hazardcast.service import limited_http
from hazardcast.service.limited_http import LimitedHandler, LimitedServer

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
GAVE_WAY = Counter(
    "hazardcast_gave_way_total",
    "What made room where a bound was reached: over, slight, joined another",
    ["kind", "reason"],
)
NAME_CONFLICTS = Counter(
    "hazardcast_name_conflicts_total", "Words of another process that goes by this one's name"
)
LOG_LINES_LOST = Counter(
    "hazardcast_log_lines_lost_total", "Lines of the log that nobody read in time, or nobody could"
)
SLOW_TURNS = Counter(
    "hazardcast_slow_turns_total",
    "Turns of a loop on the alert path that took over 250 ms; the log says where",
    ["stage"],
)


@dataclass(frozen=True)
class Health:
    """What `/healthz` and `/readyz` answer; each returns whether it holds, and why not."""

    alive: Callable[[], tuple[bool, str]] = lambda: (True, "alive")
    ready: Callable[[], tuple[bool, str]] = lambda: (True, "ready")


class MetricsServer:
    """`/metrics`, `/healthz` and `/readyz` on threads of its own.

    Raises:
        ConfigError: the address cannot be listened on, for example because the port is taken.
    """

    def __init__(
        self, host: str, port: int, health: Health, registry: CollectorRegistry = REGISTRY
    ) -> None:
        listener = limited_http.listen(host, port, setting="HAZARDCAST_METRICS")
        self._server = _Server(listener, _Handler)
        self._server.checks = {"/healthz": health.alive, "/readyz": health.ready}
        self._server.registry = registry
        self.port = self._server.port
        self._server.start("metrics")

    def close(self) -> None:
        """Stop answering; waits for no peer."""
        self._server.close()


class _Server(LimitedServer):
    checks: dict[str, Callable[[], tuple[bool, str]]]
    registry: CollectorRegistry


class _Handler(LimitedHandler):
    server: _Server

    def do_GET(self) -> None:  # noqa: N802 - the base class's name
        """Answer a check, or show the metrics."""
        path, _, query = self.path.partition("?")
        check = self.server.checks.get(path)
        if check is None:
            self._show(parse_qs(query).get("name[]"))
            return
        holds, detail = check()
        status = HTTPStatus.OK if holds else HTTPStatus.SERVICE_UNAVAILABLE
        body = json.dumps({"ok": holds, "detail": detail}).encode()
        self.answer(status, "application/json", body)

    def _show(self, names: list[str] | None) -> None:
        registry: Any = self.server.registry
        encode, content_type = choose_encoder(self.headers.get("Accept", ""))
        body = encode(registry.restricted_registry(names) if names else registry)
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            self.answer(HTTPStatus.OK, content_type, gzip.compress(body), Content_Encoding="gzip")
        else:
            self.answer(HTTPStatus.OK, content_type, body)
