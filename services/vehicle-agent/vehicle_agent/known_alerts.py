"""The life-cycle of alerts as a receiver keeps it, after EN 302 637-3 §8.2 (DENM).

Differences, each for a reason:

- A termination of an unknown event is kept as a tombstone (ETSI discards it): the NEW that was
  lost and comes late must not resurrect what is over.
- The validity that remains is `detection_time + validity_duration - now`, restarted by nothing
  but a new version, and it runs on the monotonic clock: setting the wall clock ends no alert and
  keeps none alive. "Now" is the transmit time of the datagram, by the clock that wrote the
  detection time.
- Events belong to the station that signed them: no other key can update or cancel them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hazardcast.messages import Alert

MAX_KNOWN = 1024
LINGER_S = 60.0
"""How long an expired event is remembered, so that a clock a little behind cannot revive it."""

Key = tuple[int, str]


class Outcome(StrEnum):
    """What one received version of an alert meant; the label `result` of the metric."""

    NEW = "new"
    UPDATE = "update"
    CANCEL = "cancel"
    NEGATE = "negate"
    REPETITION = "repetition"
    RESUMED = "resumed"
    """Known from before a restart and said again: in force, nothing new to show."""
    TOMBSTONE = "tombstone"
    """The end of an event that was never heard of."""
    OLD = "old"
    EXPIRED = "expired"


@dataclass
class Known:
    """One event of one station, at its newest version."""

    station: int
    event_id: str
    detection_time: float
    reference_time: float
    terminated: bool
    deadline: float
    """Monotonic clock at which the validity ends."""
    heard: float
    """Monotonic clock at which this version was heard last."""
    alert: Alert | None = None
    """None for what is only remembered from before a restart."""
    kid: str = ""
    """The key that signed this version."""
    trusted: bool = False
    """Known to be fresh when it was heard, so that the vehicle may act on it."""
    shown: bool = False
    expired: bool = False

    @property
    def in_force(self) -> bool:
        """Whether the event goes on, as far as is known."""
        return self.alert is not None and not self.terminated and not self.expired

    @property
    def version(self) -> tuple[float, bool]:
        """Orders versions; a termination is newer than what it ends at the same time (negate)."""
        return (self.reference_time, self.terminated)


@dataclass(frozen=True)
class Hearing:
    """How a version of an alert was heard."""

    station: int
    """Who signed it."""
    tx: float
    """The station's clock when it was sent, epoch seconds."""
    monotonic: float
    """When it was received, on this machine's monotonic clock."""
    kid: str = ""
    trusted: bool = True

    def deadline(self, alert: Alert) -> float:
        """Monotonic clock at which the validity of `alert` ends."""
        return self.monotonic + alert.valid_until - self.tx


class KnownAlerts:
    """Every event heard of, bounded in number."""

    def __init__(self, most: int = MAX_KNOWN) -> None:
        self._most = most
        self._events: dict[Key, Known] = {}

    def __len__(self) -> int:
        """How many events are remembered, ended ones too."""
        return len(self._events)

    def get(self, station: int, event_id: str) -> Known | None:
        """What is known of an event."""
        return self._events.get((station, event_id))

    def in_force(self) -> Iterator[Known]:
        """The events that go on."""
        return (known for known in self._events.values() if known.in_force)

    def observe(self, alert: Alert, hearing: Hearing) -> Outcome:
        """Take one authentic version of an alert into account."""
        remaining_s = alert.valid_until - hearing.tx
        if remaining_s <= 0:
            return Outcome.EXPIRED
        known = self._events.get((hearing.station, alert.event_id))
        if known is None:
            self._store(alert, hearing, shown=False)
            return Outcome.TOMBSTONE if alert.terminated else Outcome.NEW
        version = (alert.reference_time, alert.terminated)
        if version < known.version or alert.detection_time < known.detection_time:
            return Outcome.OLD
        if version == known.version:
            return _repeat(known, alert, hearing)
        self._store(alert, hearing, shown=known.shown)
        if alert.terminated:
            return Outcome.NEGATE if alert.status == "negate" else Outcome.CANCEL
        return Outcome.NEW if known.terminated or known.expired else Outcome.UPDATE

    def _store(self, alert: Alert, hearing: Hearing, *, shown: bool) -> None:
        self._events[hearing.station, alert.event_id] = Known(
            station=hearing.station,
            event_id=alert.event_id,
            detection_time=alert.detection_time,
            reference_time=alert.reference_time,
            terminated=alert.terminated,
            deadline=hearing.deadline(alert),
            heard=hearing.monotonic,
            alert=alert,
            kid=hearing.kid,
            trusted=hearing.trusted,
            shown=shown,
        )
        if len(self._events) > self._most:
            self._forget_one()

    def _forget_one(self) -> None:
        """Over first, then what ends soonest."""
        key, _ = min(self._events.items(), key=lambda item: (item[1].in_force, item[1].deadline))
        del self._events[key]

    def expire(self, monotonic: float) -> list[Known]:
        """End what is past its validity; returns the events that were in force until now."""
        ended = [known for known in self.in_force() if known.deadline <= monotonic]
        for known in ended:
            known.expired = True
        gone = [
            key for key, known in self._events.items() if known.deadline + LINGER_S <= monotonic
        ]
        for key in gone:
            del self._events[key]
        return ended

    def forget(self, known: Known) -> None:
        """Drop an event, so that hearing it again makes it new."""
        self._events.pop((known.station, known.event_id), None)

    def remember(
        self, *, now: float, monotonic: float, owed: frozenset[str] = frozenset()
    ) -> list[dict[str, Any]]:
        """What must outlive a restart of this process, as JSON values.

        Events in `owed` are kept as not shown, whatever is on its way to the driver.
        """
        return [
            {
                "station": known.station,
                "event_id": known.event_id,
                "detection_time": known.detection_time,
                "reference_time": known.reference_time,
                "terminated": known.terminated,
                "shown": known.shown and known.event_id not in owed,
                "valid_until": now + known.deadline - monotonic,
            }
            for known in self._events.values()
            if not known.expired
        ]

    def recall(self, memory: list[dict[str, Any]], *, now: float, monotonic: float) -> None:
        """Take up what `remember` gave; nothing of it is in force until it is said again.

        Raises:
            KeyError, TypeError, ValueError: it is not what `remember` gives.
        """
        for entry in memory[-self._most :]:
            remaining_s = float(entry["valid_until"]) - now
            if remaining_s <= 0:
                continue
            known = Known(
                station=int(entry["station"]),
                event_id=str(entry["event_id"]),
                detection_time=float(entry["detection_time"]),
                reference_time=float(entry["reference_time"]),
                terminated=bool(entry["terminated"]),
                deadline=monotonic + remaining_s,
                heard=monotonic,
                shown=bool(entry["shown"]),
            )
            self._events[known.station, known.event_id] = known


def _repeat(known: Known, alert: Alert, hearing: Hearing) -> Outcome:
    if known.expired:
        return Outcome.EXPIRED
    known.heard = hearing.monotonic
    known.deadline = min(known.deadline, hearing.deadline(alert))
    known.kid = hearing.kid
    known.trusted |= hearing.trusted
    if known.alert is not None:
        return Outcome.REPETITION
    known.alert = alert
    return Outcome.REPETITION if alert.terminated else Outcome.RESUMED
