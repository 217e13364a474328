from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Counter

from hazardcast.contract.errors import ConfigError
from hazardcast.service.metrics import Health, MetricsServer


class Condition:
    holds = True

    def __call__(self) -> tuple[bool, str]:
        return self.holds, "because"


@pytest.fixture
def ready() -> Condition:
    return Condition()


@pytest.fixture
def server(ready: Condition) -> Iterator[MetricsServer]:
    registry = CollectorRegistry()
    Counter("hazardcast_seen_total", "Seen", registry=registry).inc(3)
    server = MetricsServer("127.0.0.1", 0, Health(ready=ready), registry)
    yield server
    server.close()


def get(server: MetricsServer, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_metrics_are_shown(server: MetricsServer) -> None:
    assert "hazardcast_seen_total 3.0" in get(server, "/metrics")[1]


def test_a_service_that_is_not_ready_says_why(server: MetricsServer, ready: Condition) -> None:
    assert get(server, "/readyz")[0] == 200

    ready.holds = False

    status, body = get(server, "/readyz")
    assert (status, json.loads(body)) == (503, {"ok": False, "detail": "because"})
    assert get(server, "/healthz")[0] == 200


def test_a_port_that_is_taken_is_named(server: MetricsServer) -> None:
    with pytest.raises(ConfigError, match=f"HAZARDCAST_METRICS_PORT: 127.0.0.1:{server.port}"):
        MetricsServer("127.0.0.1", server.port, Health(), CollectorRegistry())
