"""TCP ports of this machine: free ones, taken ones, and listening on one."""

from __future__ import annotations

import contextlib
import errno
import socket

LOOPBACK = "127.0.0.1"
BACKLOG = 128
"""Connections that may wait to be accepted."""
NO_SOCKET = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""The process or the system is at its limit, which says nothing of any port."""


def free_ports(count: int, host: str = LOOPBACK) -> list[int]:
    """`count` different ports that nobody listens on just now."""
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((host, 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def answers(host: str, port: int, *, timeout_s: float = 1.0) -> bool:
    """Whether somebody accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s):
            return True
    except OSError as error:
        if error.errno in NO_SOCKET:
            raise
        return False


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on `host` (a name, IPv4 or IPv6), for both families on `::`.

    Raises:
        OSError: there is no such address here, or the port is taken.
    """
    family, address = _here(host, port)
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(host != "::"))
        listener.bind(address)
        # At once: until a socket listens, SO_REUSEADDR lets another process take the same port.
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _here(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    """Family and address to listen on; one that is written as a number waits for no DNS."""
    family, _, _, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    return family, address  # type: ignore[return-value]
