"""UDP sockets of the alert path: an explicit interface, TTL and DSCP; joined on the group alone."""

from __future__ import annotations

import array
import contextlib
import fcntl
import ipaddress
import os
import socket
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from hazardcast.contract.errors import ConfigError
from hazardcast.receiving.bpf import STEP_BYTES

DSCP_EXPEDITED_FORWARDING = 46  # RFC 3246
RECEIVE_BUFFER_BYTES = 1 << 20
"""Room for a stall of a second at 500 datagrams/s. More would only make a flood queue for longer:
what a full buffer loses does not depend on its size, how late the rest is does. The kernel grants
at most `net.core.rmem_max`."""
READ_BYTES = 2048
"""More than the longest datagram, so that a longer one is seen to be too long."""
_ANCILLARY_BYTES = 64
_SIOCGIFCONF, _SIOCGIFFLAGS, _SIOCGIFADDR = 0x8912, 0x8913, 0x8915
_NAME_BYTES, _IFREQ_BYTES = 16, 24 + 2 * struct.calcsize("@L")
_MREQN = struct.Struct("@4x4si")
_IFCONF = struct.Struct("@iP")
_FLAGS = struct.Struct("@H")
_WORKS = 0x1 | 0x40  # IFF_UP | IFF_RUNNING of linux/if.h
_IP_MULTICAST_ALL = 49
_SO_TIMESTAMPNS = 35
_SO_RXQ_OVFL = 40
_SO_ATTACH_FILTER = 26
_SO_DETACH_FILTER = 27
_PROGRAM = struct.Struct("@HP")
_MEMBERSHIPS = Path("/proc/net/igmp")
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


class Place(NamedTuple):
    """Where an interface is now; another index or address makes sockets opened before useless."""

    address: str
    """IPv4."""
    number: int
    """The kernel's number of it; one that went and came back has another."""
    running: bool
    """Up, and with a carrier: what is sent leaves the machine."""


ANYWHERE = Place("0.0.0.0", 0, running=True)  # noqa: S104 - INADDR_ANY: let routing choose


def place_of(interface: str | None) -> Place:
    """Where the interface given by name or address is at present; `ANYWHERE` for None.

    Raises:
        ConfigError: there is no such interface now, or it has no IPv4 address.
    """
    if interface is None:
        return ANYWHERE
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        if _is_address(interface):
            name, address = _holder_of(probe, interface), interface
        else:
            name, address = interface, _address_of(probe, interface)
        try:
            flags = _FLAGS.unpack_from(_ask(probe, _SIOCGIFFLAGS, name), _NAME_BYTES)[0]
            return Place(address, socket.if_nametoindex(name), flags & _WORKS == _WORKS)
        except OSError:
            raise _absent(interface) from None


def _is_address(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def _ask(probe: socket.socket, question: int, name: str) -> bytes:
    """An answer in a `struct ifreq` (netdevice(7))."""
    return fcntl.ioctl(probe.fileno(), question, struct.pack("256s", os.fsencode(name)[:15]))


def _address_of(probe: socket.socket, name: str) -> str:
    try:
        return socket.inet_ntoa(_ask(probe, _SIOCGIFADDR, name)[20:24])
    except OSError:
        raise _absent(name) from None


def _holder_of(probe: socket.socket, address: str) -> str:
    """The interface that has an address, also where it is not its first one."""
    wanted, room = socket.inet_aton(address), array.array("B", bytes(_IFREQ_BYTES * 256))
    begins, size = room.buffer_info()
    try:
        answer = fcntl.ioctl(probe.fileno(), _SIOCGIFCONF, _IFCONF.pack(size, begins))
    except OSError:
        raise _absent(address) from None
    told = room.tobytes()[: _IFCONF.unpack(answer)[0]]
    for at in range(0, len(told), _IFREQ_BYTES):
        if told[at + 20 : at + 24] == wanted:
            label = told[at : at + _NAME_BYTES].split(b"\0", 1)[0]
            return os.fsdecode(label.partition(b":")[0])  # an alias, `eth0:1`
    raise _absent(address)


def _absent(interface: str) -> ConfigError:
    problem = f"no interface {interface!r} with an IPv4 address"
    return ConfigError(f"HAZARDCAST_MULTICAST_INTERFACE: {problem}")


def interface_address(interface: str | None) -> str:
    """The IPv4 address of an interface given by name or address; 0.0.0.0 for None.

    Raises:
        ConfigError: there is no such interface now, or it has no IPv4 address.
    """
    if interface is not None and _is_address(interface):
        return interface
    return place_of(interface).address


def open_sender(group: Group) -> socket.socket:
    """A socket that sends to groups by the chosen interface, marked expedited (DSCP EF).

    It is bound to where the interface is now (`place_of`).

    Raises:
        ConfigError: there is no such interface now, or it has no IPv4 address.
        OSError: the interface went away meanwhile.
    """
    sender = open_unicast_sender(socket.AF_INET)
    try:
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, group.ttl)
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        if group.interface is not None:
            place = place_of(group.interface)
            chosen = _MREQN.pack(socket.inet_aton(place.address), place.number)
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, chosen)
    except (OSError, ConfigError):
        sender.close()
        raise
    return sender


def open_unicast_sender(family: socket.AddressFamily) -> socket.socket:
    """A socket that sends to single addresses, marked expedited (DSCP EF)."""
    sender = socket.socket(family, socket.SOCK_DGRAM)
    marked = DSCP_EXPEDITED_FORWARDING << 2
    if family == socket.AF_INET6:
        sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, marked)
    else:
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, marked)
    return sender


def try_route(group: Group) -> str:
    """Ask the kernel whether it would send to the group now; nothing is sent.

    Returns the address that it would send from.

    Raises:
        ConfigError: as `open_sender`.
        OSError: it would not: no route, no such device.
    """
    with open_sender(group) as probe:
        probe.connect((group.address, group.port))
        return str(probe.getsockname()[0])


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


def is_forgotten(group: Group) -> bool:
    """Whether the kernel lost the membership, as it does with an interface that is removed.

    By /proc/net/igmp (proc(5)); where that does not tell, nothing is forgotten.
    """
    try:
        wanted = place_of(group.interface).number
        told = _MEMBERSHIPS.read_text("ascii").splitlines()[1:]
    except (OSError, ConfigError, UnicodeDecodeError):
        return False
    number, joined = 0, set()
    for line in told:
        first = line.split()[0]
        if line[0].isspace():
            joined.add((number, first))
        else:
            number = int(first)
    name = f"{int.from_bytes(socket.inet_aton(group.address), sys.byteorder):08X}"
    return not any(group_ == name and wanted in (0, at) for at, group_ in joined)


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
    """Let the kernel drop what `program` refuses (`receiving.bpf`), before it fills the buffer.

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
