"""Pictures to learn from: labelled fire images, frames of clips, drawn look-alikes."""

from __future__ import annotations

import csv
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

FRAME_WIDTH = 512
"""Frames are kept at this width; crops are drawn from them at about 384."""
BEFORE_S = 0.25


@dataclass(frozen=True)
class Picture:
    """An image and where it burns: `boxes` (N, 4) px."""

    image: np.ndarray
    boxes: np.ndarray
    key: str
    """What must not be split between training and test: the same scene has the same key."""


@dataclass(frozen=True)
class Quiet(Picture):
    """An image of a video in which nothing burns."""

    before: np.ndarray
    """The same view a moment (`BEFORE_S`) earlier."""


def fire_images(folder: Path) -> Iterator[Picture]:
    """The labelled images of both collections; copies in both share a key."""
    for path in sorted(folder.glob("fire_*/*/images/*")):
        image = cv2.imread(str(path))
        if image is None:
            continue
        beside = path.parents[1]
        name = re.match(r"([a-z]+)[-_](\d+)", path.name)
        key = f"{name[1]}-{name[2]}" if name else path.stem
        voc = beside / "annotations" / f"{path.stem}.xml"
        yolo = beside / "labels" / f"{path.stem}.txt"
        boxes = _voc(voc) if voc.is_file() else _yolo(yolo, image) if yolo.is_file() else None
        if boxes is not None and len(boxes) and _coloured(image, boxes):
            yield Picture(image, boxes, key)


def _coloured(image: np.ndarray, boxes: np.ndarray) -> bool:
    """Whether its fire has colour: some copies are grey, or washed out by their augmentation."""
    warm = 0.0
    for x1, y1, x2, y2 in np.maximum(boxes, 0).astype(int):
        cut = image[y1:y2, x1:x2].astype(int)
        if cut.size:
            warm = max(warm, float((cut[..., 2] - cut[..., 0] > 50).mean()))
    return warm > 0.15


def _voc(path: Path) -> np.ndarray:
    sides = ("xmin", "ymin", "xmax", "ymax")
    found = ET.parse(path).iter("bndbox")
    return np.array([[float(box.findtext(side, "nan")) for side in sides] for box in found])


def _yolo(path: Path, image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    boxes = []
    for line in path.read_text().splitlines():
        numbers = [float(word) for word in line.split()[1:]]
        if len(numbers) == 4:
            x, y, w, h = numbers
            boxes.append([x - w / 2, y - h / 2, x + w / 2, y + h / 2])
        elif numbers:
            xs, ys = numbers[::2], numbers[1::2]
            boxes.append([min(xs), min(ys), max(xs), max(ys)])
    return np.array(boxes).reshape(-1, 4) * [width, height, width, height]


def group_of(name: str) -> str:
    """The source a clip was cut from: clips of one source must stay together."""
    stem = Path(name).stem
    number = re.search(r"argus_(\d{4})", stem)
    if number:
        return number[1]
    for word, group in {
        "ubiwhere": "ubiwhere", "suburb": "suburb", "bridge": "bridge", "highway02": "bgs02",
        "bgs_video02": "bgs02", "l0kxh": "l0kxh", "tfl_": "tfl",
    }.items():  # fmt: skip
        if word in stem:
            return group
    return stem


def clips(folder: Path) -> list[dict[str, str]]:
    """Rows of the manifest."""
    with (folder / "MANIFEST.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def frames(
    path: Path, *, fps: float, width: int = FRAME_WIDTH
) -> Iterator[tuple[float, np.ndarray]]:
    """Every 1/fps seconds a frame, at most `width` wide."""
    video = cv2.VideoCapture(str(path))
    rate = video.get(cv2.CAP_PROP_FPS) or 25.0
    number, due = 0, 0.0
    while True:
        if not video.grab():
            return
        t, number = number / rate, number + 1
        if t + 1e-6 < due:
            continue
        due += 1 / fps
        _, frame = video.retrieve()
        scale = width / frame.shape[1]
        if scale < 1:
            size = (width, round(frame.shape[0] * scale))
            frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        yield t, frame


def quiet_frames(folder: Path) -> Iterator[Quiet]:
    """Frames of every clip in which nothing burns (of the composed ones only their originals)."""
    nothing = np.zeros((0, 4))
    for row in clips(folder):
        name = row["path"]
        # Copies of the same frames teach nothing new.
        if name.startswith("fire/") or "/pre_" in name or "/tail_" in name or "syn_" in name:
            continue
        burns = (4.0, 8.0) if "1530" in name else (1e9, 1e9)
        before = None
        for number, (t, frame) in enumerate(frames(folder / name, fps=1 / BEFORE_S)):
            if before is not None and number % 2 and not burns[0] <= t <= burns[1]:
                yield Quiet(frame, nothing, group_of(name), before)
            before = frame
