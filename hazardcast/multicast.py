"""UDP sockets of the alert path: an explicit interface, TTL and DSCP; joined on the group alone."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import struct
from dataclasses import dataclass
from typing import NamedTuple

from hazardcast.errors import ConfigError

DSCP_EXPEDITED_FORWARDING = 46  # RFC 3246
RECEIVE_BUFFER_BYTES = 4 << 20
"""Asked for; the kernel grants at most `net.core.rmem_max`."""
READ_BYTES = 2048
"""More than the longest datagram, so that a longer one is seen to be too long."""
_ANCILLARY_BYTES = 64
_SIOCGIFADDR = 0x8915
_IP_MULTICAST_ALL = 49
_SO_TIMESTAMPNS = 35
_SO_RXQ_OVFL = 40
_TIMESPEC = struct.Struct("@ll")
_COUNT = struct.Struct("@I")


@dataclass(frozen=True)
class Group:
    """A multicast group and the interface to use for it (None: the system's choice)."""

    address: str
    port: int
    interface: str | None = None
    ttl: int = 1


def interface_address(interface: str | None) -> str:
    """The IPv4 address of an interface given by name or address; 0.0.0.0 for None.

    Raises:
        ConfigError: there is no such interface, or it has no IPv4 address.
    """
    if interface is None:
        return "0.0.0.0"  # noqa: S104 - INADDR_ANY: let routing choose
    with contextlib.suppress(OSError):
        socket.inet_aton(interface)
        return interface
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        request = struct.pack("256s", interface.encode()[:15])
        try:
            answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, request)
        except OSError:
            raise ConfigError(
                f"HAZARDCAST_MULTICAST_INTERFACE: no interface {interface!r} with an IPv4 address"
            ) from None
    return socket.inet_ntoa(answer[20:24])


def open_sender(group: Group) -> socket.socket:
    """A socket that sends to groups by the chosen interface, marked expedited (DSCP EF)."""
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, group.ttl)
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, DSCP_EXPEDITED_FORWARDING << 2)
        if group.interface is not None:
            address = socket.inet_aton(interface_address(group.interface))
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, address)
    except (OSError, ConfigError):
        sender.close()
        raise
    return sender


def open_receiver(group: Group) -> socket.socket:
    """A socket that hears the group and nothing else; several may share a machine.

    Raises:
        OSError: the group cannot be joined, such as with no network up.
    """
    receiver = _receiver()
    try:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        receiver.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        receiver.bind((group.address, group.port))
        membership = socket.inet_aton(group.address) + socket.inet_aton(
            interface_address(group.interface)
        )
        receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    except (OSError, ConfigError):
        receiver.close()
        raise
    return receiver


def open_unicast_receiver(port: int, *, host: str = "") -> socket.socket:
    """A socket for datagrams sent to this machine itself, where multicast is dropped.

    Raises:
        OSError: another process has the port.
    """
    receiver = _receiver()
    try:
        receiver.bind((host, port))
    except OSError:
        receiver.close()
        raise
    return receiver


def _receiver() -> socket.socket:
    """A UDP socket with a deep buffer that tells arrival times and how much overflowed."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    with contextlib.suppress(OSError):
        receiver.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        receiver.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)
    return receiver


class Packet(NamedTuple):
    """What one read of a receiver brought."""

    data: bytes
    """At most `READ_BYTES`; the rest of a longer datagram is lost."""
    source: str
    """The sender's address, without port."""
    kernel_time: float | None
    """Wall clock at which the kernel took it from the network, epoch seconds."""
    overflowed: int | None
    """Datagrams that this socket's buffer had no room for, since it was opened."""


def read(receiver: socket.socket) -> Packet:
    """The next datagram.

    Raises:
        TimeoutError: none came within the socket's timeout.
        OSError: the socket is closed or its network is gone.
    """
    data, ancillary, _flags, address = receiver.recvmsg(READ_BYTES, _ANCILLARY_BYTES)
    kernel_time = overflowed = None
    for level, kind, value in ancillary:
        if level != socket.SOL_SOCKET:
            continue
        if kind == _SO_TIMESTAMPNS and len(value) == _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack(value)
            kernel_time = seconds + nanoseconds * 1e-9
        elif kind == _SO_RXQ_OVFL and len(value) == _COUNT.size:
            overflowed = _COUNT.unpack(value)[0]
    return Packet(data, address[0], kernel_time, overflowed)
