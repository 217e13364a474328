"""Reports incidents on a fixed schedule: `python -m benchmarks.reporter PORT RATE SECONDS EVENTS`.

Each event is reported round robin, every report says something new, so each must become a version
and go on air. The schedule waits for nobody (no coordinated omission).
"""

from __future__ import annotations

import json
import socket
import sys
import time

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion


def incident(index: int, events: int) -> str:
    """The report of this index; its `road` makes it news."""
    event = index % events
    return json.dumps(
        {
            "type": "blockage",
            "severity": "low",
            "event_id": f"bench-event-{event}",
            "status": "new" if index < events else "update",
            "lat": 37.0 + event * 0.01,
            "lon": 127.0,
            "road": f"bench-{index}-",
            "clip_hint": False,
        }
    )


def _send_at_once(_client: object, _userdata: object, sock: object) -> None:
    assert isinstance(sock, socket.socket)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def publisher(port: int) -> mqtt.Client:
    """A client that holds nothing back."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_socket_open = _send_at_once
    client.max_inflight_messages_set(1000)
    client.connect("127.0.0.1", port)
    client.loop_start()
    return client


def main(port: int, rate_per_s: float, seconds: float, events: int) -> None:
    """Report, and tell how many the broker acknowledged and how late the schedule ran."""
    client = publisher(port)
    acknowledged = 0

    def count(*_: object) -> None:
        nonlocal acknowledged
        acknowledged += 1

    client.on_publish = count
    print("ready", flush=True)
    total, late_s = int(rate_per_s * seconds), 0.0
    started = time.monotonic()
    for index in range(total):
        due = started + index / rate_per_s
        time.sleep(max(0.0, due - time.monotonic()))
        late_s = max(late_s, time.monotonic() - due)
        client.publish("v2x/alert", incident(index, events), qos=1)
    took_s = time.monotonic() - started
    deadline = time.monotonic() + 30.0
    while acknowledged < total and time.monotonic() < deadline:
        time.sleep(0.05)
    client.disconnect()
    client.loop_stop()
    found = {"reported": total, "acknowledged": acknowledged, "took_s": took_s, "late_s": late_s}
    print(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
