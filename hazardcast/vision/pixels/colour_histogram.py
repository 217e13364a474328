"""What road users look like: their colours, by which two that meet are not taken for each other.

Histograms of coarse colours, compared by their intersection (Swain & Ballard 1991, "Color
indexing"): from one frame to the next 99 in 100 vehicles share half of theirs or more, of two
vehicles 30 in 100 do.
"""

from __future__ import annotations

import numpy as np

from hazardcast.vision.geometry.boxes import Floats
from hazardcast.vision.pixels.frame import SHARED_PX, Frame
from hazardcast.vision.pixels.image import Image

SHIFT = 5
"""Of eight bits a channel the upper three count."""
COLOURS = 512
INNER = 0.15
"""This share of a box is left out on every side: it is road."""
ENOUGH_PX = 24
"""Of larger boxes so many rows and columns of pixels are looked at, evenly spread."""


def looks(frame: Frame, found: Floats) -> Floats:
    """(N, COLOURS) share of each colour in the boxes (N, 4) px of the frame."""
    small = frame.shrunk(SHARED_PX)
    scale = small.shape[1] / frame.width
    return np.array([_look(small, box) for box in (found * scale).tolist()], np.float32).reshape(
        -1, COLOURS
    )


def likenesses(first: Floats, second: Floats) -> Floats:
    """(N, M) share of their colours that each of (N, COLOURS) has in common with each of (M, …)."""
    common: Floats = np.minimum(first[:, None], second[None]).sum(axis=2)
    return common


def _look(small: Image, box: list[float]) -> Floats:
    pixels = small[_inner(box[1], box[3], small.shape[0]), _inner(box[0], box[2], small.shape[1])]
    coarse = (pixels >> SHIFT).reshape(-1, 3).astype(np.intp)
    counts = np.bincount(coarse @ (64, 8, 1), minlength=COLOURS)
    return counts / max(1, len(coarse))


def _inner(low: float, high: float, size: int) -> slice:
    margin = INNER * (high - low)
    step = max(1, int((high - low) / ENOUGH_PX))
    start = min(max(0, int(low + margin)), size - 1)
    return slice(start, max(start + 1, int(high - margin) + 1), step)
