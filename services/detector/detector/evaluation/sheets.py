"""A contact sheet for every miss and false alarm: what was seen, and why it ended that way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detector.evaluation.causes import numbers, why_alarmed, why_missed
from detector.evaluation.labels import Clip
from detector.evaluation.running import opened
from detector.evaluation.scoring import ClipResult, Found, is_hit
from detector.evaluation.trace import traced
from detector.evidence import drawing
from detector.evidence.moments import Moment
from hazardcast.vision.geometry.boxes import Floats

BEFORE_AND_AFTER_S = (-1.0, -0.3, 0.3, 1.0, 2.0, 4.0)
"""The moments that are shown, around the event of a miss …"""
UP_TO_S = (-3.0, -2.0, -1.0, -0.5, 0.0, 1.0)
"""… and around the saying of a false alarm."""


@dataclass(frozen=True)
class Fault:
    """A miss (`alarm` is None) or one false alarm of a clip."""

    clip: Clip
    result: ClipResult
    alarm: Found | None

    @property
    def file_name(self) -> str:
        """Unique among the faults of a run, and sortable."""
        stem = re.sub(r"[^A-Za-z0-9]+", "_", self.clip.name.rsplit(".", 1)[0]).strip("_")
        if self.alarm is None:
            return f"miss-{stem}.jpg"
        return f"false-{stem}-{self.alarm.incident * 1000:.0f}.jpg"


def faults(clips: Sequence[Clip], results: Sequence[ClipResult]) -> Iterator[Fault]:
    """Every miss and every false alarm of the scored clips; each incident once."""
    for clip, result in zip(clips, results, strict=True):
        if not result.scored or result.error:
            continue
        if clip.type is not None and result.hit is None:
            yield Fault(clip, result, None)
        hits = {one.incident for one in result.found if is_hit(clip, one)}
        seen: set[float] = set()
        for found in result.found:
            if found.incident not in hits | seen and (result.hit is None or result.false_alarms):
                seen.add(found.incident)
                yield Fault(clip, result, found)


@dataclass(frozen=True)
class Sheet:
    """A written sheet and its cause."""

    path: Path
    cause: str


def draw(task: tuple[Fault, Path]) -> Sheet:
    """Run a fault's clip once more, looking closely, and write its sheet; runs in a worker."""
    fault, folder = task
    model, fps = opened(fault.clip)
    wanted = _wanted_s(fault)
    moments = list(traced(fault.clip, model, fps=fps, shown_s=[max(0.0, t) for t in wanted]))
    shown = [one for one in moments if one.picture is not None] or moments[-1:]
    nearest = [min(shown, key=lambda one: abs(one.t - t)) for t in wanted]
    chosen = list({one.t: one for one in nearest}.values())
    cause = _cause(fault, moments)
    panels = [
        drawing.panel(one, label_box=_corners(fault.clip), caption=f"{one.t:.1f} s, {one.scene}")
        for one in chosen
    ]
    path = folder / fault.file_name
    drawing.write(path, drawing.sheet(panels, _lines(fault, cause, chosen)))
    return Sheet(path, cause)


def _wanted_s(fault: Fault) -> list[float]:
    if fault.alarm is not None:
        return [fault.alarm.alarm_s + offset for offset in UP_TO_S]
    return [(fault.clip.t_event_s or 0.0) + offset for offset in BEFORE_AND_AFTER_S]


def _cause(fault: Fault, moments: Sequence[Moment]) -> str:
    if fault.alarm is not None:
        return why_alarmed(fault.alarm, moments)
    return why_missed(fault.clip, fault.result, moments)


def _lines(fault: Fault, cause: str, chosen: Sequence[Moment]) -> list[str]:
    label = fault.result.label or "unlabelled"
    event = "" if fault.clip.t_event_s is None else f" at {fault.clip.t_event_s:.1f} s"
    kind = "MISS" if fault.alarm is None else "FALSE ALARM"
    lines = [f"{kind}  {fault.clip.name}  (label: {label}{event})", f"cause: {cause}"]
    spoken = [(one.t, h) for one in chosen for h in one.hypotheses]
    if spoken:
        t, best = max(spoken, key=lambda pair: pair[1].confidence)
        lines.append(f"strongest shown: {best.type.value} at {t:.1f} s, {numbers(best.evidence)}")
    return lines


def _corners(clip: Clip) -> Floats | None:
    if clip.box is None:
        return None
    x, y, width, height = clip.box
    return np.array([x, y, x + width, y + height])
