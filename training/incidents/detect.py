"""Keeps the boxes of a model over all clips in a file; `python -m training.incidents.detect --help`."""

from __future__ import annotations

import argparse
import gzip
import json
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from detector.evaluation.labels import Clip, clips_of

from hazardcast.vision.models.opener import model_opener
from hazardcast.vision.pixels import image
from hazardcast.vision.pixels.sources import FileFrames


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m training.incidents.detect")
    parser.add_argument("labels", type=Path)
    parser.add_argument(
        "out", type=Path, help="a .json.gz file as `evaluate --detections` reads it"
    )
    parser.add_argument(
        "--model", type=Path, help="an ONNX file, `roadside` (without one) or `background`"
    )
    parser.add_argument("--fps", type=float, default=8.0)
    parser.add_argument("--jobs", type=int, default=3)
    asked = parser.parse_args()
    clips = clips_of(asked.labels)
    with ProcessPoolExecutor(asked.jobs) as pool:
        kept = list(pool.map(partial(boxes, model=asked.model, fps=asked.fps), clips))
    with gzip.open(asked.out, "wt") as file:
        json.dump(dict(zip((clip.name for clip in clips), kept, strict=True)), file)


def boxes(clip: Clip, *, model: Path | None, fps: float) -> dict[str, Any]:
    """What the model finds in one clip, in the form of `evaluate --detections`."""
    image.single_threaded()
    found = model_opener(model, threads=1)()
    frames, size = [], (1, 1)
    for frame in FileFrames(clip.path, fps=fps):
        size = (frame.image.shape[1], frame.image.shape[0])
        seen = found.detect(frame)
        rows = zip(seen.xyxy.tolist(), seen.scores.tolist(), seen.labels.tolist(), strict=True)
        frames.append([frame.t, [[*box, score, label] for box, score, label in rows]])
    return {"wh": size, "frames": frames}


if __name__ == "__main__":
    main()
