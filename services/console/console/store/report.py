"""How true the alarms were, from what people said of them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Judged = Literal["true", "false", "unknown"]
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)


@dataclass(frozen=True)
class Alarm:
    """One alarm, broadcast or not."""

    camera: str | None
    day: str
    """In the site's zone."""
    confidence: float | None
    judged: Judged


def judged(verdict: str | None, disposition: str) -> Judged:
    """A person's verdict; without one, what they did with the alarm."""
    if verdict == "true" or (verdict is None and disposition == "confirmed"):
        return "true"
    if verdict == "false" or (verdict is None and disposition == "false_alarm"):
        return "false"
    return "unknown"


def by_day(alarms: Iterable[Alarm]) -> list[dict[str, Any]]:
    """Alarms, true, false and unjudged, by day (newest first) and camera."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for one in alarms:
        counts.setdefault((one.day, one.camera or ""), Counter())[one.judged] += 1
    rows = [
        {
            "day": day,
            "camera": camera or None,
            "alarms": found.total(),
            "true": found["true"],
            "false": found["false"],
            "unknown": found["unknown"],
        }
        for (day, camera), found in sorted(counts.items(), key=lambda one: one[0][1])
    ]
    return sorted(rows, key=lambda row: str(row["day"]), reverse=True)


def precision(alarms: Iterable[Alarm]) -> list[dict[str, Any]]:
    """Of the alarms at least that sure, how many were true among those that were judged."""
    known = [one for one in alarms if one.confidence is not None]
    rows = []
    for threshold in THRESHOLDS:
        sure = [one for one in known if one.confidence is not None and one.confidence >= threshold]
        found = Counter(one.judged for one in sure)
        told = found["true"] + found["false"]
        share = found["true"] / told if told else None
        rows.append(
            {"auto_confidence": threshold, "alarms": len(sure), "judged": told, "precision": share}
        )
    return rows
