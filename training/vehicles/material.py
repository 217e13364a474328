"""What the network learns from: pictures, the empty road behind them, and a teacher's boxes.

`python -m training.vehicles.material LABELS TEACHER FOLDER` keeps one file a clip.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from training.incidents.material import group_of

WIDTH_PX = 384
FPS, EVERY = 8.0, 2
"""The empty road is followed at the service's rate; every second frame is kept."""
FOLDS = 3
SAME_PLACE = ("suburb", "bridge", "ubiwhere", "highway", "bgs_video", "l0kxh")
"""Clips with one of these in their names show one place."""
DRAWN = "drawn"
"""What the names of drawn scenes begin with: nothing that is held out looks like them."""


@dataclass(frozen=True)
class View:
    """One clip."""

    name: str
    pictures: np.ndarray
    """(N, H, W, 3) BGR."""
    roads: np.ndarray
    """(N, H, W, 3) the empty road as background subtraction knew it at each picture."""
    empty: np.ndarray
    """(H, W, 3) the median of the whole clip."""
    boxes: list[np.ndarray]
    """(K, 6) a picture: x1, y1, x2, y2 px, score, label."""

    @property
    def fold(self) -> int | None:
        """Which part of the material is held out with this place, the same for ever; None: no."""
        if self.name.startswith(DRAWN):
            return None
        return hashlib.sha256(place_of(self.name).encode()).digest()[0] % FOLDS


def place_of(name: str) -> str:
    """What clips of one source video, or of one place, have in common."""
    return next((word for word in SAME_PLACE if word in name), group_of(name))


def kept(folder: Path) -> list[View]:
    """All clips that were kept."""
    return [_opened(path) for path in sorted(folder.glob("*.npz"))]


def _opened(path: Path) -> View:
    with np.load(path) as file:
        pictures, rows = file["pictures"], file["boxes"]
        boxes = [rows[rows[:, 0] == number, 1:] for number in range(len(pictures))]
        return View(str(file["name"]), pictures, file["roads"], file["empty"], boxes)


def keep(
    name: str,
    pictures: Sequence[np.ndarray],
    roads: Sequence[np.ndarray | None],
    boxes: Sequence[np.ndarray],
    folder: Path,
) -> None:
    """Write one clip; a road that is not known yet (None) is the clip's median."""
    stacked = np.stack(pictures)
    empty = np.median(stacked[:: max(1, len(stacked) // 24)], axis=0).astype(np.uint8)
    rows = [np.insert(found, 0, number, axis=1) for number, found in enumerate(boxes)]
    np.savez(
        folder / f"{name.replace('/', '--')}.npz",
        name=name, pictures=stacked, boxes=np.concatenate(rows), empty=empty,
        roads=np.stack([empty if road is None else road for road in roads]),
    )  # fmt: skip


def collect(clip: tuple[str, Path], *, teacher: Path, folder: Path) -> None:
    """Look at one clip with the teacher and with background subtraction; runs in a worker."""
    from hazardcast.vision.models.background import BackgroundModel  # noqa: PLC0415
    from hazardcast.vision.models.opener import model_opener  # noqa: PLC0415
    from hazardcast.vision.pixels import image  # noqa: PLC0415
    from hazardcast.vision.pixels.sources import FileFrames  # noqa: PLC0415

    image.single_threaded()
    name, path = clip
    network, background = model_opener(teacher, threads=1)(), BackgroundModel()
    pictures, roads, boxes = [], [], []
    for number, frame in enumerate(FileFrames(path, fps=FPS)):
        background.detect(frame)
        if number % EVERY:
            continue
        small, found = frame.shrunk(WIDTH_PX), network.detect(frame)
        scale = small.shape[1] / frame.width
        pictures.append(small)
        road = background.road_for(small)
        roads.append(None if road is small else road)
        boxes.append(np.column_stack([found.xyxy * scale, found.scores, found.labels]))
    if pictures:
        keep(name, pictures, roads, boxes, folder)


def main() -> None:
    """Entry point."""
    from detector.evaluation.labels import clips_of  # noqa: PLC0415

    parser = argparse.ArgumentParser(prog="python -m training.vehicles.material")
    parser.add_argument("labels", type=Path)
    parser.add_argument("teacher", type=Path, help="an ONNX detector, the better the better")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=3)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    clips = [(clip.name, clip.path) for clip in clips_of(asked.labels)]
    work = partial(collect, teacher=asked.teacher, folder=asked.folder)
    with ProcessPoolExecutor(asked.jobs) as pool:
        list(pool.map(work, clips))


if __name__ == "__main__":
    main()
