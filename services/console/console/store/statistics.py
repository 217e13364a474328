"""Traffic by stretches of time, from what was counted minute by minute. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

MINUTE_S = 60
SPEED_STEP_MPS = 0.5


@dataclass
class _Bucket:
    counts: dict[str, int] = field(default_factory=dict)
    seconds: int = 0
    speeds: list[int] = field(default_factory=list)
    incidents: int = 0

    def add(self, minute: dict[str, Any]) -> None:
        for label, number in minute["counts"].items():
            self.counts[label] = self.counts.get(label, 0) + number
        self.seconds += minute["seconds"]
        self.speeds += [0] * (len(minute["speeds"]) - len(self.speeds))
        for step, number in enumerate(minute["speeds"]):
            self.speeds[step] += number


def buckets(
    segments: Iterable[tuple[int, dict[str, Any]]],
    incidents: Iterable[float],
    *,
    start: float,
    end: float,
    length_s: int,
) -> list[dict[str, Any]]:
    """Counts by class, speeds, incidents and coverage of every stretch from `start` to `end`.

    Args:
        segments: start and result of each ten minutes, as the store keeps them.
        incidents: when each was detected.
        start: epoch seconds.
        end: epoch seconds.
        length_s: of a stretch, whole minutes.
    """
    made = [_Bucket() for _ in range(max(0, -int((start - end) // length_s)))]
    for began, result in segments:
        for at, minute in result.get("minutes", {}).items():
            if one := _at(made, began + int(at) * MINUTE_S, start, length_s):
                one.add(minute)
    for ts in incidents:
        if one := _at(made, ts, start, length_s):
            one.incidents += 1
    return [_told(one, start + at * length_s, length_s) for at, one in enumerate(made)]


def _at(made: list[_Bucket], ts: float, start: float, length_s: int) -> _Bucket | None:
    at = int((ts - start) // length_s)
    return made[at] if 0 <= at < len(made) else None


def _told(one: _Bucket, start: float, length_s: int) -> dict[str, Any]:
    return {
        "start": start,
        "counts": dict(sorted(one.counts.items())),
        "speed_p50_mps": quantile(one.speeds, 0.5),
        "speed_p85_mps": quantile(one.speeds, 0.85),
        "incidents": one.incidents,
        "coverage": min(1.0, round(one.seconds / length_s, 4)),
    }


def quantile(steps: list[int], share: float) -> float | None:
    """The speed that `share` of the looks at a vehicle did not exceed, m/s, to half a step."""
    total = sum(steps)
    reached = 0
    for step, number in enumerate(steps):
        reached += number
        if total and reached >= share * total:
            return (step + 0.5) * SPEED_STEP_MPS
    return None
