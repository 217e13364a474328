"""From a network's outputs to boxes in pixels of its input, before suppression; pure.

Sources: the networks' own export code, checked against their weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from hazardcast.vision.geometry.boxes import Boxes, Floats, Ints, make
from hazardcast.vision.models.classes import Classes

Named = dict[str, Floats]
"""Output name → array."""
DFL_BINS = 8


def cells(width: int, height: int, strides: Sequence[int]) -> int:
    """How many cells a network has over all its strides."""
    return sum(-(-width // stride) * -(-height // stride) for stride in strides)


def grid(width: int, height: int, strides: Sequence[int]) -> Floats:
    """(N, 3) column, row and stride of every cell, strides in turn, row by row."""
    parts = []
    for stride in strides:
        rows, columns = np.mgrid[: -(-height // stride), : -(-width // stride)]
        places = np.stack([columns.ravel(), rows.ravel()], axis=1)
        parts.append(np.concatenate([places, np.full((len(places), 1), stride)], axis=1))
    return np.concatenate(parts).astype(np.float32)


def _best(scores: Floats, least: float, classes: Classes) -> tuple[Ints, Floats, Ints]:
    """Rows, scores and labels of the cells whose best road-user class reaches `least`."""
    own = scores[:, classes.columns]
    best = own.max(axis=1)
    rows = np.flatnonzero(best >= least)
    return rows, best[rows], classes.labels[own[rows].argmax(axis=1)]


def only(outputs: Named) -> Floats:
    """The one output that is read, of the first picture."""
    array: Floats = next(iter(outputs.values()))[0]
    return array


def yolox(outputs: Named, least: float, *, places: Floats, classes: Classes) -> Boxes:
    """[1, N, 5 + C]: x, y, log w, log h per cell; objectness; class scores (all sigmoid)."""
    found = only(outputs)
    likely = np.flatnonzero(found[:, 4] >= least)
    found, places = found[likely], places[likely]
    rows, scores, labels = _best(found[:, 5:] * found[:, 4:5], least, classes)
    found, place = found[rows], places[rows]
    centre = (found[:, :2] + place[:, :2]) * place[:, 2:]
    half = np.exp(found[:, 2:4]) * place[:, 2:] / 2
    return make(np.concatenate([centre - half, centre + half], axis=1), scores, labels)


def yolov5(outputs: Named, least: float, *, classes: Classes) -> Boxes:
    """[1, N, 5 + C]: centre x, y, w, h in pixels; objectness; class scores."""
    found = only(outputs)
    found = found[found[:, 4] >= least]
    rows, scores, labels = _best(found[:, 5:] * found[:, 4:5], least, classes)
    return make(_corners(found[rows, :4]), scores, labels)


def nanodet_plus(outputs: Named, least: float, *, places: Floats, classes: Classes) -> Boxes:
    """[1, N, C + 32]: sigmoid class scores, then 4 sides × 8 distribution logits."""
    found = only(outputs)
    rows, scores, labels = _best(found[:, : classes.count], least, classes)
    place = places[rows]
    centre = place[:, :2] * place[:, 2:]
    sides = _distances(found[rows, classes.count :]) * place[:, 2:]
    return make(np.concatenate([centre - sides[:, :2], centre + sides[:, 2:]], 1), scores, labels)


def _distances(logits: Floats) -> Floats:
    """(N, 4) expected distances of the distribution focal loss (arXiv 2006.04388)."""
    logits = logits.reshape(-1, 4, DFL_BINS)
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    weights /= weights.sum(axis=2, keepdims=True)
    distances: Floats = weights @ np.arange(DFL_BINS, dtype=np.float32)
    return distances


def nanodet_m(outputs: Named, least: float, *, width: int, height: int, classes: Classes) -> Boxes:
    """Per stride: sigmoid scores [1, n, C] and distribution logits [1, n, 32]."""
    parts = []
    for stride in (8, 16, 32):
        places = grid(width, height, (stride,))
        scores_of, sides_of = _pair(outputs, len(places))
        rows, scores, labels = _best(scores_of, least, classes)
        centre = (places[rows, :2] + 0.5) * stride
        sides = _distances(sides_of[rows]) * stride
        parts.append(
            (np.concatenate([centre - sides[:, :2], centre + sides[:, 2:]], 1), scores, labels)
        )
    return make(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _pair(outputs: Named, count: int) -> tuple[Floats, Floats]:
    """Scores and distances of one stride: distances have 32 columns, scores come first if both."""
    of_stride = [output[0] for output in outputs.values() if output.shape[1] == count]
    of_stride.sort(key=lambda output: output.shape[1] == 4 * DFL_BINS)
    return of_stride[0], of_stride[1]


def yolov8(outputs: Named, least: float, *, classes: Classes) -> Boxes:
    """[1, 4 + C, N]: centre x, y, w, h in pixels, then class scores."""
    found = only(outputs)
    rows, scores, labels = _best(found[4:].T, least, classes)
    return make(_corners(found[:4, rows].T), scores, labels)


def ultralytics_detr(
    outputs: Named, least: float, *, width: int, height: int, classes: Classes
) -> Boxes:
    """[1, Q, 4 + C]: centre x, y, w, h in fractions, then sigmoid class scores."""
    found = only(outputs)
    rows, scores, labels = _best(found[:, 4:], least, classes)
    return make(_corners(found[rows, :4]) * _scale(width, height), scores, labels)


def raw_detr(
    outputs: Named, least: float, *, boxes: str, logits: str, width: int, height: int,
    classes: Classes,
) -> Boxes:  # fmt: skip
    """Class logits, and boxes cx, cy, w, h in fractions."""
    scores = 1 / (1 + np.exp(-outputs[logits][0]))
    rows, best, labels = _best(scores, least, classes)
    return make(_corners(outputs[boxes][0][rows]) * _scale(width, height), best, labels)


Listed = tuple[Floats, Floats, Floats]
"""Boxes (N, 4) as corners in pixels, scores (N,) and class numbers (N,), suppressed already."""
Listing = Callable[[Named], Listed]


def listed(outputs: Named, least: float, *, listing: Listing, classes: Classes) -> Boxes:
    """What a network lists as boxes with class numbers."""
    xyxy, scores, numbers = listing(outputs)
    whole = np.nan_to_num(numbers, nan=-1.0).astype(np.int64)
    known = np.flatnonzero((scores >= least) & (whole >= 0))
    labels = classes.ours(whole[known])
    own = labels >= 0
    return make(xyxy[known[own]], scores[known[own]], labels[own])


def end_to_end(outputs: Named) -> Listed:
    """[1, N, 6]: x1, y1, x2, y2 in pixels, score, class."""
    found = only(outputs)
    return found[:, :4], found[:, 4], found[:, 5]


def yolo_nms(outputs: Named) -> Listed:
    """[n, 7]: number of the picture, x1, y1, x2, y2 in pixels, class, score."""
    found = next(iter(outputs.values()))
    return found[:, 1:5], found[:, 6], found[:, 5]


def detr(outputs: Named) -> Listed:
    """`labels`, `boxes` (x1, y1, x2, y2 in pixels), `scores`, with or without a batch axis."""
    return (
        outputs["boxes"].reshape(-1, 4),
        outputs["scores"].reshape(-1),
        outputs["labels"].reshape(-1),
    )


def counted(outputs: Named, *, names: Sequence[str]) -> Listed:
    """How many [1, 1], boxes [1, N, 4], scores [1, N] and classes [1, N], by their `names`."""
    how_many, boxes, scores, numbers = (outputs[name] for name in names)
    count = int(how_many.reshape(-1)[0])
    return (
        boxes.reshape(-1, 4)[:count],
        scores.reshape(-1)[:count],
        numbers.reshape(-1)[:count],
    )


def tf_detection(outputs: Named, *, names: Sequence[str], width: int, height: int) -> Listed:
    """As `counted`, boxes y1, x1, y2, x2 in fractions."""
    yxyx, scores, numbers = counted(outputs, names=names)
    return yxyx[:, [1, 0, 3, 2]] * _scale(width, height), scores, numbers


def _scale(width: int, height: int) -> Floats:
    return np.array([width, height, width, height], np.float32)


def _corners(cxcywh: Floats) -> Floats:
    half = cxcywh[:, 2:] / 2
    return np.concatenate([cxcywh[:, :2] - half, cxcywh[:, :2] + half], axis=1)
