"""The service's own pipeline over files, in video time, as fast as the machine can."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TypeVar

from detector.evaluation import scoring
from detector.evaluation.cached import DetectionsFile
from detector.evaluation.labels import Clip
from detector.evaluation.scoring import ClipResult
from detector.evaluation.variation import Variation, passes
from detector.incidents import Report
from detector.pipeline import Pipeline
from hazardcast.contract.errors import HazardcastError
from hazardcast.vision.models.opener import ROADSIDE, Model, OpenModel, model_opener
from hazardcast.vision.pixels import image
from hazardcast.vision.pixels.frame import Frame
from hazardcast.vision.pixels.sources import FileFrames

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Source:
    """Where detections come from: a network, a file of detections, or neither: our own."""

    model: Path | None = None
    detections: Path | None = None
    fps: float = 8.0
    threads: int = 1
    """Inference threads of each worker."""
    provider: str = "auto"
    """ONNX Runtime's execution provider."""

    @property
    def name(self) -> str:
        """What is judged, as it is told to people."""
        if self.detections is not None:
            return f"boxes kept in {self.detections}"
        return str(self.model or ROADSIDE)

    def opener(self) -> Callable[[Clip], Model]:
        """How to make each clip's model.

        Raises:
            ConfigError: the model or the file of detections cannot be used.
        """
        if self.detections is not None:
            file = DetectionsFile(self.detections)
            return lambda clip: file.model(clip.name)
        opened = model_opener(self.model, threads=self.threads, provider=self.provider)
        return lambda _clip: opened()

    def fps_of(self, model: Model) -> float:
        """Detections from a file come at their own rate."""
        return float(getattr(model, "fps", self.fps))


def run_clip(
    clip: Clip, open_model: OpenModel, *, fps: float, variation: Variation | None = None
) -> ClipResult:
    """Run the detector over one clip, as it is or in variation.

    A clip that cannot be read gives a result that says so.
    """
    try:
        model, frames = open_model(), iter(FileFrames(clip.path, fps=fps))
        if variation is None:
            return _run(clip, model, frames, fps)
        first = next(frames, None)
        if first is None:
            return _run(clip, model, frames, fps)
        shown = variation.frames(chain([first], frames), begin_s=variation.begin_s(clip))
        return _run(variation.label(clip, first.width), variation.model(model), shown, fps)
    except HazardcastError as error:
        return scoring.failed(clip, str(error))


def _run(clip: Clip, model: Model, frames: Iterable[Frame], fps: float) -> ClipResult:
    pipeline, times = Pipeline(model), list[float]()
    reports: list[Report] = []
    for frame in frames:
        reports += pipeline.process(frame).reports
        times.append(frame.t)
    if not times:
        return scoring.failed(clip, f"{clip.path}: no frames")
    return scoring.judge(clip, len(times), reports, duration_s=times[-1] - times[0] + 1 / fps)


class _Worker:
    """What a worker process keeps between its tasks."""

    opener: Callable[[Clip], Model]
    source: Source


def prepare(source: Source) -> None:
    """Make this process ready to work."""
    image.single_threaded()
    _Worker.source, _Worker.opener = source, staticmethod(source.opener())


def opened(clip: Clip) -> tuple[Model, float]:
    """The model for `clip` in this worker, and at how many frames per second it looks."""
    model = _Worker.opener(clip)
    return model, _Worker.source.fps_of(model)


def run_in_worker(task: tuple[Clip, Variation | None]) -> ClipResult:
    """One clip as it is or in variation, by this worker's model."""
    clip, variation = task
    try:
        model, fps = opened(clip)
    except HazardcastError as error:
        return scoring.failed(clip, str(error))
    return run_clip(clip, lambda: model, fps=fps, variation=variation)


def spread(
    work: Callable[[Task], Result], tasks: Iterable[Task], source: Source, *, jobs: int
) -> Iterator[Result]:
    """The result of every task, in order, from `jobs` processes that share nothing."""
    source.opener()  # a wrong file is an error here, not in every worker
    if jobs == 1:
        prepare(source)
        yield from map(work, tasks)
        return
    with ProcessPoolExecutor(jobs, initializer=prepare, initargs=(source,)) as pool:
        yield from pool.map(work, tasks)


def evaluate(
    clips: Sequence[Clip], source: Source, *, jobs: int = 1, variations: int = 0
) -> Iterator[ClipResult]:
    """The result of every clip, in order: as it is, or each in so many variations."""
    return spread(run_in_worker, passes(clips, variations), source, jobs=jobs)
