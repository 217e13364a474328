"""What the broker says now: alerts in force, what waits, clips, and how every service is."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TypeVar

from hazardcast.contract.messages import Alert, ClipState, Pending, ServiceStatus
from hazardcast.contract.topics import ACTIVE, CLIPS, PENDING, STATUS
from hazardcast.machine.clock import Clock
from hazardcast.mqtt.bus import Bus, Delivery

T = TypeVar("T")
SAME_TIME_S = 0.001


@dataclass(frozen=True)
class Heard:
    """A service's word, and when it came."""

    status: ServiceStatus
    at: float
    """Epoch seconds by this machine; of what was retained, when that was said."""
    live: bool
    """It came as it was said: the two clocks can be compared."""


class Board:
    """Retained words by their name; heard on the bus's thread, read on any."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._alerts: dict[str, Alert] = {}
        self._pending: dict[str, Pending] = {}
        self._clips: dict[str, ClipState] = {}
        self._services: dict[str, Heard] = {}
        self._broker_since: float | None = None

    def subscribe(self, bus: Bus) -> None:
        """Hear from now on."""
        bus.subscribe(
            ACTIVE,
            lambda alert, _: self._put(self._alerts, alert.event_id, alert),
            cleared=lambda delivery: self._drop(self._alerts, delivery),
        )
        bus.subscribe(
            PENDING,
            lambda pending, _: self._put(self._pending, pending.event_id, pending),
            cleared=lambda delivery: self._drop(self._pending, delivery),
        )
        bus.subscribe(
            CLIPS,
            lambda clip, _: self._put(self._clips, clip.event_id, clip),
            cleared=lambda delivery: self._drop(self._clips, delivery),
        )
        bus.subscribe(STATUS, self._hear)
        bus.on_connect(self._connected)

    def _put(self, held: dict[str, T], key: str, word: T) -> None:
        with self._lock:
            held[key] = word

    def _drop(self, held: dict[str, T], delivery: Delivery) -> None:
        with self._lock:
            held.pop(delivery.parameters["event_id"], None)

    def _hear(self, status: ServiceStatus, delivery: Delivery) -> None:
        at = status.ts if delivery.retained else delivery.received_at
        with self._lock:
            self._services[delivery.path] = Heard(status, at, live=not delivery.retained)

    def _connected(self) -> None:
        self._broker_since = self._clock.now()

    @property
    def broker_since(self) -> float | None:
        """When the broker was last reached, epoch seconds; None: not yet."""
        return self._broker_since

    def alert(self, event_id: str) -> Alert | None:
        """The alert in force of this id."""
        return self._alerts.get(event_id)

    def pending(self, event_id: str) -> Pending | None:
        """What waits under this id."""
        return self._pending.get(event_id)

    def clip(self, event_id: str) -> ClipState | None:
        """The clip of this id."""
        return self._clips.get(event_id)

    def alert_reported_at(self, ts: float) -> Alert | None:
        """The alert whose report carried this time; the alerter tells it to the millisecond."""
        with self._lock:
            found = (one for one in self._alerts.values() if abs(one.ts - ts) < SAME_TIME_S)
            return next(found, None)

    def services(self) -> list[Heard]:
        """Every service's newest word."""
        with self._lock:
            return list(self._services.values())
