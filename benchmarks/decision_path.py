"""An operator's decision on `v2x/decision` → alerter → multicast → the vehicle's line, beside a bare relay.

200 alerts are on air; each is called a false alarm once, on a fixed schedule, whatever the answers.
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

EVENTS = 200
RATE_PER_S = 20.0
NEGATED = re.compile(r"NEGATE .*?(\d+-\d+)")


def raise_alerts(client: mqtt.Client) -> list[str]:
    """Have the events on air; returns their ids."""
    ids: set[str] = set()
    client.message_callback_add("v2x/active/+", lambda *told: ids.add(told[2].topic.split("/")[2]))
    client.subscribe("v2x/active/+", qos=1)
    for index in range(EVENTS):
        incident = {"type": "blockage", "event_id": f"bench-{index}", "lat": 37.0 + index * 0.01,
                    "lon": 127.0, "clip_hint": False}  # fmt: skip
        client.publish("v2x/alert", json.dumps(incident), qos=1)
        time.sleep(1 / RATE_PER_S)
    deadline = time.monotonic() + 10.0
    while len(ids) < EVENTS and time.monotonic() < deadline:
        time.sleep(0.05)
    return sorted(ids)


def drive(client: mqtt.Client, ids: list[str]) -> dict[str, float]:
    """Decide on schedule; returns when each decision was published."""
    published: dict[str, float] = {}
    started = time.monotonic()
    for index, event_id in enumerate(ids):
        time.sleep(max(0.0, started + index / RATE_PER_S - time.monotonic()))
        decision = {"event_id": event_id, "action": "negate", "if_revision": 0, "by": "bench",
                    "ts": time.time()}  # fmt: skip
        published[event_id] = time.monotonic()
        client.publish(f"v2x/decision/{event_id}", json.dumps(decision), qos=1)
    time.sleep(1.0)
    return published


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
        ids = raise_alerts(client)
        time.sleep(2.0)
        published = drive(client, ids)
        client.loop_stop()
        return latencies_ms(vehicle, published) + [10_000.0] * (EVENTS - len(ids))


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
