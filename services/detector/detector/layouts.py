"""Known detection networks: what they want to see, and how to read them; recognised by shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from detector import decoders
from detector.boxes import Boxes
from detector.classes import COCO, Classes
from detector.decoders import DFL_BINS, Named, cells, grid
from hazardcast.errors import ConfigError

Shape = tuple[int, ...]
IMAGENET_MEAN, IMAGENET_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
KNOWN = (
    "YOLOX [1,N,5+C], NanoDet-Plus [1,N,C+32], NanoDet (cls [1,n,C] and dis [1,n,32] per stride), "
    "YOLOv8/11 [1,4+C,N], end-to-end YOLO [1,N,6], DETR family (labels, boxes, scores; "
    "or logits [1,Q,C] and boxes [1,Q,4])"
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


NANODET_INPUT = Input(mean=IMAGENET_MEAN[::-1], std=IMAGENET_STD[::-1], pad=0)
YOLO_INPUT = Input(rgb=True, std=(255.0, 255.0, 255.0))
DETR_INPUT = Input(rgb=True, std=(255.0, 255.0, 255.0), letterbox=False)
RFDETR_INPUT = Input(rgb=True, mean=IMAGENET_MEAN, std=IMAGENET_STD, letterbox=False)

Decode = Callable[[Named, float], Boxes]
"""Outputs and least score → boxes in pixels of the network's input."""


@dataclass(frozen=True)
class Layout:
    """A known kind of network."""

    name: str
    input: Input
    decode: Decode


def recognise(
    outputs: dict[str, Shape], width: int, height: int, classes: Classes = COCO,
    *, named: str | None = None,
) -> Layout:  # fmt: skip
    """The layout that has these outputs for an input of `width` × `height`.

    Args:
        outputs: name → shape.
        width: of the input.
        height: of the input.
        classes: the network's.
        named: the layout that the file is said to have; None: whichever fits.

    Raises:
        ConfigError: no known network, or not the one it is said to be; the error names what was
            expected.
    """
    for find in (_yolox, _nanodet_plus, _yolov8, _end_to_end, _nanodet_m, _detr, _raw_detr):
        layout = find(outputs, width, height, classes)
        if layout and named in (None, layout.name):
            return layout
    shown = ", ".join(f"{name}{list(shape)}" for name, shape in outputs.items())
    expected = f"expected {named}" if named else "understood are"
    raise ConfigError(
        f"its outputs are {shown} for {width}x{height} and {classes.count} classes; "
        f"{expected}{' of' if named else ''} {KNOWN}; other classes than COCO's are named in a "
        "file beside it (see docs/design/detector.md)"
    )


def _only(outputs: dict[str, Shape]) -> Shape | None:
    return next(iter(outputs.values())) if len(outputs) == 1 else None


def _yolox(outputs: dict[str, Shape], width: int, height: int, classes: Classes) -> Layout | None:
    strides = (8, 16, 32)
    if _only(outputs) != (1, cells(width, height, strides), 5 + classes.count):
        return None
    places = grid(width, height, strides)
    return Layout("yolox", Input(), partial(decoders.yolox, places=places, classes=classes))


def _nanodet_plus(
    outputs: dict[str, Shape], width: int, height: int, classes: Classes
) -> Layout | None:
    strides = (8, 16, 32, 64)
    if _only(outputs) != (1, cells(width, height, strides), classes.count + 4 * DFL_BINS):
        return None
    decode = partial(decoders.nanodet_plus, places=grid(width, height, strides), classes=classes)
    return Layout("nanodet-plus", NANODET_INPUT, decode)


def _yolov8(outputs: dict[str, Shape], width: int, height: int, classes: Classes) -> Layout | None:
    if _only(outputs) != (1, 4 + classes.count, cells(width, height, (8, 16, 32))):
        return None
    return Layout("yolov8", YOLO_INPUT, partial(decoders.yolov8, classes=classes))


def _end_to_end(
    outputs: dict[str, Shape], _width: int, _height: int, classes: Classes
) -> Layout | None:
    shape = _only(outputs)
    if shape is None or len(shape) != 3 or shape[2] != 6:
        return None
    return Layout("yolo-end-to-end", YOLO_INPUT, partial(decoders.end_to_end, classes=classes))


def _nanodet_m(
    outputs: dict[str, Shape], width: int, height: int, classes: Classes
) -> Layout | None:
    counts = [cells(width, height, (stride,)) for stride in (8, 16, 32)]
    wanted = sorted((1, n, last) for n in counts for last in (classes.count, 4 * DFL_BINS))
    if sorted(outputs.values()) != wanted:
        return None
    decode = partial(decoders.nanodet_m, width=width, height=height, classes=classes)
    return Layout("nanodet", NANODET_INPUT, decode)


def _detr(outputs: dict[str, Shape], _width: int, _height: int, classes: Classes) -> Layout | None:
    if not {"labels", "boxes", "scores"} <= outputs.keys():
        return None
    return Layout("detr", DETR_INPUT, partial(decoders.detr, classes=classes))


def _raw_detr(
    outputs: dict[str, Shape], width: int, height: int, classes: Classes
) -> Layout | None:
    counts = (classes.count, 91) if classes is COCO else (classes.count,)
    boxes = [name for name, shape in outputs.items() if len(shape) == 3 and shape[2] == 4]
    logits = [name for name, shape in outputs.items() if len(shape) == 3 and shape[2] in counts]
    if len(boxes) != 1 or len(logits) != 1 or boxes == logits:
        return None
    decode = partial(
        decoders.raw_detr, boxes=boxes[0], logits=logits[0], width=width, height=height,
        classes=classes,
    )  # fmt: skip
    is_rf = outputs[logits[0]][2] == 91
    return Layout("rf-detr" if is_rf else "raw-detr", RFDETR_INPUT if is_rf else DETR_INPUT, decode)
