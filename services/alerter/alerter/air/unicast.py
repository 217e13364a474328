"""Vehicles that get every datagram by unicast, some of them by name: DNS may fail, or never answer.

Names are looked up on threads of their own, so that nothing else waits for DNS. A name that can no
longer be looked up keeps the address that it had: the vehicle is most likely where it was.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import threading
from collections.abc import Callable, Sequence

from hazardcast.contract.errors import ConfigError
from hazardcast.machine.clock import Clock
from hazardcast.net.addresses import Address, host_port

log = logging.getLogger(__name__)
LOOK_UP_EVERY_S = 30.0
TRY_AGAIN_S = 5.0
COMPLAIN_EVERY_S = 60.0
MAX_THREADS = 8
"""One name that DNS is silent about (10 s and more) holds up few others."""

LookUp = Callable[[Address], Address]
"""A name's present address. Raises OSError."""


def parse(text: str | None) -> tuple[Address, ...]:
    """The `host:port` list of `HAZARDCAST_UNICAST`.

    Raises:
        ConfigError: an entry is not host:port.
    """
    entries = (part.strip() for part in (text or "").split(","))
    try:
        return tuple(host_port(entry) for entry in entries if entry)
    except ValueError as error:
        raise ConfigError(f"HAZARDCAST_UNICAST: {error}") from None


def look_up(name: Address) -> Address:
    """The IPv4 address of a host, its IPv6 address if it has no other.

    Raises:
        OSError: it is not known, or nobody can be asked.
    """
    found = socket.getaddrinfo(*name, type=socket.SOCK_DGRAM)
    found.sort(key=lambda one: one[0] != socket.AF_INET)
    return str(found[0][4][0]), name[1]


class UnicastList:
    """The list's present addresses, told to `use` whenever one becomes known or changes."""

    def __init__(
        self,
        names: Sequence[Address],
        use: Callable[[tuple[Address, ...]], None],
        *,
        clock: Clock,
        look_up: LookUp = look_up,
    ) -> None:
        self._known: dict[Address, Address] = {one: one for one in names if _is_literal(one[0])}
        self._names = tuple(dict.fromkeys(names))
        self._use = use
        self._clock = clock
        self._look_up = look_up
        self._complained_at: dict[Address, float] = {}
        self._lock = threading.Lock()
        self._tell()

    @property
    def tasks(self) -> list[Callable[[threading.Event], None]]:
        """Endless look-ups, each to be run on a thread of its own until an event is set."""
        names = [name for name in self._names if name not in self._known]
        parts = [names[first::MAX_THREADS] for first in range(min(MAX_THREADS, len(names)))]
        return [lambda stop, part=part: self._keep_known(part, stop) for part in parts]  # type: ignore[misc]

    def _keep_known(self, names: Sequence[Address], stop: threading.Event) -> None:
        while not stop.is_set():
            found = [self._refresh(name) for name in names if not stop.is_set()]
            self._clock.wait(stop, LOOK_UP_EVERY_S if all(found) else TRY_AGAIN_S)

    def _refresh(self, name: Address) -> bool:
        try:
            address = self._look_up(name)
        except (OSError, UnicodeError) as error:
            self._complain(name, error)
            return False
        with self._lock:
            if self._known.get(name) == address:
                return True
            self._known[name] = address
            self._tell()
        log.info("unicast host found", extra={"host": name[0], "address": address[0]})
        self._complained_at.pop(name, None)
        return True

    def _tell(self) -> None:
        self._use(tuple(self._known[name] for name in self._names if name in self._known))

    def _complain(self, name: Address, error: Exception) -> None:
        now = self._clock.monotonic()
        if now - self._complained_at.get(name, float("-inf")) < COMPLAIN_EVERY_S:
            return
        self._complained_at[name] = now
        known = self._known.get(name)
        used = known[0] if known else "none: this host is told nothing by unicast"
        log.warning(
            "unicast host unknown", extra={"host": name[0], "reason": str(error), "used": used}
        )


def _is_literal(host: str) -> bool:
    """Whether it is an address already, which needs no look-up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
