"""What the results of many clips add up to."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from detector.evaluation.scoring import ClipResult

NOTHING = "nothing"


def summary(results: Sequence[ClipResult]) -> dict[str, Any]:
    """Recall by label, delays, false alarms per clip and hour, and what was taken for what.

    Clips of quality C, without a label, or that could not be read are not scored.
    """
    scored = [result for result in results if result.scored and not result.error]
    events = [result for result in scored if result.label != "normal"]
    normal = [result for result in scored if result.label == "normal"]
    labels = sorted({result.label for result in events if result.label})
    said = [result for result in events if result.said]
    hours = sum(result.duration_s for result in normal) / 3600
    alarms = sum(result.false_alarms for result in normal)
    return {
        "clips": len(results),
        "scored": len(scored),
        "by_label": {label: _of_label(events, label) for label in labels},
        "normal_clips": len(normal),
        "normal_clips_with_alarm": sum(bool(result.false_alarms) for result in normal),
        "normal_clips_with_repeated_alarms": sum(result.false_alarms > 1 for result in normal),
        "normal_hours": round(hours, 4),
        "false_alarms_per_normal_hour": round(alarms / hours, 2) if hours else None,
        "false_alarms": sum(result.false_alarms for result in scored),
        "false_alarms_per_clip": _share(sum(one.false_alarms for one in scored), len(scored)),
        "wrong_type": sum(result.wrong_type for result in scored),
        "type_right": _share(sum(one.said == one.label for one in said), len(said)),
        "place_right": _place_right(events),
        "confusion": confusion(events),
        "failed": sum(result.error is not None for result in results),
        **delays(events),
    }


def _of_label(events: Iterable[ClipResult], label: str) -> dict[str, Any]:
    of_label = [result for result in events if result.label == label]
    found = sum(result.hit is not None for result in of_label)
    return {
        "clips": len(of_label),
        "found": found,
        "recall": _share(found, len(of_label)),
        **delays(of_label),
    }


def delays(results: Iterable[ClipResult]) -> dict[str, float | None]:
    """Median and 90th percentile (nearest rank) of alarm after event, over what was found."""
    waits = sorted(result.delay_s for result in results if result.delay_s is not None)
    if not waits:
        return {"median_delay_s": None, "p90_delay_s": None}
    return {
        "median_delay_s": round(statistics.median(waits), 2),
        "p90_delay_s": round(waits[math.ceil(0.9 * len(waits)) - 1], 2),
    }


def confusion(events: Iterable[ClipResult]) -> dict[str, dict[str, int]]:
    """Label → what its events were called first → how often."""
    table: dict[str, Counter[str]] = {}
    for result in events:
        table.setdefault(str(result.label), Counter())[result.said or NOTHING] += 1
    return {label: dict(sorted(row.items())) for label, row in sorted(table.items())}


def _place_right(events: Iterable[ClipResult]) -> float | None:
    placed = [result.at_place for result in events if result.at_place is not None]
    return _share(sum(placed), len(placed))


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 3) if whole else None
