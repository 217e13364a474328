"""Gaps between the boxes of two vehicles, in plain floats: for single boxes they beat arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence

Box = Sequence[float]
"""x1, y1, x2, y2 in px."""

GROUND_GATE = 0.6
"""Boxes touch on the ground only if their lower edges differ by less than this share of height."""


def on_same_ground(first: Box, second: Box) -> bool:
    """Whether two boxes may touch on the road rather than one behind the other."""
    height = max(first[3] - first[1], second[3] - second[1])
    return abs(first[3] - second[3]) < GROUND_GATE * height


def gap_bl(first: Box, second: Box) -> float:
    """Gap between two boxes in sizes of the smaller, negative when they overlap."""
    across = max(first[0], second[0]) - min(first[2], second[2])
    down = max(first[1], second[1]) - min(first[3], second[3])
    size = math.sqrt(max(1.0, min(_area(first), _area(second))))
    return max(across, down) / size


def side(box: Box) -> float:
    """√(w·h) of a box, at least 1 px."""
    return math.sqrt(max(1.0, _area(box)))


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
