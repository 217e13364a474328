"""How well incidents found in one labelled clip agree with its label."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from detector.evaluation.labels import Clip
from detector.incidents import Report
from hazardcast.contract.incident_types import CAUSES, IncidentType

ONSET_EARLY_S = 1.5
ONSET_LATE_S = 5.0
"""An incident is the labelled one if its onset is within this of the label (± 0.3 s by eye)."""
LATE_S = {IncidentType.BLOCKAGE: 15.0, IncidentType.FIRE: 30.0}
"""Slow kinds may be recognised later after their onset."""


@dataclass(frozen=True)
class Found:
    """One report of an incident as the evaluation shows it."""

    type: str
    onset_s: float
    alarm_s: float
    """When it was said."""
    confidence: float
    incident: float = 0.0
    """Names the incident: an update carries that of its first report."""
    box: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    """x1, y1, x2, y2 in pixels of the clip."""


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
    """The report that is the labelled one, of its type or a kindred one (collision, rollover)."""
    said: str | None = None
    """What the labelled event was called first, whatever it is; None when nothing was said."""
    at_place: bool | None = None
    """Whether the hit lies where the label has its box; None without a box."""
    false_alarms: int = 0
    """Incidents where there is none: in a normal clip, or before the event."""
    wrong_type: int = 0
    """Incidents after the event that are called something else."""
    duration_s: float = 0.0
    """How much video was analysed."""
    error: str | None = None

    @property
    def delay_s(self) -> float | None:
        """Alarm after the labelled event."""
        if self.hit is None or self.t_event_s is None:
            return None
        return round(self.hit.alarm_s - self.t_event_s, 3)


def judge(
    clip: Clip, frames: int, reports: Iterable[Report], *, duration_s: float = 0.0
) -> ClipResult:
    """Compare what was found in `clip` with its label; reports of one incident count once."""
    found = [_found(report) for report in reports if report.status != "cancel"]
    label = None
    if clip.labelled:
        label = clip.type.value if clip.type else "normal"
    hit = next((one for one in found if is_hit(clip, one)), None)
    of_hits = {one.incident for one in found if is_hit(clip, one)}
    stray = {one.incident: one for one in reversed(found) if one.incident not in of_hits}
    early = [one for one in stray.values() if is_false(clip, one)]
    at_event = hit or next((one for one in stray.values() if one not in early), None)
    return ClipResult(
        name=clip.name, label=label, t_event_s=clip.t_event_s, scored=clip.scored and clip.labelled,
        frames=frames, found=tuple(found), hit=hit, said=at_event.type if at_event else None,
        at_place=_at_place(clip, hit), false_alarms=len(early),
        wrong_type=len(stray) - len(early) if clip.labelled else 0,
        duration_s=round(duration_s, 2),
    )  # fmt: skip


def failed(clip: Clip, error: str) -> ClipResult:
    """The result of a clip that could not be read."""
    return ClipResult(**{**vars(judge(clip, 0, [])), "error": error})


def _found(report: Report) -> Found:
    x1, y1, x2, y2 = (round(float(side), 1) for side in report.place)
    return Found(
        report.type.value, round(report.onset_t, 2), round(report.t, 2),
        round(report.confidence, 2), round(report.key_t, 3), (x1, y1, x2, y2),
    )  # fmt: skip


def is_hit(clip: Clip, found: Found) -> bool:
    """Whether this incident is the labelled one."""
    if clip.type is None or clip.t_event_s is None:
        return False
    if CAUSES[IncidentType(found.type)].family != CAUSES[clip.type].family:
        return False
    late_s = LATE_S.get(clip.type, ONSET_LATE_S)
    return clip.t_event_s - ONSET_EARLY_S <= found.onset_s <= clip.t_event_s + late_s


def is_false(clip: Clip, found: Found) -> bool:
    """Whether this incident is where there is none: in a normal clip, or before the event."""
    if not clip.labelled:
        return False
    if clip.type is None or clip.t_event_s is None:
        return True
    return found.onset_s < clip.t_event_s - ONSET_EARLY_S


def _at_place(clip: Clip, hit: Found | None) -> bool | None:
    """Whether the two boxes touch."""
    if hit is None or clip.box is None:
        return None
    x1, y1, x2, y2 = hit.box
    left, top, width, height = clip.box
    return x1 < left + width and left < x2 and y1 < top + height and top < y2


def as_json(result: ClipResult) -> dict[str, Any]:
    """One clip's result, ready for JSON."""
    return {**asdict(result), "delay_s": result.delay_s}
