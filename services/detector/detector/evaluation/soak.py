"""Hours of ordinary traffic: the normal clips over and over, each time a little different.

Every pass begins anew, as a camera does that was just switched on: it knows no habits of the place,
which is harder than a day of one camera. A pass differs by mirroring, brightness, contrast, speed
(± 15 %) and where it begins; detections from a file also by jitter of their boxes and scores and by
dropped boxes, so that no pass repeats another.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from detector import scoring
from detector.boxes import Boxes
from detector.evaluation.cached import CachedDetections
from detector.evaluation.running import Source, opened, spread
from detector.frame import Frame
from detector.frames import FileFrames
from detector.incidents import Report
from detector.labels import Clip
from detector.model import Model
from detector.pipeline import Pipeline
from detector.scoring import ClipResult
from hazardcast.errors import ConfigError, HazardcastError

BOX_JITTER = 0.02
"""Standard deviation of a box's sides, share of its size."""
SCORE_JITTER = 0.03
DROPPED = 0.02
"""Share of the boxes that a pass does not see."""


@dataclass(frozen=True)
class Jitter:
    """How one pass differs from the clip."""

    seed: int
    mirrored: bool
    gain: float
    offset: float
    speed: float
    skipped_s: float

    @classmethod
    def by_lot(cls, seed: int) -> Jitter:
        """The jitter of pass number `seed`."""
        lot = random.Random(seed)
        return cls(
            seed, lot.random() < 0.5, lot.uniform(0.85, 1.15), lot.uniform(-12, 12),
            lot.uniform(0.85, 1.15), lot.uniform(0, 1),
        )  # fmt: skip

    def frames(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """The frames as this pass sees them."""
        levels = np.clip(np.arange(256) * self.gain + self.offset, 0, 255).astype(np.uint8)
        for frame in frames:
            if frame.t < self.skipped_s:
                continue
            picture = frame.image[:, ::-1] if self.mirrored else frame.image
            yield Frame(levels[picture], frame.t / self.speed, frame.index)


@dataclass
class JitteredDetections:
    """Detections from a file, changed as the pictures are."""

    cached: CachedDetections
    jitter: Jitter

    def __post_init__(self) -> None:
        self.name = self.cached.name
        self._chance = np.random.default_rng(self.jitter.seed)

    def detect(self, frame: Frame) -> Boxes:
        """The file's boxes about the frame's time."""
        found = self.cached.detect(replace(frame, t=frame.t * self.jitter.speed))
        found = found.take(self._chance.random(len(found)) >= DROPPED)
        size = np.sqrt(np.prod(found.xyxy[:, 2:] - found.xyxy[:, :2], axis=1, keepdims=True))
        xyxy = found.xyxy + self._chance.normal(0, BOX_JITTER, found.xyxy.shape) * size
        if self.jitter.mirrored:
            xyxy[:, [0, 2]] = frame.image.shape[1] - xyxy[:, [2, 0]]
        scores = np.clip(found.scores + self._chance.normal(0, SCORE_JITTER, len(found)), 0, 1)
        return Boxes(xyxy.astype(np.float32), scores.astype(np.float32), found.labels)


def run_pass(task: tuple[Clip, int]) -> ClipResult:
    """One pass over one clip; runs in a worker."""
    clip, number = task
    jitter = Jitter.by_lot(number)
    try:
        model, fps = opened(clip)
        if isinstance(model, CachedDetections):
            model = JitteredDetections(model, jitter)
        return _run(clip, model, jitter, fps=fps)
    except HazardcastError as error:
        return scoring.failed(clip, str(error))


def _run(clip: Clip, model: Model, jitter: Jitter, *, fps: float) -> ClipResult:
    pipeline = Pipeline(model)
    reports: list[Report] = []
    times: list[float] = []
    for frame in jitter.frames(FileFrames(clip.path, fps=fps)):
        reports += pipeline.process(frame).reports
        times.append(frame.t)
    duration_s = times[-1] - times[0] if times else 0.0
    return scoring.judge(clip, len(times), reports, duration_s=duration_s)


def soak(
    clips: Sequence[Clip], source: Source, *, hours: float, jobs: int,
    progress: Callable[[str], object] = lambda _line: None,
) -> list[ClipResult]:  # fmt: skip
    """Passes in turn over the normal clips until `hours` of video are full.

    Raises:
        ConfigError: there is no ordinary traffic among the clips, or none that can be read.
    """
    normal = [clip for clip in clips if clip.labelled and clip.type is None and clip.scored]
    if not normal:
        raise ConfigError(f"--soak {hours:g}: no clip is labelled normal")
    results = list(spread(run_pass, _round(normal, 0), source, jobs=jobs))
    round_s = sum(one.duration_s for one in results)
    if any(one.error for one in results) or not round_s:
        raise ConfigError(
            next((one.error for one in results if one.error), "no frames in any clip")
        )
    rounds = math.ceil(hours * 3600 / round_s)
    tasks = [task for number in range(1, rounds) for task in _round(normal, number)]
    for result in spread(run_pass, tasks, source, jobs=jobs):
        results.append(result)
        if len(results) % len(normal) == 0:
            done = summary(results)
            progress(f"{done['hours']:.2f} of {hours:g} h, {done['false_alarms']} alarms")
    return results


def _round(clips: Sequence[Clip], number: int) -> list[tuple[Clip, int]]:
    return [(clip, number * len(clips) + place) for place, clip in enumerate(clips)]


def summary(results: Sequence[ClipResult]) -> dict[str, Any]:
    """Alarms an hour, and which clips and kinds they came from."""
    hours = sum(one.duration_s for one in results) / 3600
    by_clip, by_type = Counter[str](), Counter[str]()
    for one in results:
        if one.false_alarms:
            by_clip[one.name] += one.false_alarms
            by_type.update({found.incident: found.type for found in one.found}.values())
    alarms = sum(by_clip.values())
    return {
        "hours": round(hours, 3),
        "passes": len(results),
        "passes_with_alarm": sum(bool(one.false_alarms) for one in results),
        "false_alarms": alarms,
        "false_alarms_per_hour": round(alarms / hours, 3) if hours else None,
        "by_clip": dict(by_clip.most_common()),
        "by_type": dict(by_type.most_common()),
    }


def lines(total: dict[str, Any]) -> Iterator[str]:
    """What the soak says."""
    yield (
        f"{total['hours']:.2f} h of ordinary traffic in {total['passes']} passes: "
        f"{total['false_alarms']} false alarms, {total['false_alarms_per_hour']:g} an hour, in "
        f"{total['passes_with_alarm']} passes"
    )
    for name, count in total["by_clip"].items():
        yield f"  {name}: {count}"
    if total["by_type"]:
        yield "  " + ", ".join(f"{kind} {count}" for kind, count in total["by_type"].items())
