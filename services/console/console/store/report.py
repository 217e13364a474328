"""How true the alarms were, by what people said of them, from alerts as they stand. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any

from hazardcast.contract import alarms
from hazardcast.contract.alarms import Alarm, Truth

BY_DISPOSITION: dict[str, Truth] = {"confirmed": "true", "false_alarm": "false"}


def alarm(row: Mapping[str, Any]) -> Alarm:
    """A row of `AlertState`: a person's verdict; without one, what they did with the alarm."""
    verdict = row["verdict"] or BY_DISPOSITION.get(row["disposition"])
    return Alarm(
        row["event_id"], row["camera"] or "", row["type"] or "", row["detected_at"],
        confidence=row["confidence"], verdict=verdict,
    )  # fmt: skip


def told(found: Sequence[Alarm], zone: tzinfo) -> dict[str, list[dict[str, Any]]]:
    """`rows` by day (newest first) and camera, and the `precision` at each confidence."""
    days = alarms.by_camera_and_day(found, zone)
    rows = [
        {
            "day": one.day, "camera": one.camera or None, "alarms": one.alarms,
            "true": one.true, "false": one.false, "unknown": one.unjudged,
        }
        for one in sorted(days, key=lambda one: one.day, reverse=True)
    ]  # fmt: skip
    precision = [
        {
            "auto_confidence": one.auto_confidence, "alarms": one.alarms,
            "judged": one.true + one.false, "precision": one.precision,
        }
        for one in alarms.precision(found)
    ]  # fmt: skip
    return {"rows": rows, "precision": precision}
