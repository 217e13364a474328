"""An operator's decision on `v2x/decision` → alerter → multicast → the vehicle's line, beside a relay.

Alerts are raised on a fixed schedule, and each is called a false alarm a second later.
"""

from __future__ import annotations

import json
import re
import socket
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import paho.mqtt.client as mqtt

from benchmarks import brokers
from benchmarks.alert_path import measure_bare, publisher
from benchmarks.harness import Child, Figure, free_port, percentile, service

EVENTS = 150
RATE_PER_S = 5.0
BEHIND = 5
"""So many are in force at a time; an end is repeated for 10 s too."""
NEGATED = re.compile(r"NEGATE .*?(\d+-\d+)")


class Operator:
    """Raises alerts and calls each a false alarm a second later, on schedule."""

    def __init__(self, client: mqtt.Client) -> None:
        self._client = client
        self._ids: dict[int, str] = {}
        client.message_callback_add("v2x/active/+", lambda *told: self._hear(told[2].payload))
        client.subscribe("v2x/active/+", qos=1)

    def _hear(self, payload: bytes) -> None:
        if payload:
            alert = json.loads(payload)
            self._ids[int(alert["road"])] = alert["event_id"]

    def drive(self) -> dict[str, float]:
        """Returns when each decision was published; one whose alert never came under `missing`."""
        published: dict[str, float] = {}
        started = time.monotonic()
        for index in range(EVENTS + BEHIND):
            time.sleep(max(0.0, started + index / RATE_PER_S - time.monotonic()))
            if index < EVENTS:
                self._raise(index)
            if index >= BEHIND:
                event_id = self._ids.get(index - BEHIND, f"missing-{index}")
                published[event_id] = self._decide(event_id)
        time.sleep(1.0)
        return published

    def _raise(self, index: int) -> None:
        incident = {"type": "blockage", "event_id": f"bench-{index}", "lat": 37.0 + index * 0.01,
                    "lon": 127.0, "road": str(index), "clip_hint": False}  # fmt: skip
        self._client.publish("v2x/alert", json.dumps(incident), qos=1)

    def _decide(self, event_id: str) -> float:
        decision = {"event_id": event_id, "action": "negate", "if_revision": 0, "by": "bench",
                    "ts": time.time()}  # fmt: skip
        at = time.monotonic()
        self._client.publish(f"v2x/decision/{event_id}", json.dumps(decision), qos=1)
        return at


def latencies_ms(child: Child, published: dict[str, float]) -> list[float]:
    """Publish → line read; a missing one counts as 10 s."""
    first: dict[str, float] = {}
    for moment, line in list(child.lines):
        if match := NEGATED.search(line):
            first.setdefault(match[1], moment)
    return [(first.get(one, sent + 10.0) - sent) * 1000 for one, sent in published.items()]


def measure_ours(port: int, folder: Path) -> list[float]:
    config = folder / "cameras.yaml"
    config.write_text("site: {station_id: 4097}\ncameras: {}\n")
    environment = {
        "config": str(config),
        "data_dir": str(folder / "data"),
        "mqtt_port": str(port),
        "multicast_interface": "127.0.0.1",
        "multicast_port": str(free_port(socket.SOCK_DGRAM)),
        "http_port": str(free_port()),
    }
    with ExitStack() as stack:
        stack.enter_context(service("alerter", **environment))
        time.sleep(3.0)
        vehicle = stack.enter_context(service("vehicle_agent", **environment))
        time.sleep(3.0)
        client = publisher(port)
        published = Operator(client).drive()
        client.loop_stop()
        return latencies_ms(vehicle, published)


def run() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, brokers.running_broker(Path(folder)) as port:
        bare = measure_bare(port)
        ours = measure_ours(port, Path(folder))
    p50, p99 = percentile(ours, 50), percentile(ours, 99)
    detail = {"max_ms": max(ours), "missing": float(sum(value >= 9_000 for value in ours))}
    return [
        Figure("decision path p50", "ms", p50, percentile(bare, 50), "≤ 50 ms", p50 <= 50, detail),
        Figure("decision path p99", "ms", p99, percentile(bare, 99), "≤ 300 ms", p99 <= 300, detail),
    ]  # fmt: skip
