"""The life-cycle of alerts as a receiver keeps it, after EN 302 637-3 §8.2 (DENM).

Differences, each for a reason:

- A termination of an unknown event is kept as a tombstone (ETSI discards it): the NEW that was
  lost and comes late must not resurrect what is over.
- The validity that remains is `detection_time + validity_duration - now`, but never more than
  `validity_duration` from when the version was heard first, restarted by nothing but a new version,
  and it runs on the monotonic clock: setting the wall clock, ours or the station's, ends no alert
  and keeps none alive. "Now" is the transmit time of the datagram, by the clock that wrote the
  detection time.
- Events belong to the station that signed them: no other key can update or cancel them.
- A number may be given twice, by a station whose state was put back: see `identity`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hazardcast.contract.messages import Alert
from vehicle_agent.giving_way import Claim, first_to_go, gravity, source_of
from vehicle_agent.identity import Identity

log = logging.getLogger(__name__)
MAX_KNOWN = 1024
MAX_NAMESAKES = 4
MAX_REMAINING_S = 86_400.0
"""The longest validity there is (TS 103 831 validityDuration)."""
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
    identity: Identity | None = None
    dated_until: float = 0.0
    """Monotonic clock at which it ends by its own dates: until then it may be said again."""

    @property
    def forgotten_at(self) -> float:
        """Monotonic clock from which on nobody says it any more."""
        return max(self.deadline, self.dated_until) + LINGER_S

    @property
    def epoch(self) -> int:
        """The station's epoch in which this version was heard last."""
        return self.identity.epoch if self.identity else 0

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
    epoch: int = 0
    """The station's epoch."""

    def remaining_s(self, alert: Alert) -> float:
        """What remains of the validity of `alert`, which is heard now for the first time.

        One that is dated ahead of its own station's clock, as that was set back, would go on for
        as long as that clock was wrong.
        """
        return min(alert.valid_until - self.tx, alert.validity_duration_s)

    def dated_until(self, alert: Alert) -> float:
        """Monotonic clock at which `alert` ends by its own dates, as far as that is sensible."""
        return self.monotonic + min(alert.valid_until - self.tx, MAX_REMAINING_S)


class KnownAlerts:
    """Every event heard of, bounded in number."""

    def __init__(self, most: int = MAX_KNOWN) -> None:
        self._most = most
        self._events: dict[Key, list[Known]] = {}
        """Those of one number, which is one but for a station that gives numbers twice."""

    def __len__(self) -> int:
        """How many events are remembered, ended ones too."""
        return sum(len(namesakes) for namesakes in self._events.values())

    def __iter__(self) -> Iterator[Known]:
        """Every event remembered."""
        return (known for namesakes in self._events.values() for known in namesakes)

    def get(self, station: int, event_id: str, detection_time: float | None = None) -> Known | None:
        """What is known of an event: the last of its number, or the one detected then."""
        namesakes = self._events.get((station, event_id), [])
        if detection_time is not None:
            namesakes = [known for known in namesakes if known.detection_time == detection_time]
        return namesakes[-1] if namesakes else None

    def in_force(self) -> Iterator[Known]:
        """The events that go on."""
        return (known for known in self if known.in_force)

    def observe(self, alert: Alert, hearing: Hearing) -> Outcome:
        """Take one authentic version of an alert into account."""
        identity = Identity.of(alert, hearing.epoch)
        namesakes = self._events.get((hearing.station, alert.event_id), [])
        known = next((known for known in namesakes if _is_same(known, identity)), None)
        remaining_s = hearing.remaining_s(alert)
        if known is None:
            if remaining_s <= 0:
                return Outcome.EXPIRED
            if namesakes:
                facts = {"station": hearing.station, "event": alert.event_id}
                log.warning("one number for two events: both are kept", extra=facts)
            self._add(_known(alert, hearing, hearing.monotonic + remaining_s))
            return Outcome.TOMBSTONE if alert.terminated else Outcome.NEW
        version = (alert.reference_time, alert.terminated)
        if version < known.version or alert.detection_time < known.detection_time:
            return Outcome.OLD
        if version == known.version:
            return _repeat(known, alert, hearing)
        return self._renew(known, alert, hearing)

    def _renew(self, known: Known, alert: Alert, hearing: Hearing) -> Outcome:
        """A later version of what is known."""
        remaining_s = hearing.remaining_s(alert)
        if remaining_s <= 0 and not known.in_force:
            return Outcome.EXPIRED
        # Over by its station's clock, which was set: it ends as was known, unless it is cancelled.
        deadline = hearing.monotonic + remaining_s if remaining_s > 0 else known.deadline
        renewed = _known(alert, hearing, deadline)
        renewed.shown = known.shown
        namesakes = self._events[known.station, known.event_id]
        namesakes[namesakes.index(known)] = renewed
        if alert.terminated:
            return Outcome.NEGATE if alert.status == "negate" else Outcome.CANCEL
        return Outcome.NEW if known.terminated or known.expired else Outcome.UPDATE

    def _add(self, known: Known) -> None:
        namesakes = self._events.setdefault((known.station, known.event_id), [])
        namesakes.append(known)
        if len(namesakes) > MAX_NAMESAKES:
            self.forget(min(namesakes, key=lambda known: (known.in_force, known.deadline)))
        if len(self) > self._most:
            for claim in first_to_go(self._claims(), self._most):
                self.forget(claim.known)

    def _claims(self) -> list[_Place]:
        """What speaks for each event; of equals the one that ends soonest gives way.

        Said again, it does so again: else each of them would be new whenever it is said.
        """
        return [
            _Place(
                source_of(known.station, known.alert) if known.alert else None,
                gravity(known.alert) if known.alert else 0,
                not known.in_force,
                known=known,
            )
            for known in sorted(self, key=lambda known: known.deadline)
        ]

    def expire(self, monotonic: float) -> list[Known]:
        """End what is past its validity; returns the events that were in force until now."""
        ended = [known for known in self.in_force() if known.deadline <= monotonic]
        for known in ended:
            known.expired = True
        for known in [known for known in self if known.forgotten_at <= monotonic]:
            self.forget(known)
        return ended

    def forget(self, known: Known) -> None:
        """Drop an event, so that hearing it again makes it new."""
        key = known.station, known.event_id
        left = [other for other in self._events.get(key, []) if other is not known]
        if left:
            self._events[key] = left
        else:
            self._events.pop(key, None)

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
                "remaining_s": known.deadline - monotonic,
                **(known.identity.remembered() if known.identity else {}),
            }
            for known in self
            if not known.expired
        ]

    def recall(self, memory: list[dict[str, Any]], *, now: float, monotonic: float) -> None:
        """Take up what `remember` gave; nothing of it is in force until it is said again.

        What makes no sense is left out: the worst that comes of it is a line shown twice.
        """
        for entry in memory[-self._most :]:
            try:
                known = _recalled(entry, now=now, monotonic=monotonic)
            except (KeyError, TypeError, ValueError, OverflowError) as error:
                log.warning("kept alert left out", extra={"reason": repr(error)})
                continue
            if known.deadline > monotonic:
                self._add(known)


@dataclass(kw_only=True)
class _Place(Claim):
    """What speaks for keeping an event where there are too many."""

    known: Known


def _known(alert: Alert, hearing: Hearing, deadline: float) -> Known:
    return Known(
        station=hearing.station,
        event_id=alert.event_id,
        detection_time=alert.detection_time,
        reference_time=alert.reference_time,
        terminated=alert.terminated,
        deadline=deadline,
        heard=hearing.monotonic,
        alert=alert,
        kid=hearing.kid,
        trusted=hearing.trusted,
        identity=Identity.of(alert, hearing.epoch),
        dated_until=hearing.dated_until(alert),
    )


def _recalled(entry: dict[str, Any], *, now: float, monotonic: float) -> Known:
    """A remembered event.

    It remains no longer than when it was kept, whatever our clock says now: after a boot without a
    battery-backed clock that may be 1970.
    """
    remaining_s = float(entry["valid_until"]) - now
    remaining_s = min(remaining_s, float(entry.get("remaining_s", remaining_s)), MAX_REMAINING_S)
    times = (float(entry["detection_time"]), float(entry["reference_time"]))
    if not all(map(math.isfinite, (remaining_s, *times))):
        raise ValueError("not a time")
    return Known(
        station=int(entry["station"]),
        event_id=str(entry["event_id"]),
        detection_time=times[0],
        reference_time=times[1],
        terminated=bool(entry["terminated"]),
        deadline=monotonic + remaining_s,
        heard=monotonic,
        shown=bool(entry["shown"]),
        identity=Identity.recalled(entry),
    )


def _is_same(known: Known, identity: Identity) -> bool:
    return known.identity is None or identity.continues(known.identity)


def _repeat(known: Known, alert: Alert, hearing: Hearing) -> Outcome:
    """The same version once more, which restarts nothing: its end is known since it was heard."""
    if known.expired:
        return Outcome.EXPIRED
    known.heard = hearing.monotonic
    known.kid = hearing.kid
    known.trusted |= hearing.trusted
    known.identity = Identity.of(alert, hearing.epoch)
    if known.alert is not None:
        return Outcome.REPETITION
    remaining_s = hearing.remaining_s(alert)
    if remaining_s <= 0:
        return Outcome.EXPIRED
    known.alert, known.deadline = alert, hearing.monotonic + remaining_s
    known.dated_until = hearing.dated_until(alert)
    return Outcome.REPETITION if alert.terminated else Outcome.RESUMED
