"""Boxes that a model found in one frame, and the geometry that tracking and rules need of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
"""Boxes are rows x1, y1, x2, y2 in pixels of the frame as analysed."""
Ints = NDArray[Any]
Bools = NDArray[np.bool_]

NMS_IOU = 0.65
NMS_CONTAINED = 0.9
"""Share of the smaller box inside the larger one from which both are the same vehicle …"""
NMS_ALIKE = 0.4
"""… provided that its area is at least this share: a car in front of a bus is no double."""

EDGE = 0.004
"""So near the picture's edge, as a share of its width, a box is cut off by it."""


class Label(IntEnum):
    """What a box holds; the numbers are COCO's, `OBJECT` is a moving thing of unknown class."""

    PERSON = 0
    BICYCLE = 1
    CAR = 2
    MOTORCYCLE = 3
    BUS = 5
    TRUCK = 7
    OBJECT = 127

    @property
    def is_vehicle(self) -> bool:
        """Whether it may crash, block a road or burn."""
        return self is not Label.PERSON


ROAD_USERS = (
    Label.PERSON,
    Label.BICYCLE,
    Label.CAR,
    Label.MOTORCYCLE,
    Label.BUS,
    Label.TRUCK,
)


@dataclass(frozen=True)
class Boxes:
    """What one frame holds: `xyxy` (N, 4) float32 px, `scores` (N,) in [0, 1], `labels` (N,)."""

    xyxy: Floats
    scores: Floats
    labels: Ints
    looks: Floats | None = None
    """(N, COLOURS) what they look like (`pixels.colour_histogram`), where somebody has looked."""

    def __len__(self) -> int:
        return len(self.xyxy)

    def take(self, rows: Ints | Bools) -> Boxes:
        """The boxes of these rows."""
        looks = None if self.looks is None else self.looks[rows]
        return Boxes(self.xyxy[rows], self.scores[rows], self.labels[rows], looks)


def empty() -> Boxes:
    """No boxes."""
    return make([], [], [])


def make(xyxy: Any, scores: Any, labels: Any, looks: Floats | None = None) -> Boxes:
    """Boxes from anything array-like."""
    return Boxes(
        np.asarray(xyxy, np.float32).reshape(-1, 4),
        np.asarray(scores, np.float32).reshape(-1),
        np.asarray(labels, np.int16).reshape(-1),
        looks,
    )


def areas(xyxy: Floats) -> Floats:
    """(N,) px²."""
    x1, y1, x2, y2 = xyxy.T
    areas_px: Floats = np.maximum(x2 - x1, 0.0) * np.maximum(y2 - y1, 0.0)
    return areas_px


def cut_off(box: Floats, width: int, height: int) -> bool:
    """Whether the edge of a picture of `width` × `height` px cuts a box (4,) off."""
    x1, y1, x2, y2 = box.tolist()
    spare = EDGE * width
    return bool(min(x1, y1) < spare or x2 > width - spare or y2 > height - spare)


def joined(first: Floats, second: Floats) -> Floats:
    """(4,) the smallest box about two."""
    return np.concatenate([np.minimum(first[:2], second[:2]), np.maximum(first[2:], second[2:])])


def intersections(first: Floats, second: Floats) -> Floats:
    """(N, M) px² that every box of `first` shares with every one of `second`."""
    a, b = first.T[:, :, None], second.T[:, None, :]
    across = np.minimum(a[2], b[2]) - np.maximum(a[0], b[0])
    down = np.minimum(a[3], b[3]) - np.maximum(a[1], b[1])
    shared: Floats = np.maximum(across, 0.0) * np.maximum(down, 0.0)
    return shared


def ious(first: Floats, second: Floats) -> Floats:
    """(N, M) intersection over union."""
    shared = intersections(first, second)
    union = areas(first)[:, None] + areas(second)[None, :] - shared
    return shared / np.maximum(union, 1e-9)


def grown(xyxy: Floats, share: float) -> Floats:
    """Each box grown on every side by `share` of its width and height.

    IoU of grown boxes is the buffered IoU of C-BIoU (Yang et al. 2022, arXiv 2211.14317), which
    still matches objects that move by more than their own size between two frames.
    """
    margin = (xyxy[:, 2:] - xyxy[:, :2]) * share
    return np.concatenate([xyxy[:, :2] - margin, xyxy[:, 2:] + margin], axis=1)


def nms(found: Boxes, *, most: int = 100) -> Boxes:
    """Keep the best box of each object, whatever its class.

    Per-class suppression leaves car + truck doubles of one vehicle, which look like a collision.
    """
    order = np.argsort(-found.scores, kind="stable")[: 2 * most]
    ranked = found.take(order)
    doubles = _doubles(ranked)
    keep = np.ones(len(ranked), bool)
    for row in range(len(ranked)):
        if keep[row]:
            keep[row + 1 :] &= ~doubles[row, row + 1 :]
    return ranked.take(np.flatnonzero(keep)[:most])


def _doubles(found: Boxes) -> Bools:
    """(N, N) whether two boxes show the same object."""
    size = areas(found.xyxy)
    shared = intersections(found.xyxy, found.xyxy)
    smaller = np.minimum(size[:, None], size[None, :])
    larger = np.maximum(size[:, None], size[None, :])
    same = shared > NMS_IOU * np.maximum(size[:, None] + size[None, :] - shared, 1e-9)
    vehicle = found.labels != Label.PERSON
    contained = (shared > NMS_CONTAINED * smaller) & (smaller > NMS_ALIKE * larger)
    doubles: Bools = same | (contained & vehicle[:, None] & vehicle[None, :])
    return doubles


def clipped(found: Boxes, width: int, height: int) -> Boxes:
    """Boxes cut to the frame; those with nothing left are dropped."""
    xyxy = np.clip(found.xyxy, 0, np.array([width, height, width, height], np.float32))
    inside = (xyxy[:, 2] - xyxy[:, 0] >= 1) & (xyxy[:, 3] - xyxy[:, 1] >= 1)
    return Boxes(xyxy, found.scores, found.labels).take(inside)


def covered_by(xyxy: Floats, polygons: tuple[Floats, ...]) -> Bools:
    """(N,) whether the bottom centre of each box lies in one of the polygons ((K, 2) px each)."""
    feet = np.stack([(xyxy[:, 0] + xyxy[:, 2]) / 2, xyxy[:, 3]], axis=1)
    inside: Bools = np.zeros(len(xyxy), bool)
    for polygon in polygons:
        inside |= _in_polygon(feet, polygon)
    return inside


def _in_polygon(points: Floats, polygon: Floats) -> Bools:
    """(N,) even-odd rule."""
    a, b = polygon, np.roll(polygon, -1, axis=0)
    x, y = points[:, :1], points[:, 1:]
    crosses = (a[:, 1] > y) != (b[:, 1] > y)
    rise = np.where(b[:, 1] == a[:, 1], 1e-9, b[:, 1] - a[:, 1])
    at = a[:, 0] + (y - a[:, 1]) * (b[:, 0] - a[:, 0]) / rise
    odd: Bools = np.asarray(np.count_nonzero(crosses & (x < at), axis=1) % 2 == 1)
    return odd
