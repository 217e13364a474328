"""What the vehicle is told, and in which words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hazardcast.contract.incident_types import IncidentType
from hazardcast.contract.messages import Alert, ReceptionCounters
from hazardcast.contract.terminal_text import printable
from vehicle_agent.clock_trust import ClockState
from vehicle_agent.link import LinkReport, LinkState
from vehicle_agent.sighting import Sighting
from vehicle_agent.speed_policy import Advice


class Word(StrEnum):
    """What happened to an alert."""

    NEW = "NEW"
    UPDATE = "UPDATE"
    CANCEL = "CANCEL"
    NEGATE = "NEGATE"
    EXPIRED = "EXPIRED"
    WITHDRAWN = "WITHDRAWN"
    """Over by the station's heartbeat (its cancel was lost), or its key was revoked."""


ENDS = frozenset({Word.CANCEL, Word.NEGATE, Word.EXPIRED, Word.WITHDRAWN})


@dataclass(frozen=True)
class Announcement:
    """One line about one alert."""

    word: Word
    alert: Alert
    distance_m: float | None = None
    ahead: bool | None = None
    """None: it cannot be told, and is taken for ahead."""
    sighting: Sighting | None = None
    """The datagram that brought it; None for an end that no datagram brought."""
    before_joining: bool = False
    """The version is older than this vehicle's acquaintance with the station."""
    reception: tuple[ReceptionCounters, ...] = ()
    """The running counts when it was heard, for the receipt."""
    station: int = 0
    """Whose alert it is."""


def alert_line(announcement: Announcement, now: float) -> str:
    """The line of an alert: `[RECV] time WORD type severity id where  latency  (copy, path)`."""
    alert = announcement.alert
    words = [
        "[RECV]",
        clock_time(now),
        *(["TEST"] if alert.test else []),
        announcement.word.value,
        _kind(alert),
        alert.severity.value,
        alert.event_id,
        *_place(announcement),
    ]
    parts = [" ".join(words), *_transport(announcement, now)]
    return printable("  ".join(parts))


def _kind(alert: Alert) -> str:
    if alert.type is IncidentType.UNKNOWN and alert.reported_type:
        return f"unknown ({alert.reported_type})"
    return alert.type.value


def _place(announcement: Announcement) -> list[str]:
    where = []
    if announcement.distance_m is not None:
        side = "behind" if announcement.ahead is False else "ahead"
        where.append(f"{announcement.distance_m:.0f} m {side}")
    if announcement.alert.road:
        where.append(f"on {announcement.alert.road}")
    return where


def _transport(announcement: Announcement, now: float) -> list[str]:
    sighting = announcement.sighting
    if sighting is None:
        return []
    copy, copies = sighting.datagram.copy_
    heard = f"(copy {copy + 1}/{copies}, {sighting.path})"
    if not sighting.trusted:
        return ["CLOCK UNSYNCED: inform only", heard]
    since = duration(now - announcement.alert.confirmed_at)
    return [f"in force for {since}" if announcement.before_joining else f"latency {since}", heard]


def link_line(report: LinkReport, now: float) -> str:
    """The line of the link, when its state changes."""
    return f"[LINK] {clock_time(now)} {link_text(report)}"


def link_text(report: LinkReport) -> str:
    """`LINK OK, last heard 3 s ago`."""
    if report.age_s is None:
        return f"LINK {report.state.upper()}, nothing heard yet"
    text = f"LINK {report.state.upper()}, last heard {report.age_s:.0f} s ago"
    if report.state is LinkState.OK and report.stopping:
        return text + ", station is stopping"
    return text


def clock_text(state: ClockState) -> str:
    """What is known of the clock."""
    if state.disagrees:
        return (
            f"STATION CLOCK {-(state.offset_s or 0.0):+.1f} s from ours: its datagrams are refused"
        )
    if state.error_s is not None:
        return f"CLOCK OK by {state.source}, within {duration(state.error_s)}"
    if state.offset_s is None:
        return "CLOCK UNSYNCED: alerts inform only"
    return f"CLOCK UNSYNCED, {state.offset_s:+.1f} s against the station: alerts inform only"


def clock_line(state: ClockState, now: float) -> str:
    """The line of the clock, when its state changes."""
    return f"[CLOCK] {clock_time(now)} {clock_text(state)}"


def speed_line(advice: Advice | None, now: float) -> str:
    """The line of the speed policy, when its target changes."""
    return f"[SPEED] {clock_time(now)} {speed_text(advice)}"


def speed_text(advice: Advice | None) -> str:
    """`slow to 7.0 m/s (25 km/h) for collision 4097-17`."""
    if advice is None:
        return "no limit"
    speed = f"slow to {advice.target_mps:.1f} m/s ({advice.target_mps * 3.6:.0f} km/h)"
    what = "stop" if advice.target_mps == 0 else speed
    return printable(f"{what} for {advice.alert.type.value} {advice.alert.event_id}")


def clock_time(now: float) -> str:
    """Local time of day with milliseconds, as the log lines have it."""
    return datetime.fromtimestamp(now).astimezone().strftime("%H:%M:%S.%f")[:-3]


def duration(seconds: float) -> str:
    """`3 ms`, `12.3 s`."""
    return f"{seconds * 1000:.0f} ms" if abs(seconds) < 10 else f"{seconds:.1f} s"
