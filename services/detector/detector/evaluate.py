"""The detector over files, in video time, as fast as the machine can."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from detector import image, scoring
from detector.frames import FileFrames
from detector.incidents import Report
from detector.labels import Clip, clips_of
from detector.model import OpenModel, model_opener
from detector.pipeline import Pipeline
from detector.scoring import ClipResult
from hazardcast import lifecycle
from hazardcast.clock import Clock, SystemClock
from hazardcast.errors import HazardcastError

DEFAULT_FPS = 8.0


def run_clip(clip: Clip, open_model: OpenModel, *, fps: float) -> ClipResult:
    """Run the detector over one clip; a clip that cannot be read gives a result that says so."""
    pipeline, frames = Pipeline(open_model()), 0
    reports: list[Report] = []
    try:
        for frame in FileFrames(clip.path, fps=fps):
            reports += pipeline.process(frame).reports
            frames += 1
    except HazardcastError as error:
        return _failed(clip, str(error))
    if not frames:
        return _failed(clip, f"{clip.path}: no frames")
    return scoring.judge(clip, frames, _first_words(reports))


def _first_words(reports: Iterable[Report]) -> Iterator[Report]:
    return (report for report in reports if report.status in ("new", "update"))


def _failed(clip: Clip, error: str) -> ClipResult:
    empty = scoring.judge(clip, 0, [])
    return ClipResult(**{**vars(empty), "error": error})


class _Worker:
    """The model of one worker process."""

    open_model: OpenModel
    fps: float


def _prepare(model: Path | None, fps: float) -> None:
    image.single_threaded()
    _Worker.open_model = staticmethod(model_opener(model, threads=1))
    _Worker.fps = fps


def _work(clip: Clip) -> ClipResult:
    return run_clip(clip, _Worker.open_model, fps=_Worker.fps)


def evaluate(
    clips: Sequence[Clip], model: Path | None, *, fps: float, jobs: int = 1
) -> Iterator[ClipResult]:
    """The result of every clip, in order."""
    if jobs == 1:
        _prepare(model, fps)
        yield from map(_work, clips)
        return
    model_opener(model, threads=1)  # a wrong file is an error here, not in every worker
    with ProcessPoolExecutor(jobs, initializer=_prepare, initargs=(model, fps)) as pool:
        yield from pool.map(_work, clips)


def main(arguments: Sequence[str] | None = None, *, clock: Clock | None = None) -> int:
    """Entry point; 0 when every clip could be read, 1 when not, 2 when asked wrongly."""
    clock = clock or SystemClock()
    asked = _parser().parse_args(arguments)
    try:
        clips = clips_of(asked.path)
        started = clock.monotonic()
        results = []
        for result in evaluate(clips, asked.model, fps=asked.fps, jobs=asked.jobs):
            results.append(result)
            if not asked.json:
                _write(line_of(result))
        elapsed_s = clock.monotonic() - started
    except HazardcastError as error:
        sys.stderr.write(f"hazardcast: {error}\n")
        return lifecycle.EXIT_BAD_CONFIGURATION
    _show(results, elapsed_s, as_json=asked.json)
    return 1 if any(result.error for result in results) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hazardcast evaluate", description=__doc__)
    parser.add_argument("path", type=Path, help="a clip, a folder of clips, or a labels CSV")
    parser.add_argument("--model", type=Path, help="ONNX model; background subtraction without")
    parser.add_argument("--fps", type=_positive, default=DEFAULT_FPS, help="frames per second")
    parser.add_argument("--jobs", type=int, default=1, help="worker processes")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value <= 60:
        raise argparse.ArgumentTypeError(f"{text} is not within 0 … 60")
    return value


def line_of(result: ClipResult) -> str:
    """One clip's line of the table."""
    if result.error:
        return f"ERROR  {result.name}: {result.error}"
    told = ", ".join(
        f"{one.type} at {one.onset_s:.1f} s (said at {one.alarm_s:.1f} s, {one.confidence:.2f})"
        for one in result.found
    )
    return f"{_verdict(result):<6} {result.name:<44} {told or '-'}"


def _verdict(result: ClipResult) -> str:
    if result.label is None:
        return ""
    if not result.scored:
        return "n/a"
    if result.hit:
        return "hit" if not result.false_alarms else "hit+FA"
    if result.false_alarms:
        return "FALSE"
    return "ok" if result.label == "normal" else "miss"


def _show(results: Sequence[ClipResult], elapsed_s: float, *, as_json: bool) -> None:
    total = scoring.summary(results)
    frames = sum(result.frames for result in results)
    total["frames_per_s"] = round(frames / max(elapsed_s, 1e-6), 1)
    if as_json:
        clips = [scoring.as_json(result) for result in results]
        _write(json.dumps({"summary": total, "clips": clips}))
        return
    _write("\n".join(summary_lines(total)))


def summary_lines(total: dict[str, Any]) -> Iterator[str]:
    """The table's foot."""
    for label, numbers in total["by_label"].items():
        delay = numbers["median_delay_s"]
        yield (
            f"{label:<10} found {numbers['found']}/{numbers['clips']} ({numbers['recall']:.0%})"
            + (f", median delay {delay:.1f} s" if delay is not None else "")
        )
    if total["scored"]:
        yield (
            f"normal     {total['normal_clips_with_alarm']}/{total['normal_clips']} clips with an "
            f"alarm; {total['false_alarms']} false alarms and {total['wrong_type']} of another "
            f"type over {total['scored']} clips"
        )
    yield f"{total['clips']} clips, {total['frames_per_s']} frames/s"


def _write(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
