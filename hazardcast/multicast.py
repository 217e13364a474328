"""UDP sockets of the alert path: an explicit interface, TTL and DSCP; joined on the group alone."""

from __future__ import annotations

import array
import contextlib
import fcntl
import socket
import struct
from dataclasses import dataclass
from typing import NamedTuple

from hazardcast.datagram_filter import STEP_BYTES
from hazardcast.errors import ConfigError

DSCP_EXPEDITED_FORWARDING = 46  # RFC 3246
RECEIVE_BUFFER_BYTES = 1 << 20
"""Room for a stall of a second at 500 datagrams/s. More would only make a flood queue for longer:
what a full buffer loses does not depend on its size, how late the rest is does. The kernel grants
at most `net.core.rmem_max`."""
READ_BYTES = 2048
"""More than the longest datagram, so that a longer one is seen to be too long."""
_ANCILLARY_BYTES = 64
_SIOCGIFADDR = 0x8915
_IP_MULTICAST_ALL = 49
_SO_TIMESTAMPNS = 35
_SO_RXQ_OVFL = 40
_SO_ATTACH_FILTER = 26
_SO_DETACH_FILTER = 27
_PROGRAM = struct.Struct("@HP")
_TIMESPEC = struct.Struct("@ll")
_TIMEVAL = struct.Struct("@ll")
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


def refuse_others(receiver: socket.socket, program: bytes) -> None:
    """Let the kernel drop what `program` refuses (`datagram_filter`), before it fills the buffer.

    What it drops is told as `overflowed`.
    """
    steps = array.array("B", program)
    address, length = steps.buffer_info()
    receiver.setsockopt(
        socket.SOL_SOCKET, _SO_ATTACH_FILTER, _PROGRAM.pack(length // STEP_BYTES, address)
    )


def accept_anything(receiver: socket.socket) -> None:
    """Undo `refuse_others`."""
    receiver.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)


class Packet(NamedTuple):
    """What one read of a receiver brought."""

    data: bytes
    """At most `READ_BYTES`; the rest of a longer datagram is lost."""
    source: str
    """The sender's address, without port."""
    ancillary: list[tuple[int, int, bytes]]

    @property
    def kernel_time(self) -> float | None:
        """Wall clock at which the kernel took it from the network, epoch seconds."""
        value = self._told(_SO_TIMESTAMPNS)
        if value is None or len(value) != _TIMESPEC.size:
            return None
        seconds, nanoseconds = _TIMESPEC.unpack(value)
        return float(seconds + nanoseconds * 1e-9)

    @property
    def overflowed(self) -> int:
        """Datagrams that the kernel dropped (no room, or refused) since the socket was opened."""
        value = self._told(_SO_RXQ_OVFL)
        return int(_COUNT.unpack(value)[0]) if value and len(value) == _COUNT.size else 0

    def _told(self, kind: int) -> bytes | None:
        for level, name, value in self.ancillary:
            if level == socket.SOL_SOCKET and name == kind:
                return value
        return None


def wait_at_most(receiver: socket.socket, seconds: float) -> None:
    """Let `read` time out after `seconds`, by the kernel: one system call a datagram, not two."""
    receiver.setblocking(True)
    whole = int(seconds)
    timeval = _TIMEVAL.pack(whole, int((seconds - whole) * 1e6))
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)


def read(receiver: socket.socket) -> Packet:
    """The next datagram.

    Raises:
        TimeoutError: none came within the socket's timeout.
        OSError: the socket is closed or its network is gone.
    """
    try:
        data, ancillary, _flags, address = receiver.recvmsg(READ_BYTES, _ANCILLARY_BYTES)
    except BlockingIOError:
        raise TimeoutError from None
    return Packet(data, address[0], ancillary)
