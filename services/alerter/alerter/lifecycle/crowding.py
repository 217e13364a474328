"""Who gives way when the register is crowded. Pure; why so: docs/design/bounds.md.

What is over makes room for what is new, the slight before the grave, and no source may take the
room of others. An alert in force is never given up: where there is no room for a new one, the
report joins the nearest in force, so that it is told all the same.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from alerter.ingest.placing import Place
from alerter.lifecycle.events import Event
from hazardcast.contract.geo import distance_m
from hazardcast.contract.incident_types import CAUSES, Severity
from hazardcast.contract.messages import Incident

UNNAMED = ""
REHEARSAL = "test"
CAMERA, PRODUCER = "camera:", "producer:"
GRAVE = frozenset({Severity.HIGH, Severity.CRITICAL})
_COUNTER = re.compile(r"[-_.:]?\d+$")
_HEX = re.compile(r"[0-9a-fA-F]{8,}")


@dataclass(frozen=True)
class Newcomer:
    """A report that would open an event."""

    incident: Incident
    place: Place
    reporter: str

    @classmethod
    def of(cls, incident: Incident, place: Place) -> Newcomer:
        """A report, with who it is from."""
        return cls(incident, place, reporter_of(incident))

    @property
    def source(self) -> str:
        """Whose room it takes; a rehearsal takes none of the real thing, whoever plays it."""
        return REHEARSAL if self.incident.test else self.reporter

    @property
    def grave(self) -> bool:
        """Whether it is high or critical."""
        return self.incident.severity in GRAVE


@dataclass(frozen=True)
class Way:
    """How there is room for a newcomer: something over goes, or it joins what is in force."""

    gives: Event | None = None
    joins: Event | None = None


def has_room(newcomer: Newcomer, *, taken: int, mine: int, over: int, most: int) -> bool:
    """Whether there is surely room without looking any closer.

    Args:
        newcomer: who wants it.
        taken: how many events are held.
        mine: how many of its source.
        over: how many of these are over.
        most: how many there may be.
    """
    if taken >= most:
        return False
    if mine < max(1, most // 10):
        return True
    if over or newcomer.source.startswith(CAMERA) or newcomer.source == REHEARSAL:
        return False
    if newcomer.source == UNNAMED:
        return newcomer.grave and mine < most - most // 10
    return taken < most // 2


def reporter_of(incident: Incident) -> str:
    """Its camera, else whoever counts ids with its prefix.

    Ids without a prefix (counters, UUIDs) tell nothing of their source.
    """
    if incident.camera:
        return CAMERA + incident.camera
    prefix = _COUNTER.sub("", incident.event_id or "")
    if not prefix or _HEX.match(incident.event_id or ""):
        return UNNAMED
    return PRODUCER + prefix


def make_room(held: Collection[Event], newcomer: Newcomer, *, now: float, most: int) -> Way:
    """Decide for a report that would open one more event than those `held`, of `most`."""
    tenth, half = max(1, most // 10), most // 2
    mine = [event for event in held if event.source == newcomer.source]
    counted = [event for event in mine if _counts(event, now)]
    if len(counted) >= tenth:
        if over := least_over(counted, now):
            return Way(gives=over)
        if _must_join(newcomer, taken=len(held), half=half) and (
            joins := nearest(mine, newcomer, now)
        ):
            return Way(joins=joins)
    if newcomer.source == UNNAMED and len(mine) >= most - most // 10:
        if over := least_over(mine, now):
            return Way(gives=over)
        return Way(joins=nearest(mine, newcomer, now))
    if len(held) < most:
        return Way()
    over = least_over(held, now, tenth=tenth)
    return Way(gives=over) if over else Way(joins=nearest(held, newcomer, now))


def _counts(event: Event, now: float) -> bool:
    """Nameless reports share a quota for what is over or slight only: anyone may be nameless."""
    named = event.source != UNNAMED
    return named or not event.in_force(now) or event.alert.severity not in GRAVE


def _must_join(newcomer: Newcomer, *, taken: int, half: int) -> bool:
    """No camera sees so many accidents at once; a centre that forwards a city's may, in need."""
    if newcomer.source.startswith(CAMERA) or newcomer.source == REHEARSAL:
        return True
    if newcomer.source == UNNAMED and newcomer.grave:
        return False
    return taken >= half


def least_over(events: Iterable[Event], now: float, *, tenth: int = 0) -> Event | None:
    """Of what is over: that of sources beyond their tenth, then the slight, then the oldest."""
    events = list(events)
    shares: dict[str, int] = {}
    for event in events:
        shares[event.source] = shares.get(event.source, 0) + 1

    def weight(event: Event) -> tuple[bool, bool, float]:
        grave = event.alert.severity in GRAVE
        return shares[event.source] <= tenth, grave, event.evidence_at

    over = [event for event in events if not event.in_force(now)]
    return min(over, key=weight, default=None)


def nearest(events: Iterable[Event], newcomer: Newcomer, now: float) -> Event | None:
    """The nearest event in force of the same family, else the nearest of any."""
    incident, place = newcomer.incident, newcomer.place

    def weight(event: Event) -> tuple[bool, float]:
        alert = event.alert
        other = CAUSES[alert.type].family != CAUSES[incident.type].family
        return other, distance_m(alert.lat, alert.lon, place.lat, place.lon)

    candidates = (
        event for event in events if event.in_force(now) and event.alert.test == incident.test
    )
    return min(candidates, key=weight, default=None)
