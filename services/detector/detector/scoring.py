"""How well incidents found in labelled clips agree with the labels."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from detector.incidents import Report
from detector.labels import Clip
from hazardcast.catalogue import CAUSES, IncidentType

ONSET_EARLY_S = 1.5
ONSET_LATE_S = 5.0
"""An incident is the labelled one if its onset is within this of the label (± 0.3 s by eye)."""
LATE_S = {IncidentType.BLOCKAGE: 15.0, IncidentType.FIRE: 30.0}
"""Slow kinds may be recognised later after their onset."""


@dataclass(frozen=True)
class Found:
    """One incident as the evaluation shows it."""

    type: str
    onset_s: float
    alarm_s: float
    confidence: float


@dataclass(frozen=True)
class ClipResult:
    """What came of one clip."""

    name: str
    label: str | None
    t_event_s: float | None
    scored: bool
    frames: int
    found: tuple[Found, ...]
    hit: Found | None = None
    """The incident that is the labelled one, of its type or a kindred one (collision, rollover)."""
    false_alarms: int = 0
    """Incidents where there is none: in a normal clip, or before the event."""
    wrong_type: int = 0
    """Incidents after the event that are called something else."""
    error: str | None = None

    @property
    def delay_s(self) -> float | None:
        """Alarm after the labelled event."""
        if self.hit is None or self.t_event_s is None:
            return None
        return round(self.hit.alarm_s - self.t_event_s, 3)


def judge(clip: Clip, frames: int, reports: Iterable[Report]) -> ClipResult:
    """Compare what was found in `clip` with its label."""
    found = [_found(report) for report in reports if report.status != "cancel"]
    label = None
    if clip.labelled:
        label = clip.type.value if clip.type else "normal"
    hit = next((one for one in found if is_hit(clip, one)), None)
    stray = [one for one in found if one is not hit and not is_hit(clip, one)]
    early = [one for one in stray if _is_false(clip, one)]
    return ClipResult(
        name=clip.name, label=label, t_event_s=clip.t_event_s, scored=clip.scored and clip.labelled,
        frames=frames, found=tuple(found), hit=hit, false_alarms=len(early),
        wrong_type=len(stray) - len(early),
    )  # fmt: skip


def _found(report: Report) -> Found:
    return Found(
        report.type.value, round(report.onset_t, 2), round(report.t, 2), round(report.confidence, 2)
    )


def is_hit(clip: Clip, found: Found) -> bool:
    """Whether this incident is the labelled one."""
    if clip.type is None or clip.t_event_s is None:
        return False
    if CAUSES[IncidentType(found.type)].family != CAUSES[clip.type].family:
        return False
    late_s = LATE_S.get(clip.type, ONSET_LATE_S)
    return clip.t_event_s - ONSET_EARLY_S <= found.onset_s <= clip.t_event_s + late_s


def _is_false(clip: Clip, found: Found) -> bool:
    if not clip.labelled:
        return False
    if clip.type is None or clip.t_event_s is None:
        return True
    return found.onset_s < clip.t_event_s - ONSET_EARLY_S


def summary(results: Sequence[ClipResult]) -> dict[str, Any]:
    """Recall by label, false alarms per clip and hour's worth of clips, median delay."""
    scored = [result for result in results if result.scored]
    normal = [result for result in scored if result.label == "normal"]
    delays = [result.delay_s for result in scored if result.delay_s is not None]
    by_label = {}
    for label in sorted({result.label for result in scored if result.label} - {"normal"}):
        of_label = [result for result in scored if result.label == label]
        hits = [result for result in of_label if result.hit]
        own = [result.delay_s for result in hits if result.delay_s is not None]
        by_label[label] = {
            "clips": len(of_label),
            "found": len(hits),
            "recall": round(len(hits) / len(of_label), 3),
            "median_delay_s": round(statistics.median(own), 2) if own else None,
        }
    return {
        "clips": len(results),
        "scored": len(scored),
        "by_label": by_label,
        "normal_clips": len(normal),
        "normal_clips_with_alarm": sum(bool(result.false_alarms) for result in normal),
        "false_alarms": sum(result.false_alarms for result in scored),
        "wrong_type": sum(result.wrong_type for result in scored),
        "median_delay_s": round(statistics.median(delays), 2) if delays else None,
        "failed": sum(result.error is not None for result in results),
    }


def as_json(result: ClipResult) -> dict[str, Any]:
    """One clip's result, ready for JSON."""
    return {**asdict(result), "delay_s": result.delay_s}
