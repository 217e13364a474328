"""Does multicast work on this machine? One datagram sent to the group and heard again."""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass, replace

from hazardcast.multicast import Group, open_receiver, open_sender

_IP_RECVTTL = 12  # linux/in.h; the socket module does not name it


@dataclass(frozen=True)
class MulticastCheck:
    """What came of it."""

    joined: bool
    heard: bool
    ttl: int | None = None
    """TTL with which the datagram arrived."""
    source: str | None = None
    """Address it was sent from: tells the interface that was used."""
    problem: str | None = None


def check(group: Group, *, timeout_s: float = 1.0) -> MulticastCheck:
    """Send to the group and hear it, on a port of its own so that no vehicle is disturbed.

    Raises:
        ConfigError: there is no such interface.
    """
    try:
        receiver = open_receiver(replace(group, port=0))
    except OSError as error:
        problem = f"cannot join {group.address}: {error.strerror}"
        return MulticastCheck(joined=False, heard=False, problem=problem)
    with receiver, open_sender(group) as sender:
        receiver.setsockopt(socket.IPPROTO_IP, _IP_RECVTTL, 1)
        receiver.settimeout(timeout_s)
        return _exchange(sender, receiver, group.address)


def _exchange(sender: socket.socket, receiver: socket.socket, address: str) -> MulticastCheck:
    nonce = secrets.token_bytes(16)
    try:
        sender.sendto(nonce, (address, receiver.getsockname()[1]))
        data, control, _, source = receiver.recvmsg(64, 64)
    except TimeoutError:
        problem = "sent, but not heard on this machine"
        return MulticastCheck(joined=True, heard=False, problem=problem)
    except OSError as error:
        problem = f"cannot send: {error.strerror}"
        return MulticastCheck(joined=True, heard=False, problem=problem)
    ttls = [
        int.from_bytes(value[:1], "little") for _, kind, value in control if kind == socket.IP_TTL
    ]
    return MulticastCheck(
        joined=True, heard=data == nonce, ttl=ttls[0] if ttls else None, source=str(source[0])
    )
