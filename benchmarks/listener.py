"""Hears a group and counts, until its stdin ends: `python -m benchmarks.listener GROUP PORT`."""

from __future__ import annotations

import base64
import contextlib
import json
import select
import socket
import sys

from hazardcast.net import multicast
from hazardcast.net.multicast import Group


def _payload(text: bytes) -> dict[str, object]:
    part = text.split(b".")[1]
    data: dict[str, object] = json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
    return data


def main(group: str, port: int) -> None:
    """Count datagrams, and the versions of alerts among them."""
    receiver = multicast.open_receiver(Group(group, port, "127.0.0.1"))
    with contextlib.suppress(OSError):  # needs root; without it a stall may cost some
        receiver.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)  # SO_RCVBUFFORCE
    print("ready", flush=True)
    heard, overflowed = 0, 0
    versions: set[tuple[object, object]] = set()
    while True:
        readable, _, _ = select.select([receiver, sys.stdin], [], [], 1.0)
        if receiver in readable:
            packet = multicast.read(receiver)
            heard, overflowed = heard + 1, packet.overflowed
            alert = _payload(packet.data).get("alert")
            if isinstance(alert, dict):
                versions.add((alert["event_id"], alert["revision"]))
        elif sys.stdin in readable:
            break
    print(json.dumps({"heard": heard, "versions": len(versions), "overflowed": overflowed}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
