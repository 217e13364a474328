"""Known detection networks: what they want to see, and how to read them.

Recognised by the shapes of their outputs, and where several have the same, by their values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from hazardcast.contract.errors import ConfigError
from hazardcast.vision.geometry.boxes import Boxes
from hazardcast.vision.models import decoders, plausible
from hazardcast.vision.models.classes import COCO, COCO_91, Classes
from hazardcast.vision.models.decoders import DFL_BINS, Listing, Named, cells, grid
from hazardcast.vision.models.plausible import Reason

Shape = tuple[int, ...]
Shapes = dict[str, Shape]
IMAGENET_MEAN, IMAGENET_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
KNOWN = (
    "YOLOX and YOLOv6 [1,N,5+C], YOLOv5/7 [1,3N,5+C], NanoDet-Plus [1,N,C+32], NanoDet (cls "
    "[1,n,C] and dis [1,n,32] per stride), YOLOv8/9/11/12 [1,4+C,N], end-to-end YOLO [1,N,6], "
    "YOLO with suppression inside ([n,7]; or num_dets, boxes, scores, classes), TensorFlow's "
    "detection_boxes/_scores/_classes, DETR family (labels, boxes, scores; [1,Q,4+C]; or logits "
    "[1,Q,C] and boxes [1,Q,4])"
)
STRIDES = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32), (16, 32))
"""Of heads without a grid of their own to be told: usual, P6, P2 and tiny."""
ANCHORS = 3
QUERIES = range(100, plausible.MOST_ROWS + 1)
MOST_CLASSES = 1000


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
TF_INPUT = Input(rgb=True, pad=0)

Decode = Callable[[Named, float], Boxes]
"""Outputs and least score → boxes in pixels of the network's input."""


@dataclass(frozen=True)
class Layout:
    """A known kind of network."""

    name: str
    input: Input
    decode: Decode
    reads: tuple[str, ...] = ()
    """The outputs that are read; none: all."""
    against: Callable[[Named], Reason] = plausible.none
    """Why values cannot be of this layout."""
    listing: Listing | None = None
    """Boxes, scores and class numbers of a network that lists what it found …"""
    most_number: int = 0
    """… and the greatest number a class may have."""


def recognise(
    outputs: Shapes, width: int, height: int, classes: Classes = COCO,
    *, named: str | None = None, seen: Named | None = None, likely: str | None = None,
    said_in: str = "the .json file beside it",
) -> Layout:  # fmt: skip
    """The layout that has these outputs for an input of `width` × `height`.

    Args:
        outputs: name → shape.
        width: of the input.
        height: of the input.
        classes: the network's.
        named: the layout that the file is said to have; None: whichever fits.
        seen: the outputs for some picture; where two layouts fit the shapes, these must tell.
        likely: the layout that the network's metadata speaks of, if more than one is possible.
        said_in: the file in which more may be said, for the error.

    Raises:
        ConfigError: no known network, not the one it is said to be, or one of several; the error
            names what was expected, and what to say of it.
    """
    fitting = [
        layout
        for layout in fitting_layouts(outputs, width, height, classes)
        if named in (None, layout.name)
    ]
    if not fitting:
        more = _hint(outputs) or _asked(_guess(outputs, width, height, classes), said_in)
        raise ConfigError(_unknown(outputs, width, height, classes, named=named) + more)
    if seen is None or named:
        return fitting[0]
    reasons = {layout.name: layout.against(_read(layout, seen)) for layout in fitting}
    standing = [layout for layout in fitting if reasons[layout.name] is None]
    spoken_of = [layout for layout in standing if layout.name == likely] or standing
    if len(spoken_of) == 1:
        return spoken_of[0]
    if standing:
        raise ConfigError(_undecided(outputs, [one.name for one in standing], said_in))
    guess = _guess(outputs, width, height, classes, denied=reasons) if classes.assumed else ""
    raise ConfigError(_denied(outputs, reasons) + _asked(guess, said_in))


def _read(layout: Layout, outputs: Named) -> Named:
    return {name: outputs[name] for name in layout.reads or outputs}


def _shown(outputs: Shapes) -> str:
    return ", ".join(f"{name}{list(shape)}" for name, shape in outputs.items())


def _undecided(outputs: Shapes, names: list[str], said_in: str) -> str:
    return (
        f"its outputs are {_shown(outputs)}, which may be {' or '.join(names)}, and its values do "
        f'not tell; say which in {said_in}: {{"layout": "{names[0]}"}}'
    )


def _denied(outputs: Shapes, reasons: dict[str, Reason]) -> str:
    why = "; ".join(f"not {name}: {reason}" for name, reason in reasons.items())
    return f"its outputs are {_shown(outputs)}, but {why}; understood are {KNOWN}"


def _asked(guess: str, said_in: str) -> str:
    if not guess:
        return ""
    return f'. With other classes it would be {guess}: name all in {said_in}: {{"classes": ["…"]}}'


def _unknown(
    outputs: Shapes, width: int, height: int, classes: Classes, *, named: str | None
) -> str:
    expected = f"expected {named} of" if named else "understood are"
    return (
        f"its outputs are {_shown(outputs)} for {width}x{height} and {classes.count} classes; "
        f"{expected} {KNOWN}; other classes than COCO's are named in a file beside it (see "
        f"docs/reference/models.md)"
    )


def _guess(
    outputs: Shapes, width: int, height: int, classes: Classes, *, denied: Iterable[str] = ()
) -> str:
    """With how many classes it would be a known one; empty if with none."""
    sides = {side for shape in outputs.values() for side in shape[1:]}
    counts = {side - more for side in sides for more in (0, 4, 5, 4 * DFL_BINS)}
    found: dict[str, int] = {}
    for count in sorted(count for count in counts if 0 < count <= MOST_CLASSES):
        # The columns of the first class stand for all: only their number is tried.
        other = replace(classes, count=count, coco=False)
        for layout in fitting_layouts(outputs, width, height, other):
            if layout.listing is None and layout.name not in denied:
                found.setdefault(layout.name, count)
    return " or ".join(f"{name} of {count}" for name, count in found.items())


def _hint(outputs: Shapes) -> str:
    """What is known of networks that are not understood as they are."""
    ranks = [len(shape) for shape in outputs.values()]
    if 5 in ranks and set(ranks) == {5}:
        return (
            ". These are raw heads of YOLOv5 or 7, whose anchors are not in the file: export it "
            "without --train (YOLOv5) or with --grid (YOLOv7)"
        )
    if {"dets", "labels"} <= outputs.keys() and outputs["dets"][-1:] == (5,):
        return (
            ". This is an export of MMDeploy, which does not say how its picture is to be given: "
            "export the network with its own exporter"
        )
    if {"dets", "labels"} <= outputs.keys():
        return (
            ". RF-DETR has one column more than classes: name each column in its order, with "
            '"none" for the unused one'
        )
    return ""


def fitting_layouts(outputs: Shapes, width: int, height: int, classes: Classes) -> Iterator[Layout]:
    """Every layout that these shapes may be of."""
    for find in (_per_cell, _yolov5, _nanodet_plus, _yolov8, _end_to_end, _ultralytics_detr):
        name = _only(outputs)
        if name is not None:
            yield from find(name, outputs[name], width, height, classes)
    for several in (_yolo_nms, _nanodet_m, _detr, _counted, _tf_detection, _raw_detr):
        yield from several(outputs, width, height, classes)


Found = Iterator[Layout]


def _only(outputs: Shapes) -> str | None:
    """The one output [1, …, …]; YOLOv5 up to 6.0 has its raw heads [1, 3, h, w, …] beside it."""
    flat = [name for name, shape in outputs.items() if len(shape) == 3]
    heads = [name for name, shape in outputs.items() if len(shape) == 5]
    if len(flat) == 1 and len(flat) + len(heads) == len(outputs) and outputs[flat[0]][0] == 1:
        return flat[0]
    return None


def _per_cell(name: str, shape: Shape, width: int, height: int, classes: Classes) -> Found:
    """One guess a cell: YOLOX raw or decoded, YOLOv6."""
    strides = (8, 16, 32)
    count = cells(width, height, strides)
    if shape != (1, count, 5 + classes.count):
        return
    raw = partial(decoders.yolox, places=grid(width, height, strides), classes=classes)
    pixels = partial(decoders.yolov5, classes=classes)
    yield Layout("yolox", Input(), raw, (name,), plausible.cell_offsets)
    yield Layout(
        "yolox-decoded", Input(), pixels, (name,), partial(plausible.decoded, always_object=False)
    )
    yield Layout(
        "yolov6", YOLO_INPUT, pixels, (name,), partial(plausible.decoded, always_object=True)
    )


def _head_rows(width: int, height: int) -> frozenset[int]:
    """How many rows a head has that lists every cell, or every anchor of every cell."""
    counts = {cells(width, height, strides) for strides in STRIDES}
    return frozenset(counts | {ANCHORS * count for count in counts})


def _yolov5(name: str, shape: Shape, width: int, height: int, classes: Classes) -> Found:
    rows = {ANCHORS * cells(width, height, strides) for strides in STRIDES}
    if shape[1] in rows and shape[2] == 5 + classes.count:
        decode = partial(decoders.yolov5, classes=classes)
        yield Layout("yolov5", YOLO_INPUT, decode, (name,), plausible.decoded)


def _nanodet_plus(name: str, shape: Shape, width: int, height: int, classes: Classes) -> Found:
    strides = (8, 16, 32, 64)
    if shape == (1, cells(width, height, strides), classes.count + 4 * DFL_BINS):
        places = grid(width, height, strides)
        decode = partial(decoders.nanodet_plus, places=places, classes=classes)
        against = partial(plausible.class_scores, count=classes.count)
        yield Layout("nanodet-plus", NANODET_INPUT, decode, (name,), against)


def _yolov8(name: str, shape: Shape, width: int, height: int, classes: Classes) -> Found:
    rows = {cells(width, height, strides) for strides in STRIDES}
    if shape[2] in rows and shape[1] == 4 + classes.count:
        decode = partial(decoders.yolov8, classes=classes)
        yield Layout("yolov8", YOLO_INPUT, decode, (name,), plausible.columns)


def _listed(
    name: str, wants: Input, listing: Listing, classes: Classes, *, reads: tuple[str, ...],
    cells_of: frozenset[int] = frozenset(),
) -> Layout:  # fmt: skip
    decode = partial(decoders.listed, listing=listing, classes=classes)
    against = partial(plausible.listing, of=listing, cells=cells_of)
    return Layout(name, wants, decode, reads, against, listing, classes.count - 1)


def _end_to_end(name: str, shape: Shape, width: int, height: int, classes: Classes) -> Found:
    if shape[2] == 6:
        yield _listed(
            "yolo-end-to-end", YOLO_INPUT, decoders.end_to_end, classes, reads=(name,),
            cells_of=_head_rows(width, height),
        )  # fmt: skip


def _ultralytics_detr(name: str, shape: Shape, width: int, height: int, classes: Classes) -> Found:
    is_grid = shape[1] in _head_rows(width, height)
    if shape[1] in QUERIES and shape[2] == 4 + classes.count and not is_grid:
        decode = partial(decoders.ultralytics_detr, width=width, height=height, classes=classes)
        yield Layout("ultralytics-detr", DETR_INPUT, decode, (name,), plausible.queries)


def _yolo_nms(outputs: Shapes, _width: int, _height: int, classes: Classes) -> Found:
    if len(outputs) == 1:
        ((name, shape),) = outputs.items()
        if len(shape) == 2 and shape[1] == 7 and "flat_predictions" not in name:
            yield _listed("yolo-nms", YOLO_INPUT, decoders.yolo_nms, classes, reads=(name,))


def _nanodet_m(outputs: Shapes, width: int, height: int, classes: Classes) -> Found:
    counts = [cells(width, height, (stride,)) for stride in (8, 16, 32)]
    wanted = sorted((1, n, last) for n in counts for last in (classes.count, 4 * DFL_BINS))
    if sorted(outputs.values()) == wanted:
        decode = partial(decoders.nanodet_m, width=width, height=height, classes=classes)
        yield Layout("nanodet", NANODET_INPUT, decode)


def _detr(outputs: Shapes, _width: int, _height: int, classes: Classes) -> Found:
    names = ("labels", "boxes", "scores")
    if set(names) <= outputs.keys() and outputs["boxes"][-1:] == (4,):
        yield _listed("detr", DETR_INPUT, decoders.detr, classes, reads=names)


def _named_so(outputs: Shapes, *ways: tuple[str, ...]) -> tuple[str, ...] | None:
    """The outputs' own names (TensorFlow's end in `:0`) in the order of the way they are named."""
    plain = {name.removesuffix(":0"): name for name in outputs}
    for way in ways:
        if set(way) <= plain.keys():
            return tuple(plain[name] for name in way)
    return None


def _counted(outputs: Shapes, _width: int, _height: int, classes: Classes) -> Found:
    names = _named_so(
        outputs,
        ("num_dets", "det_boxes", "det_scores", "det_classes"),
        ("num_dets", "boxes", "scores", "classes"),
        ("num_dets", "boxes", "scores", "labels"),
        ("num_detections", "nmsed_boxes", "nmsed_scores", "nmsed_classes"),
    )
    if names is not None:
        listing = partial(decoders.counted, names=names)
        yield _listed("efficient-nms", YOLO_INPUT, listing, classes, reads=names)


def _tf_detection(outputs: Shapes, width: int, height: int, classes: Classes) -> Found:
    names = _named_so(
        outputs, ("num_detections", "detection_boxes", "detection_scores", "detection_classes")
    )
    if names is not None:
        listing = partial(decoders.tf_detection, names=names, width=width, height=height)
        numbered = replace(COCO_91, assumed=classes.assumed) if classes.coco else classes
        yield _listed("tf-detection", TF_INPUT, listing, numbered, reads=names)


def _raw_detr(outputs: Shapes, width: int, height: int, classes: Classes) -> Found:
    """Boxes and class logits of every query; of COCO's classes there may be 91."""
    flat = {name: shape for name, shape in outputs.items() if len(shape) == 3}
    boxes = [name for name, shape in flat.items() if shape[2] == 4]
    counts = (classes.count, COCO_91.count) if classes.coco else (classes.count,)
    logits = [name for name, shape in flat.items() if shape[2] in counts]
    if len(boxes) == 2 and {"dets", "labels"} <= set(boxes):  # four classes
        boxes, logits = ["dets"], ["labels"]
    if len(boxes) != 1 or len(logits) != 1 or boxes == logits:
        return
    count = flat[logits[0]][2]
    if count == COCO_91.count and classes.coco:
        classes = COCO_91
    decode = partial(
        decoders.raw_detr, boxes=boxes[0], logits=logits[0], width=width, height=height,
        classes=classes,
    )  # fmt: skip
    against = partial(plausible.logits, boxes=boxes[0], scores=logits[0])
    is_rf = count == COCO_91.count or (boxes[0], logits[0]) == ("dets", "labels")
    name, wants = ("rf-detr", RFDETR_INPUT) if is_rf else ("raw-detr", DETR_INPUT)
    yield Layout(name, wants, decode, (boxes[0], logits[0]), against)
