"""What the detector thought at every frame of a clip: for people who ask why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detector.evaluation.labels import Clip
from detector.evidence.moments import Moment, moment
from detector.pipeline import Pipeline
from hazardcast.vision.models.opener import Model
from hazardcast.vision.pixels.sources import FileFrames


def traced(clip: Clip, model: Model, *, fps: float, shown_s: Sequence[float]) -> Iterator[Moment]:
    """Every analysed frame of `clip`, in order; with its picture if about a time of `shown_s`."""
    pipeline = Pipeline(model)
    for frame in FileFrames(clip.path, fps=fps):
        shown = any(abs(frame.t - t) <= 1 / fps for t in shown_s)
        yield moment(frame, pipeline.process(frame), shown=shown)
