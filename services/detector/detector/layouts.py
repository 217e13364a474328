"""How known detection networks want their input and lay out their output; recognised by shape.

Every decoder takes the network's outputs and returns boxes in pixels of the network's input, before
suppression. Sources: the networks' own export code, checked against weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from detector.boxes import ROAD_USERS, Boxes, Floats, Ints, make
from hazardcast.errors import ConfigError

Shape = tuple[int, ...]
Named = dict[str, Floats]
"""Output name → array."""
COCO_IDS = np.array([int(label) for label in ROAD_USERS])
COCO_CLASSES = 80
IMAGENET_MEAN, IMAGENET_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
DFL_BINS = 8
KNOWN = (
    "YOLOX [1,N,85], NanoDet-Plus [1,N,112], NanoDet (cls [1,n,80] and dis [1,n,32] per stride), "
    "YOLOv8/11 [1,84,N], end-to-end YOLO [1,N,6], DETR family (labels, boxes, scores; "
    "or logits [1,Q,80|91] and boxes [1,Q,4]), all with COCO classes"
)


@dataclass(frozen=True)
class Input:
    """What the network wants to see: (pixel − mean) / std, channels in `rgb` or BGR order."""

    rgb: bool = False
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    letterbox: bool = True
    """Keep the aspect and pad right and below with `pad`; else stretch."""
    pad: int = 114


Decode = Callable[[Named, float], Boxes]
"""Outputs and least score → boxes in pixels of the network's input."""


@dataclass(frozen=True)
class Layout:
    """A known kind of network."""

    name: str
    input: Input
    decode: Decode


def recognise(outputs: dict[str, Shape], width: int, height: int) -> Layout:
    """The layout that has these outputs for an input of `width` × `height`.

    Raises:
        ConfigError: no known network; the error names what is understood.
    """
    for find in (_single_output, _nanodet_m, _detr):
        if layout := find(outputs, width, height):
            return layout
    shown = ", ".join(f"{name}{list(shape)}" for name, shape in outputs.items())
    raise ConfigError(f"its outputs are {shown} for {width}x{height}; understood are {KNOWN}")


def _single_output(outputs: dict[str, Shape], width: int, height: int) -> Layout | None:
    if len(outputs) != 1:
        return None
    shape = next(iter(outputs.values()))
    three, four = _cells(width, height, (8, 16, 32)), _cells(width, height, (8, 16, 32, 64))
    if shape == (1, three, 5 + COCO_CLASSES):
        return Layout("yolox", Input(), partial(yolox, grid=_grid(width, height, (8, 16, 32))))
    if shape == (1, four, COCO_CLASSES + 4 * DFL_BINS):
        grid = _grid(width, height, (8, 16, 32, 64))
        return Layout("nanodet-plus", NANODET_INPUT, partial(nanodet_plus, grid=grid))
    if shape == (1, 4 + COCO_CLASSES, three):
        return Layout("yolov8", YOLO_INPUT, yolov8)
    if len(shape) == 3 and shape[2] == 6:
        return Layout("yolo-end-to-end", YOLO_INPUT, end_to_end)
    return None


NANODET_INPUT = Input(mean=IMAGENET_MEAN[::-1], std=IMAGENET_STD[::-1], pad=0)
YOLO_INPUT = Input(rgb=True, std=(255.0, 255.0, 255.0))
DETR_INPUT = Input(rgb=True, std=(255.0, 255.0, 255.0), letterbox=False)
RFDETR_INPUT = Input(rgb=True, mean=IMAGENET_MEAN, std=IMAGENET_STD, letterbox=False)


def _nanodet_m(outputs: dict[str, Shape], width: int, height: int) -> Layout | None:
    counts = [_cells(width, height, (stride,)) for stride in (8, 16, 32)]
    wanted = {(1, n, last) for n in counts for last in (COCO_CLASSES, 4 * DFL_BINS)}
    if set(outputs.values()) != wanted:
        return None
    return Layout("nanodet", NANODET_INPUT, partial(nanodet_m, width=width, height=height))


def _detr(outputs: dict[str, Shape], width: int, height: int) -> Layout | None:
    if {"labels", "boxes", "scores"} <= outputs.keys():
        return Layout("detr", DETR_INPUT, detr)
    boxes = [name for name, shape in outputs.items() if len(shape) == 3 and shape[2] == 4]
    logits = [name for name, shape in outputs.items() if len(shape) == 3 and shape[2] in (80, 91)]
    if len(boxes) != 1 or len(logits) != 1:
        return None
    decode = partial(raw_detr, boxes=boxes[0], logits=logits[0], width=width, height=height)
    is_rf = outputs[logits[0]][2] == 91
    return Layout("rf-detr" if is_rf else "raw-detr", RFDETR_INPUT if is_rf else DETR_INPUT, decode)


def _cells(width: int, height: int, strides: Sequence[int]) -> int:
    return sum(-(-width // stride) * -(-height // stride) for stride in strides)


def _grid(width: int, height: int, strides: Sequence[int]) -> Floats:
    """(N, 3) column, row and stride of every cell, strides in turn, row by row."""
    parts = []
    for stride in strides:
        rows, columns = np.mgrid[: -(-height // stride), : -(-width // stride)]
        cells = np.stack([columns.ravel(), rows.ravel()], axis=1)
        parts.append(np.concatenate([cells, np.full((len(cells), 1), stride)], axis=1))
    return np.concatenate(parts).astype(np.float32)


def _best(scores: Floats, least: float) -> tuple[Ints, Floats, Ints]:
    """Rows, scores and COCO ids of the cells whose best road-user class reaches `least`."""
    own = scores[:, COCO_IDS]
    best = own.max(axis=1)
    rows = np.flatnonzero(best >= least)
    return rows, best[rows], COCO_IDS[own[rows].argmax(axis=1)]


def yolox(outputs: Named, least: float, *, grid: Floats) -> Boxes:
    """[1, N, 85]: x, y, log w, log h per cell; objectness; 80 class scores (all sigmoid)."""
    cells = next(iter(outputs.values()))[0]
    likely = np.flatnonzero(cells[:, 4] >= least)
    cells, grid = cells[likely], grid[likely]
    rows, scores, labels = _best(cells[:, 5:] * cells[:, 4:5], least)
    cells, place = cells[rows], grid[rows]
    centre = (cells[:, :2] + place[:, :2]) * place[:, 2:]
    half = np.exp(cells[:, 2:4]) * place[:, 2:] / 2
    return make(np.concatenate([centre - half, centre + half], axis=1), scores, labels)


def nanodet_plus(outputs: Named, least: float, *, grid: Floats) -> Boxes:
    """[1, N, 112]: 80 sigmoid class scores, then 4 sides × 8 distribution logits."""
    cells = next(iter(outputs.values()))[0]
    rows, scores, labels = _best(cells[:, :COCO_CLASSES], least)
    place = grid[rows]
    centre = place[:, :2] * place[:, 2:]
    sides = _distances(cells[rows, COCO_CLASSES:]) * place[:, 2:]
    return make(np.concatenate([centre - sides[:, :2], centre + sides[:, 2:]], 1), scores, labels)


def _distances(logits: Floats) -> Floats:
    """(N, 4) expected distances of the distribution focal loss (arXiv 2006.04388)."""
    logits = logits.reshape(-1, 4, DFL_BINS)
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    weights /= weights.sum(axis=2, keepdims=True)
    distances: Floats = weights @ np.arange(DFL_BINS, dtype=np.float32)
    return distances


def nanodet_m(outputs: Named, least: float, *, width: int, height: int) -> Boxes:
    """Per stride: sigmoid scores [1, n, 80] and distribution logits [1, n, 32]."""
    found = []
    for stride in (8, 16, 32):
        grid = _grid(width, height, (stride,))
        scores_of, sides_of = _pair(outputs, len(grid))
        rows, scores, labels = _best(scores_of, least)
        centre = (grid[rows, :2] + 0.5) * stride
        sides = _distances(sides_of[rows]) * stride
        found.append(
            (np.concatenate([centre - sides[:, :2], centre + sides[:, 2:]], 1), scores, labels)
        )
    return make(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _pair(outputs: Named, cells: int) -> tuple[Floats, Floats]:
    of_stride = [output[0] for output in outputs.values() if output.shape[1] == cells]
    of_stride.sort(key=lambda output: -output.shape[1])
    return of_stride[0], of_stride[1]


def yolov8(outputs: Named, least: float) -> Boxes:
    """[1, 84, N]: centre x, y, w, h in pixels, then 80 class scores."""
    cells = next(iter(outputs.values()))[0]
    rows, scores, labels = _best(cells[4:].T, least)
    return make(_corners(cells[:4, rows].T), scores, labels)


def end_to_end(outputs: Named, least: float) -> Boxes:
    """[1, N, 6]: x1, y1, x2, y2 in pixels, score, class."""
    cells = next(iter(outputs.values()))[0]
    return _ours(cells[:, :4], cells[:, 4], cells[:, 5], least)


def detr(outputs: Named, least: float) -> Boxes:
    """`labels`, `boxes` (x1, y1, x2, y2 in pixels), `scores`, with or without a batch axis."""
    return _ours(
        outputs["boxes"].reshape(-1, 4),
        outputs["scores"].reshape(-1),
        outputs["labels"].reshape(-1),
        least,
    )


def raw_detr(
    outputs: Named, least: float, *, boxes: str, logits: str, width: int, height: int
) -> Boxes:
    """Logits of 80 classes, or of 91 numbered from 1, and boxes cx, cy, w, h in fractions."""
    scores = 1 / (1 + np.exp(-outputs[logits][0]))
    if scores.shape[1] == 91:
        scores = scores[
            :, 1:
        ]  # COCO's own numbering has no class 0; ours agree up to truck (8 → 7)
    rows, best, labels = _best(scores, least)
    scale = np.array([width, height, width, height], np.float32)
    return make(_corners(outputs[boxes][0][rows]) * scale, best, labels)


def _ours(xyxy: Floats, scores: Floats, classes: Floats, least: float) -> Boxes:
    rows = np.flatnonzero((scores >= least) & np.isin(classes.astype(np.int64), COCO_IDS))
    return make(xyxy[rows], scores[rows], classes[rows])


def _corners(cxcywh: Floats) -> Floats:
    half = cxcywh[:, 2:] / 2
    return np.concatenate([cxcywh[:, :2] - half, cxcywh[:, :2] + half], axis=1)
