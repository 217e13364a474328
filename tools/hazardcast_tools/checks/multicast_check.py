"""Does multicast work on this machine? One datagram sent to the group and heard again."""

from __future__ import annotations

import re
import secrets
import socket
import struct
from dataclasses import dataclass, replace
from pathlib import Path

from hazardcast.net.multicast import Group, open_receiver, open_sender

_IP_RECVTTL = 12  # linux/in.h; the socket module does not name it
_IP_PKTINFO = 8
_MEMBERSHIPS = Path("/proc/net/igmp")


@dataclass(frozen=True)
class MulticastCheck:
    """What came of it."""

    joined: bool
    heard: bool
    ttl: int | None = None
    """TTL with which the datagram arrived."""
    source: str | None = None
    """Address it was sent from: tells the interface that was used."""
    interface: str | None = None
    """The interface by which it arrived."""
    member: bool = False
    """The kernel has told the network on that interface that it is in the group (IGMP)."""
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
        receiver.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        receiver.settimeout(timeout_s)
        return _exchange(sender, receiver, group.address)


def _exchange(sender: socket.socket, receiver: socket.socket, address: str) -> MulticastCheck:
    nonce = secrets.token_bytes(16)
    try:
        sender.sendto(nonce, (address, receiver.getsockname()[1]))
        data, control, _, source = receiver.recvmsg(64, 128)
    except TimeoutError:
        problem = "sent, but not heard on this machine"
        return MulticastCheck(joined=True, heard=False, problem=problem)
    except OSError as error:
        problem = f"cannot send: {error.strerror}"
        return MulticastCheck(joined=True, heard=False, problem=problem)
    told = {kind: value for _, kind, value in control}
    ttl = int.from_bytes(told[socket.IP_TTL][:1], "little") if socket.IP_TTL in told else None
    interface = _interface(told.get(_IP_PKTINFO))
    return MulticastCheck(
        joined=True,
        heard=data == nonce,
        ttl=ttl,
        source=str(source[0]),
        interface=interface,
        member=interface is not None and address in memberships(_igmp()).get(interface, ()),
    )


def _interface(packet_info: bytes | None) -> str | None:
    """`struct in_pktinfo` begins with the interface's index (ip(7))."""
    if packet_info is None or len(packet_info) < 4:
        return None
    try:
        return socket.if_indextoname(struct.unpack_from("@i", packet_info)[0])
    except OSError:
        return None


def _igmp() -> str:
    try:
        return _MEMBERSHIPS.read_text()
    except OSError:
        return ""


def memberships(igmp: str) -> dict[str, set[str]]:
    """Interface → groups joined on it, from the text of `/proc/net/igmp` (host byte order)."""
    joined: dict[str, set[str]] = {}
    groups: set[str] = set()
    for line in igmp.splitlines()[1:]:
        words = line.split()
        if line[:1].isdigit() and len(words) > 1:
            groups = joined.setdefault(words[1].rstrip(":"), set())
        elif words and re.fullmatch("[0-9A-F]{8}", words[0]):
            groups.add(socket.inet_ntoa(struct.pack("@I", int(words[0], 16))))
    return joined
