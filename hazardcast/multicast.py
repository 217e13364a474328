"""UDP sockets of the alert path: an explicit interface, TTL and DSCP; joined on the group alone."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import struct
from dataclasses import dataclass

from hazardcast.errors import ConfigError

DSCP_EXPEDITED_FORWARDING = 46  # RFC 3246
RECEIVE_BUFFER_BYTES = 1 << 20
_SIOCGIFADDR = 0x8915
_IP_MULTICAST_ALL = 49


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
    """A socket that sends to multicast groups by the chosen interface, marked expedited (DSCP EF)."""
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, group.ttl)
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, DSCP_EXPEDITED_FORWARDING << 2)
    if group.interface is not None:
        address = socket.inet_aton(interface_address(group.interface))
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, address)
    return sender


def open_receiver(group: Group) -> socket.socket:
    """A socket that hears the group and nothing else; several may share a machine."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    receiver.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
    receiver.bind((group.address, group.port))
    membership = socket.inet_aton(group.address) + socket.inet_aton(
        interface_address(group.interface)
    )
    receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    return receiver
