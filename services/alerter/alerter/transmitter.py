"""The edge to the network: seals each datagram and sends it to the group and the unicast list."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from typing import NamedTuple

from alerter import metrics
from alerter.datagrams import alert_payload, heartbeat_payload
from alerter.schedule import Slot
from hazardcast.addresses import Address, host_port
from hazardcast.clock import Clock
from hazardcast.envelope import Signer, seal
from hazardcast.errors import ConfigError
from hazardcast.messages import Heartbeat
from hazardcast.multicast import Group, open_sender

log = logging.getLogger(__name__)
COMPLAIN_EVERY_S = 10.0


class Sent(NamedTuple):
    """A datagram that has left (or that the network refused)."""

    text: str
    seq: int
    tx: float
    """Wall clock just before it was sealed."""


class Totals(NamedTuple):
    """What was numbered in this epoch."""

    seq: int = 0
    alerts: int = 0
    heartbeats: int = 0
    last_alert_seq: int = 0


class Transmitter:
    """Numbers, stamps, seals and sends; any thread may call it."""

    def __init__(
        self, group: Group, signer: Signer, *, station: int, epoch: int, clock: Clock
    ) -> None:
        self._group: Address = (group.address, group.port)
        self._signer = signer
        self._station = station
        self._epoch = epoch
        self._clock = clock
        self._socket = open_sender(group)
        self._socket.setblocking(False)
        self._unicast: tuple[Address, ...] = ()
        self._numbering = threading.Lock()
        self._totals = Totals()
        self._complained_at = float("-inf")
        self.failing = False
        """True while the network refuses the group's datagrams."""

    @property
    def totals(self) -> Totals:
        """What was sent in this epoch."""
        return self._totals

    @property
    def signer(self) -> Signer:
        """The key that signs now."""
        return self._signer

    def sign_with(self, signer: Signer) -> None:
        """Use another key from the next datagram on."""
        self._signer = signer

    def also_send_to(self, addresses: tuple[Address, ...]) -> None:
        """Send every datagram to these addresses too."""
        self._unicast = addresses

    def send_alert(self, slot: Slot) -> Sent:
        """Send one copy of an alert."""
        with self._numbering:
            totals = self._totals
            seq = totals.seq + 1
            self._totals = Totals(seq, totals.alerts + 1, totals.heartbeats, seq)
        tx = self._clock.now()
        group = slot.group
        payload = alert_payload(
            station=self._station, epoch=self._epoch, seq=seq, tx=tx, tick=group.tick,
            copy=(slot.index, group.copies), alert=group.text,
        )  # fmt: skip
        return self._send(payload, seq, tx, "alert")

    def send_heartbeat(self, tick: int, compose: Callable[[Totals], Heartbeat]) -> Sent:
        """Send a heartbeat; its totals include itself."""
        with self._numbering:
            was = self._totals
            seq = was.seq + 1
            totals = Totals(seq, was.alerts, was.heartbeats + 1, was.last_alert_seq)
            self._totals = totals
        heartbeat, tx = compose(totals), self._clock.now()
        payload = heartbeat_payload(
            station=self._station, epoch=self._epoch, seq=seq, tx=tx, tick=tick,
            heartbeat=heartbeat,
        )  # fmt: skip
        return self._send(payload, seq, tx, "heartbeat")

    def _send(self, payload: str, seq: int, tx: float, kind: str) -> Sent:
        text = seal(payload.encode(), self._signer)
        data = text.encode("ascii")
        self.failing = not self._send_to(data, self._group)
        for address in self._unicast:
            self._send_to(data, address)
        metrics.SENT_AS[kind].inc()
        return Sent(text, seq, tx)

    def _send_to(self, data: bytes, address: Address) -> bool:
        try:
            self._socket.sendto(data, address)
        except OSError as error:
            self._complain(error, address)
            return False
        return True

    def _complain(self, error: OSError, address: Address) -> None:
        metrics.SEND_ERRORS.labels(reason=type(error).__name__).inc()
        now = self._clock.monotonic()
        if now - self._complained_at >= COMPLAIN_EVERY_S:
            self._complained_at = now
            log.error("network refused a datagram", extra={"to": address, "reason": str(error)})

    def close(self) -> None:
        """Send no more."""
        self._socket.close()


def parse_unicast(text: str | None) -> tuple[Address, ...]:
    """The `host:port` list of `HAZARDCAST_UNICAST`.

    Raises:
        ConfigError: an entry is not host:port.
    """
    entries = (part.strip() for part in (text or "").split(","))
    try:
        return tuple(host_port(entry) for entry in entries if entry)
    except ValueError as error:
        raise ConfigError(f"HAZARDCAST_UNICAST: {error}") from None


def resolve(addresses: tuple[Address, ...]) -> tuple[Address, ...]:
    """Host names as IPv4 addresses, so that no send waits for DNS; unknown ones are left out."""
    found = []
    for host, port in addresses:
        try:
            found.append((socket.gethostbyname(host), port))
        except OSError as error:
            log.warning("unicast host unknown", extra={"host": host, "reason": str(error)})
    return tuple(found)
