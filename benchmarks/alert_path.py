"""Publish on `v2x/alert` → alerter → multicast → the vehicle's console line, beside a bare relay.

1000 incidents on a fixed schedule, whatever the answers (no coordinated omission), half of them
reported as updates of an active alert. Both chains run in the same minutes on the same broker, each
incident going down one and then the other.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks import brokers
from benchmarks.harness import Child, Figure, free_port, percentile, running, service

INCIDENTS = 1000
RATE_PER_S = 40.0
EVENTS = 50
"""Incidents reported round robin: the first of each is new, the others update it."""
GROUP = "239.20.20.20"
BARE_GROUP = "239.20.20.21"
MARK = re.compile(r"bench-(\d+)-")


def incident(index: int) -> str:
    event = index % EVENTS
    return json.dumps(
        {
            "type": "blockage",
            "severity": "low",
            "event_id": f"bench-event-{event}",
            "status": "new" if index < EVENTS else "update",
            "lat": 37.0 + event * 0.01,
            "lon": 127.0,
            "road": f"bench-{index}-",
            "clip_hint": False,
        }
    )


def _send_at_once(_client: object, _userdata: object, sock: object) -> None:
    assert isinstance(sock, socket.socket)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def publisher(
    port: int, *, host: str = "127.0.0.1", login: tuple[str, str] | None = None
) -> mqtt.Client:
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_socket_open = _send_at_once
    if login:
        client.username_pw_set(*login)
    client.connect(host, port)
    client.loop_start()
    return client


def drive(client: mqtt.Client) -> dict[int, float]:
    """Publish on schedule; returns when each incident was published."""
    published: dict[int, float] = {}
    started = time.monotonic()
    for index in range(INCIDENTS):
        time.sleep(max(0.0, started + index / RATE_PER_S - time.monotonic()))
        published[index] = time.monotonic()
        client.publish("v2x/alert", incident(index), qos=1)
    time.sleep(1.0)
    client.loop_stop()
    return published


def latencies_ms(child: Child, published: dict[int, float]) -> list[float]:
    """Publish → line read, for the first line of each incident; a missing one counts as 10 s."""
    first: dict[int, float] = {}
    for moment, line in list(child.lines):
        if match := MARK.search(line):
            first.setdefault(int(match[1]), moment)
    return [(first.get(index, sent + 10.0) - sent) * 1000 for index, sent in published.items()]


def measure_ours(port: int, folder: Path) -> list[float]:
    config = folder / "cameras.yaml"
    config.write_text("site: {station_id: 4097}\ncameras: {}\n")
    udp_port = free_port(socket.SOCK_DGRAM)
    environment = {
        "config": str(config),
        "data_dir": str(folder / "data"),
        "mqtt_port": str(port),
        "multicast_interface": "127.0.0.1",
        "multicast_port": str(udp_port),
        "http_port": str(free_port()),
    }
    with ExitStack() as stack:
        stack.enter_context(service("alerter", **environment))
        time.sleep(3.0)
        vehicle = stack.enter_context(service("vehicle_agent", **environment))
        time.sleep(3.0)
        return latencies_ms(vehicle, drive(publisher(port)))


def measure_bare(port: int) -> list[float]:
    udp_port = free_port(socket.SOCK_DGRAM)
    relay = [sys.executable, "-m", "benchmarks.bare_relay"]
    with ExitStack() as stack:
        stack.enter_context(running(*relay, "send", str(port), BARE_GROUP, str(udp_port)))
        receiver = stack.enter_context(running(*relay, "receive", BARE_GROUP, str(udp_port)))
        time.sleep(2.0)
        return latencies_ms(receiver, drive(publisher(port)))


def run() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, brokers.running_broker(Path(folder)) as port:
        bare = measure_bare(port)
        ours = measure_ours(port, Path(folder))
        again = measure_bare(port)
    bare_p50 = min(percentile(bare, 50), percentile(again, 50))
    bare_p99 = min(percentile(bare, 99), percentile(again, 99))
    p50, p99 = percentile(ours, 50), percentile(ours, 99)
    detail = {"max_ms": max(ours), "missing": float(sum(value >= 9_000 for value in ours))}
    return [
        Figure("alert path p50", "ms", p50, bare_p50, "≤ 3 × and ≤ 5 ms", p50 <= 3 * bare_p50 and p50 <= 5, detail),
        Figure("alert path p99", "ms", p99, bare_p99, "≤ 3 ×", p99 <= 3 * bare_p99, detail),
    ]  # fmt: skip
