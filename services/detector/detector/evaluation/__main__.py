"""The detector over files, in video time, as fast as the machine can."""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from detector.evaluation import froc, froc_table, kpi, scoring, sheets, soak, table
from detector.evaluation.froc import Told
from detector.evaluation.labels import Clip, clips_of
from detector.evaluation.running import Source, evaluate, run_clip, spread
from detector.evaluation.scoring import ClipResult
from detector.evaluation.summary import summary
from detector.evaluation.variation import passes
from hazardcast.config import settings
from hazardcast.contract.errors import ConfigError, HazardcastError
from hazardcast.contract.terminal_text import printable
from hazardcast.machine.clock import Clock, SystemClock
from hazardcast.service import lifecycle
from hazardcast.vision.models import cache

__all__ = ["evaluate", "main", "run_clip"]

DEFAULT_FPS = 8.0


def main(arguments: Sequence[str] | None = None, *, clock: Clock | None = None) -> int:
    """Entry point.

    Returns:
        0 when every clip could be read (and the acceptance passed), 1 when not, 2 when asked
        wrongly.
    """
    asked = _parser().parse_args(arguments)
    try:
        if asked.variations and (asked.kpi or asked.sheet or asked.soak is not None):
            raise ConfigError("--variations goes with none of --kpi, --sheet and --soak")
        if not asked.kpi and not asked.path:
            raise ConfigError("name a clip, a folder or a labels file; or ask for --kpi")
        source = _source(asked)
        if not asked.json:
            _write(f"model: {source.name}")
        if asked.kpi:
            return _kpi(source, asked)
        clips = _clips(asked)
        if asked.soak is not None:
            return _soak(clips, source, asked)
        return _evaluate(clips, source, asked, clock or SystemClock())
    except (HazardcastError, OSError) as error:
        words = lifecycle.refused(error) or str(error)
        sys.stderr.write(f"hazardcast: {printable(words)}\n")
        return lifecycle.EXIT_BAD_CONFIGURATION


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hazardcast evaluate", description=__doc__)
    add = parser.add_argument
    add("path", type=Path, nargs="*", help="clips, folders of clips, or labels CSVs")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--model",
        type=Path,
        help="ONNX model or its name, or built-in `roadside` or `background`; "
        "when left out that of HAZARDCAST_MODEL, else `roadside`",
    )
    which.add_argument("--detections", type=Path, metavar="FILE", help="boxes kept in a file")
    add("--fps", type=_positive, default=DEFAULT_FPS, help="frames per second")
    add("--jobs", type=_count, default=1, metavar="N", help="worker processes")
    add("--json", action="store_true", help="one JSON object instead of a table")
    add("--sheet", type=Path, metavar="DIR", help="write a contact sheet per miss and false alarm")
    add("--kpi", action="store_true", help="the ten-scenario acceptance: drawn, and on the clips")
    add("--froc", action="store_true",
        help="recall against false alarms an hour, over all thresholds")  # fmt: skip
    add("--soak", type=_hours, metavar="HOURS", help="loop the normal clips, count alarms")
    add("--variations", type=_count, default=0, metavar="N",
        help="each clip N times: mirrored, lighter or darker, faster or slower")  # fmt: skip
    add("--seed", type=int, default=1, help="which ten clips --kpi takes")
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value <= 60:
        raise argparse.ArgumentTypeError(f"{text} is not within 0 … 60")
    return value


def _hours(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1000:
        raise argparse.ArgumentTypeError(f"{text} is not within 0 … 1000")
    return value


def _count(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 256:
        raise argparse.ArgumentTypeError(f"{text} is not within 1 … 256")
    return value


def _source(asked: argparse.Namespace) -> Source:
    """What is judged: boxes kept in a file, the option's model, the setting's, or our own."""
    chosen = settings.load()
    model = None if asked.detections else asked.model or chosen.model
    named_by = "--model" if asked.model else "HAZARDCAST_MODEL"
    path = cache.resolved(model, chosen, named_by=named_by) if model else None
    return Source(path, asked.detections, asked.fps, chosen.model_threads, chosen.model_provider)


def _clips(asked: argparse.Namespace) -> list[Clip]:
    return [clip for path in asked.path for clip in clips_of(path)]


def _evaluate(
    clips: Sequence[Clip], source: Source, asked: argparse.Namespace, clock: Clock
) -> int:
    started = clock.monotonic()
    results = _shown(clips, source, asked)
    elapsed_s = clock.monotonic() - started
    total = summary(results)
    frames = sum(result.frames for result in results)
    total["frames_per_s"] = round(frames / max(elapsed_s, 1e-6), 1)
    measured = _measured(clips, results, asked)
    drawn = _draw_sheets(clips, results, source, asked) if asked.sheet else []
    if asked.json:
        told: dict[str, Any] = {"model": source.name, "summary": total}
        told["clips"] = list(map(scoring.as_json, results))
        if asked.froc:
            told["froc"] = froc_table.as_json(measured)
        if asked.sheet:
            told["sheets"] = [{"path": str(one.path), "cause": one.cause} for one in drawn]
        _write(json.dumps(told))
    else:
        froc_lines = froc_table.lines(measured) if asked.froc else ()
        _write("\n".join([*table.summary_lines(total), *froc_lines]))
    return 1 if total["failed"] else 0


def _measured(
    clips: Sequence[Clip], results: Sequence[ClipResult], asked: argparse.Namespace
) -> list[Told]:
    """What each clip that could be read contributes; a variation's counts as its clip's."""
    if not asked.froc:
        return []
    shown = [clip for clip, _ in passes(clips, asked.variations)]
    pairs = zip(shown, results, strict=True)
    return [froc.told_of(clip, result) for clip, result in pairs if result.error is None]


def _shown(clips: Sequence[Clip], source: Source, asked: argparse.Namespace) -> list[ClipResult]:
    results = []
    for result in evaluate(clips, source, jobs=asked.jobs, variations=asked.variations):
        results.append(result)
        if not asked.json:
            _write(table.line_of(result))
    return results


def _draw_sheets(
    clips: Sequence[Clip],
    results: Sequence[ClipResult],
    source: Source,
    asked: argparse.Namespace,
) -> list[sheets.Sheet]:
    asked.sheet.mkdir(parents=True, exist_ok=True)
    tasks = [(fault, asked.sheet) for fault in sheets.faults(clips, results)]
    drawn = []
    for one in spread(sheets.draw, tasks, source, jobs=asked.jobs):
        drawn.append(one)
        if not asked.json:
            _write(f"sheet  {one.path}: {one.cause}")
    return drawn


def _soak(clips: Sequence[Clip], source: Source, asked: argparse.Namespace) -> int:
    def progress(line: str) -> None:
        sys.stderr.write(printable(line) + "\n")

    results = soak.soak(clips, source, hours=asked.soak, jobs=asked.jobs, progress=progress)
    total = soak.summary(results)
    told = {"model": source.name, **total}
    _write(json.dumps(told) if asked.json else "\n".join(soak.lines(total)))
    return 0


def _kpi(source: Source, asked: argparse.Namespace) -> int:
    if asked.detections and not asked.path:
        raise ConfigError("--kpi draws scenes, of which no file has detections: give the clips too")
    parts: dict[str, list[ClipResult]] = {}
    if not asked.detections:
        with tempfile.TemporaryDirectory() as folder:
            tasks = [(scenario, Path(folder)) for scenario in kpi.DRAWN]
            parts["drawn scenes"] = list(spread(kpi.run_drawn, tasks, source, jobs=asked.jobs))
    share = None
    if asked.path:
        everything = list(evaluate(_clips(asked), source, jobs=asked.jobs))
        parts["real clips"] = kpi.ten(everything, random.Random(asked.seed))
        share = kpi.share_passed(everything, seed=asked.seed)
    return _tell_kpi(parts, share, source, as_json=asked.json)


def _tell_kpi(
    parts: dict[str, list[ClipResult]], share: float | None, source: Source, *, as_json: bool
) -> int:
    passed = all(kpi.judged(results).passed for results in parts.values())
    if as_json:
        told = {name: list(map(scoring.as_json, results)) for name, results in parts.items()}
        judged = {"model": source.name, "passed": passed, "share_of_draws_that_pass": share}
        _write(json.dumps({**judged, **told}))
        return 0 if passed else 1
    for name, results in parts.items():
        _write("\n".join([*map(table.line_of, results), *kpi.lines(name, results)]))
    if share is not None:
        _write(f"of {kpi.DRAWS} lots of ten among all scored clips, {share:.0%} pass")
    return 0 if passed else 1


def _write(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
