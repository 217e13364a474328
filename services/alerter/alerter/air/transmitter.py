"""The edge to the network: seals each datagram and sends it to the group and the unicast list."""

from __future__ import annotations

import logging
import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from alerter import metrics
from alerter.air.datagrams import alert_payload, heartbeat_payload
from alerter.air.schedule import Slot
from hazardcast.contract.errors import ConfigError
from hazardcast.contract.messages import Heartbeat
from hazardcast.machine.clock import Clock
from hazardcast.net.addresses import Address
from hazardcast.net.multicast import Group, open_sender, open_unicast_sender
from hazardcast.signing.envelope import Signer, seal

log = logging.getLogger(__name__)
COMPLAIN_EVERY_S = 10.0
HEARTBEATS_KEPT = 4


class Sent(NamedTuple):
    """A datagram that has left (or that the network refused)."""

    text: str
    seq: int
    tx: float
    """Wall clock just before it was sealed."""


class Heard(NamedTuple):
    """A heartbeat as it is to be heard on the group."""

    data: bytes
    at: float
    """When it was sent, monotonic seconds."""


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
        self._group = group
        self._to_group: Address = (group.address, group.port)
        self._signer = signer
        self._station = station
        self._epoch = epoch
        self._clock = clock
        self._socket: socket.socket | None = None
        self._retired: socket.socket | None = None
        self._unicast = tuple(map(_open_unicast, (socket.AF_INET, socket.AF_INET6)))
        self._also_to: tuple[tuple[socket.socket | None, Address], ...] = ()
        self._numbering = threading.Lock()
        self._totals = Totals()
        self._complained_at: dict[Address, float] = {}
        self.problem: str | None = None
        """Why the network refuses the group's datagrams; None while it takes them."""
        self.heartbeats: deque[Heard] = deque(maxlen=HEARTBEATS_KEPT)
        """The newest heartbeats, so that they are known again when heard on the group."""
        self.reopen()

    @property
    def totals(self) -> Totals:
        """What was sent in this epoch."""
        return self._totals

    def begin_epoch(self, epoch: int) -> None:
        """Count from one again, in a higher epoch."""
        with self._numbering:
            self._epoch, self._totals = epoch, Totals()

    @property
    def signer(self) -> Signer:
        """The key that signs now."""
        return self._signer

    def sign_with(self, signer: Signer) -> None:
        """Use another key from the next datagram on."""
        self._signer = signer

    @property
    def failing(self) -> bool:
        """Whether the network refuses the group's datagrams."""
        return self.problem is not None

    def reopen(self) -> bool:
        """Send to the group from where its interface is now; False while it is not there.

        An interface that has got another address, or went and came back, refuses whatever was
        opened before. For one caller at a time.
        """
        try:
            fresh = open_sender(self._group)
        except (OSError, ConfigError) as error:
            self._complain(error, self._to_group)
            self.problem = str(error)
            return False
        fresh.setblocking(False)
        if self._retired:  # not the one in use: another thread may be sending by it right now
            self._retired.close()
        self._socket, self._retired = fresh, self._socket
        return True

    def also_send_to(self, addresses: tuple[Address, ...]) -> None:
        """Send every datagram to these IP addresses too."""
        by_ipv4, by_ipv6 = self._unicast
        self._also_to = tuple((by_ipv6 if ":" in one[0] else by_ipv4, one) for one in addresses)

    def send_alert(self, slot: Slot) -> Sent:
        """Send one copy of an alert."""
        with self._numbering:
            epoch, totals = self._epoch, self._totals
            seq = totals.seq + 1
            self._totals = Totals(seq, totals.alerts + 1, totals.heartbeats, seq)
        tx = self._clock.now()
        group = slot.group
        payload = alert_payload(
            station=self._station, epoch=epoch, seq=seq, tx=tx, tick=group.tick,
            copy=(slot.index, group.copies), alert=group.text,
        )  # fmt: skip
        return self._send(payload, seq, tx, "alert")

    def send_heartbeat(self, tick: int, compose: Callable[[Totals], Heartbeat]) -> Sent:
        """Send a heartbeat; its totals include itself."""
        with self._numbering:
            epoch, was = self._epoch, self._totals
            seq = was.seq + 1
            totals = Totals(seq, was.alerts, was.heartbeats + 1, was.last_alert_seq)
            self._totals = totals
        heartbeat, tx = compose(totals), self._clock.now()
        payload = heartbeat_payload(
            station=self._station, epoch=epoch, seq=seq, tx=tx, tick=tick,
            heartbeat=heartbeat,
        )  # fmt: skip
        return self._send(payload, seq, tx, "heartbeat")

    def _send(self, payload: str, seq: int, tx: float, kind: str) -> Sent:
        text = seal(payload.encode(), self._signer)
        data = text.encode("ascii")
        if kind == "heartbeat":
            self.heartbeats.append(Heard(data, self._clock.monotonic()))
        self.problem = self._send_by(self._socket, data, self._to_group)
        for sender, address in self._also_to:
            self._send_by(sender, data, address)
        metrics.SENT_AS[kind].inc()
        return Sent(text, seq, tx)

    def _send_by(self, sender: socket.socket | None, data: bytes, address: Address) -> str | None:
        """Why it was refused, None if it was taken."""
        if sender is None:
            metrics.SEND_ERRORS.labels(reason="NoInterface").inc()
            return self.problem or "no interface"
        try:
            sender.sendto(data, address)
        except OSError as error:
            self._complain(error, address)
            return str(error)
        return None

    def _complain(self, error: Exception, address: Address) -> None:
        metrics.SEND_ERRORS.labels(reason=type(error).__name__).inc()
        now = self._clock.monotonic()
        if now - self._complained_at.get(address, float("-inf")) >= COMPLAIN_EVERY_S:
            self._complained_at[address] = now
            log.error("network refused a datagram", extra={"to": address, "reason": str(error)})

    def close(self) -> None:
        """Send no more."""
        for one in (self._socket, self._retired, *self._unicast):
            if one:
                one.close()


def _open_unicast(family: socket.AddressFamily) -> socket.socket | None:
    """None where the machine does not know the family."""
    try:
        sender = open_unicast_sender(family)
    except OSError:
        return None
    sender.setblocking(False)
    return sender
