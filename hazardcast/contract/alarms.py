"""What became of the alarms of each camera, by people's verdicts. Pure.

From the entries of a journal, in any order and with repetitions: alarms, true and false ones by
camera and day, and which share of them would have been true had everything from a confidence on
been broadcast at once: what `auto_confidence` should be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Literal

from hazardcast.contract.messages import JournalEntry

Truth = Literal["true", "false", "unknown"]
THRESHOLDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.99)
IMPLIED: dict[str, Truth] = {
    "confirm": "true", "approve": "true", "negate": "false", "reject": "false",
}  # fmt: skip
"""What a decision says of whether it was so; to clear an alert says nothing of it."""


@dataclass
class Alarm:
    """One event that a camera reported, and what people said of it."""

    event_id: str
    camera: str
    kind: str
    ts: float
    """When it happened, epoch seconds."""
    confidence: float | None = None
    """The highest that was reported before anybody decided; None: none was told."""
    broadcast: bool = False
    verdict: Truth | None = None
    said_at: float = field(default=float("-inf"), repr=False)


@dataclass(frozen=True)
class Count:
    """The alarms of one camera on one day."""

    day: str
    """In the site's time zone, YYYY-MM-DD."""
    camera: str
    alarms: int
    broadcast: int
    true: int
    false: int
    unjudged: int
    """No verdict, or that it cannot be told."""


@dataclass(frozen=True)
class Precision:
    """What of the alarms from a confidence on was true."""

    auto_confidence: float
    alarms: int
    true: int
    false: int
    precision: float | None
    """true / (true + false); None: nobody has judged any."""


def gathered(entries: Iterable[JournalEntry]) -> list[Alarm]:
    """The events that cameras reported, oldest first; rehearsals are left out."""
    alarms: dict[str, Alarm] = {}
    words: dict[str, tuple[float, Truth]] = {}
    for entry in entries:
        if alarm := _reported(entry):
            _join(alarms, alarm)
        if said := _said(entry):
            event_id, at, truth = said
            if at >= words.get(event_id, (float("-inf"), truth))[0]:
                words[event_id] = at, truth
    for event_id, (_at, truth) in words.items():
        if event_id in alarms:
            alarms[event_id].verdict = truth
    return sorted(alarms.values(), key=lambda alarm: alarm.ts)


def _reported(entry: JournalEntry) -> Alarm | None:
    alert, pending = entry.alert, entry.pending
    if alert and alert.camera and not alert.test:
        return Alarm(
            alert.event_id, alert.camera, alert.type.value, alert.ts,
            confidence=entry.reported_confidence, broadcast=True,
        )  # fmt: skip
    if pending and pending.incident.camera and not pending.incident.test:
        incident = pending.incident
        return Alarm(
            pending.event_id, str(incident.camera), incident.type.value, incident.ts or entry.ts,
            confidence=pending.confidence,
        )  # fmt: skip
    return None


def _join(alarms: dict[str, Alarm], alarm: Alarm) -> None:
    held = alarms.setdefault(alarm.event_id, alarm)
    told = [one for one in (held.confidence, alarm.confidence) if one is not None]
    held.confidence = max(told, default=None)
    held.broadcast |= alarm.broadcast


def _said(entry: JournalEntry) -> tuple[str, float, Truth] | None:
    """A person's word: of the same event the newest counts."""
    if entry.verdict:
        return entry.verdict.event_id, entry.verdict.ts, entry.verdict.verdict
    decided = entry.decided
    if decided and decided.result == "done" and decided.action in IMPLIED:
        return decided.event_id, decided.ts, IMPLIED[decided.action]
    return None


def by_camera_and_day(alarms: Iterable[Alarm], zone: tzinfo) -> list[Count]:
    """Counts by day and camera, in their order."""
    groups: dict[tuple[str, str], list[Alarm]] = {}
    for alarm in alarms:
        day = datetime.fromtimestamp(alarm.ts, zone).date().isoformat()
        groups.setdefault((day, alarm.camera), []).append(alarm)
    return [
        Count(
            day, camera, len(group), sum(alarm.broadcast for alarm in group),
            _count(group, "true"), _count(group, "false"),
            len(group) - _count(group, "true") - _count(group, "false"),
        )
        for (day, camera), group in sorted(groups.items())
    ]  # fmt: skip


def precision(alarms: Sequence[Alarm], thresholds: Iterable[float] = THRESHOLDS) -> list[Precision]:
    """The precision at each `auto_confidence`; at 0 of all, those without a confidence too."""
    return [_precision(alarms, at) for at in thresholds]


def _precision(alarms: Iterable[Alarm], at: float) -> Precision:
    sure = [alarm for alarm in alarms if at == 0.0 or (alarm.confidence or 0.0) >= at]
    true, false = _count(sure, "true"), _count(sure, "false")
    share = true / (true + false) if true + false else None
    return Precision(at, len(sure), true, false, share)


def _count(alarms: Iterable[Alarm], truth: Truth) -> int:
    return sum(alarm.verdict == truth for alarm in alarms)
