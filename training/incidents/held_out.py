"""How well the whole detector does on clips that its judge of impacts has not learnt from.

Every clip runs through the service's own pipeline, with trees that saw nothing of its source video
in the judge's place: `python -m training.incidents.held_out LABELS DETECTIONS... --over DETECTIONS...`.
With `--variations N` every clip runs N times, each time mirrored, lighter, faster or the like.
"""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from detector.evaluation.cached import DetectionsFile
from detector.evaluation.labels import Clip, clips_of
from detector.evaluation.running import run_clip
from detector.evaluation.scoring import ClipResult
from detector.evaluation.summary import summary
from detector.evaluation.table import line_of
from detector.evaluation.variation import passes
from detector.impact import net

from hazardcast.vision.pixels import image
from training.incidents.material import Moments, arguments, group_of, judged_by, material
from training.incidents.train import FOLDS, export, fitted, folds, single_threaded


def main() -> None:
    """Entry point."""
    parser = arguments("python -m training.incidents.held_out")
    parser.add_argument("--over", type=Path, nargs="+", required=True, help="boxes to try it on")
    parser.add_argument("--variations", type=int, default=0, metavar="N")
    asked = parser.parse_args()
    names, moments = material(asked)
    clips = clips_of(asked.labels)
    number_of = folds(group_of(clip.name, clip.source) for clip in clips)
    with (
        tempfile.NamedTemporaryFile() as kept,
        ProcessPoolExecutor(asked.jobs, initializer=single_threaded) as pool,
    ):
        Path(kept.name).write_bytes(pickle.dumps((names, moments)))
        parts = [
            [clip for clip in clips if number_of[group_of(clip.name, clip.source)] == number]
            for number in range(FOLDS)
        ]
        tasks = [(Path(kept.name), part, asked.over, asked.variations) for part in parts]
        found = [pair for pairs in pool.map(_tried, tasks) for pair in pairs]
    for path in asked.over:
        results = sorted(
            (result for source, result in found if source == path), key=lambda one: one.name
        )
        print(path.name, *(line_of(result) for result in results), sep="\n")
        print(summary(results))


def _tried(
    task: tuple[Path, Sequence[Clip], Sequence[Path], int],
) -> list[tuple[Path, ClipResult]]:
    kept, part, over, variations = task
    names, moments = pickle.loads(kept.read_bytes())
    image.single_threaded()
    judged_by(_judge_without({group_of(clip.name, clip.source) for clip in part}, names, moments))
    results = []
    for path in over:
        file = DetectionsFile(path)
        for clip, variation in passes(part, variations):
            fps = max(file.model(clip.name).fps, 4.0)
            result = run_clip(clip, partial(file.model, clip.name), fps=fps, variation=variation)
            results.append((path, result))
    return results


def _judge_without(
    groups: set[str], names: Sequence[str], moments: Sequence[Moments]
) -> Callable[[], net.ImpactNet]:
    judges = fitted([one for one in moments if one.group not in groups], names)
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        export(judges, names, Path(file.name))
        judge = net.ImpactNet(Path(file.name).read_bytes())
    return lambda: judge


if __name__ == "__main__":
    main()
