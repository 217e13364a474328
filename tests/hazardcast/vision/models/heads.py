"""The heads of known networks: each tells the rectangle that a graph sees as its exporter would."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hazardcast.vision.models.decoders import cells, grid
from hazardcast.vision.models.layouts import Input
from tests.hazardcast.vision.models.networks import CENTRED, Graph

FRAME_WIDTH, FRAME_HEIGHT = 256, 144
RECTANGLE = (64, 36, 160, 108)
"""x1, y1, x2, y2 of the red rectangle in a frame."""
WIDTH, HEIGHT = 128, 96
"""Of most networks' inputs: letterboxed by half, stretched by half and two thirds."""
YOLO = (8, 16, 32)
SURE = 0.9


class Seen:
    """What the graph found, in pixels of its input, and of how many classes it is which."""

    def __init__(self, graph: Graph, box: str, score: str, *, classes: int, car: int) -> None:
        self.graph, self.box, self.score, self.classes, self.car = graph, box, score, classes, car
        self.width, self.height = WIDTH, HEIGHT

    def one_hot(self, value: float = SURE) -> list[float]:
        return [value * (number == self.car) for number in range(self.classes)]

    def fractions(self) -> str:
        scale = [1 / self.width, 1 / self.height] * 2
        return self.graph.op("Mul", self.box, self.graph.constant(scale))

    def gated(self) -> str:
        return self.graph.op("Mul", self.box, self.score)

    def centred(self) -> str:
        return self.graph.linear(self.box, CENTRED)

    def centred_fractions(self) -> str:
        return self.graph.linear(self.fractions(), CENTRED)

    def scores(self, value: float = SURE) -> str:
        return self.graph.times(self.score, self.one_hot(value))


def anchored(seen: Seen, *, anchors: int, objectness: float = SURE) -> str:
    """[1, N, 5 + C] decoded in pixels: YOLOv5 and 7 (three anchors), YOLOX decoded, YOLOv6."""
    places = grid(seen.width, seen.height, YOLO)
    centre = (places[:, :2] + 0.5) * places[:, 2:]
    rows = np.concatenate([centre, np.repeat(4 * places[:, 2:], 2, axis=1)], axis=1)
    rest = np.full((len(rows), 1 + seen.classes), 0.01)
    if objectness == 1:
        rest[:, 0] = 1
    background = np.tile(np.concatenate([rows, rest], axis=1), (anchors, 1))
    slot = len(background) // 2
    background[slot] = 0
    if objectness == 1:
        background[slot, 4] = 1
        there = seen.graph.times(seen.score, [0.0])
    else:
        there = seen.graph.times(seen.score, [objectness])
    return seen.graph.placed(background[None], slot, seen.centred(), there, seen.scores(0.99))


def yolov5(seen: Seen) -> dict[str, str]:
    return {"output0": anchored(seen, anchors=3)}


def yolov5_with_heads(seen: Seen) -> dict[str, str]:
    outputs = {"output": anchored(seen, anchors=3)}
    for number, stride in enumerate(YOLO):
        shape = (1, 3, seen.height // stride, seen.width // stride, 5 + seen.classes)
        outputs[str(339 + number)] = seen.graph.constant(np.zeros(shape))
    return outputs


def raw_heads(seen: Seen) -> dict[str, str]:
    outputs = yolov5_with_heads(seen)
    return {name: outputs[name] for name in outputs if name != "output"}


def yolox_decoded(seen: Seen) -> dict[str, str]:
    return {"output": anchored(seen, anchors=1)}


def yolov6(seen: Seen) -> dict[str, str]:
    return {"outputs": anchored(seen, anchors=1, objectness=1)}


def yolox(seen: Seen) -> dict[str, str]:
    """[1, N, 5 + C]: offset from the cell and logarithm of the sides, in strides."""
    graph, places = seen.graph, grid(seen.width, seen.height, YOLO)
    slot = len(places) - 3
    column, row, stride = places[slot]
    background = np.full((len(places), 5 + seen.classes), 0.01)
    background[slot] = 0
    centred = graph.op("Div", seen.centred(), graph.constant(stride))
    sides = graph.op("Log", graph.op("Gather", centred, graph.constant([2, 3], "int64"), axis=0))
    centre = graph.op("Gather", centred, graph.constant([0, 1], "int64"), axis=0)
    centre = graph.op("Sub", centre, graph.constant([column, row]))
    there = graph.times(seen.score, [SURE])
    return {"output": graph.placed(background[None], slot, centre, sides, there, seen.scores(0.99))}


def yolov8(seen: Seen, *, logits: bool = False, fractions: bool = False) -> dict[str, str]:
    """[1, 4 + C, N]."""
    places = grid(seen.width, seen.height, YOLO)
    centre = (places[:, :2] + 0.5) * places[:, 2:]
    boxes = np.concatenate([centre, np.repeat(4 * places[:, 2:], 2, axis=1)], axis=1)
    if fractions:
        boxes /= [seen.width, seen.height] * 2
    rest = np.full((len(boxes), seen.classes), -6.0 if logits else 0.01)
    background = np.concatenate([boxes, rest], axis=1)
    slot = len(background) // 2
    background[slot] = 0
    box = seen.centred_fractions() if fractions else seen.centred()
    rows = seen.graph.placed(background[None], slot, box, seen.scores(4.0 if logits else SURE))
    return {"output0": seen.graph.swapped(rows)}


def yolov8_logits(seen: Seen) -> dict[str, str]:
    return yolov8(seen, logits=True)


def yolov8_fractions(seen: Seen) -> dict[str, str]:
    return yolov8(seen, fractions=True)


def segmentation(seen: Seen) -> dict[str, str]:
    masks = np.zeros((1, 32, seen.height // 4, seen.width // 4))
    return {**yolov8(seen), "output1": seen.graph.constant(masks)}


def end_to_end(seen: Seen, *, spread: bool = False) -> dict[str, str]:
    """[1, 300, 6]; suppressed inside: padded with zeros; `spread`: the best 300 of all."""
    background = np.zeros((300, 6))
    if spread:
        background[:, :4] = [10, 10, 40, 30]
        background[:, 4], background[:, 5] = 0.01, np.arange(300) % seen.classes
        background[0] = 0
    last = seen.graph.times(seen.score, [SURE, seen.car])
    return {"output0": seen.graph.placed(background[None], 0, seen.gated(), last)}


def end_to_end_of_all(seen: Seen) -> dict[str, str]:
    return end_to_end(seen, spread=True)


def yolo_nms(seen: Seen) -> dict[str, str]:
    """[n, 7]: n is 0 where nothing is found."""
    graph = seen.graph
    parts = (graph.constant([0.0]), seen.box, graph.times(seen.score, [seen.car, SURE]))
    row = graph.op("Reshape", graph.op("Concat", *parts, axis=0), graph.constant([1, 7], "int64"))
    return {"output": graph.op("Compress", row, graph.cast(seen.score, "bool"), axis=0)}


def listed(seen: Seen, count: int, *, spread: int = 0) -> tuple[str, str, str]:
    """Boxes [1, count, 4] in fractions, scores [1, count], class numbers [1, count]."""
    graph = seen.graph
    boxes, scores, numbers = (
        np.zeros((1, count, 4)),
        np.zeros((1, count, 1)),
        np.zeros((1, count, 1)),
    )
    if spread:
        boxes[:, 1:] = [0.1, 0.1, 0.3, 0.4]
        scores[:, 1:] = 0.01
        numbers[0, 1:, 0] = np.arange(count - 1) % spread
    flat = graph.constant([1, count], "int64")
    return (
        graph.placed(boxes, 0, graph.op("Mul", seen.fractions(), seen.score)),
        graph.op("Reshape", graph.placed(scores, 0, graph.times(seen.score, [SURE])), flat),
        graph.op("Reshape", graph.placed(numbers, 0, graph.times(seen.score, [seen.car])), flat),
    )


def detr(seen: Seen) -> dict[str, str]:
    """labels, boxes, scores; the boxes are scaled by the input `orig_target_sizes`."""
    boxes, scores, numbers = listed(seen, 300, spread=seen.classes)
    size = seen.graph.cast("orig_target_sizes", "float32")
    boxes = seen.graph.op("Mul", boxes, seen.graph.op("Concat", size, size, axis=1))
    return {"labels": seen.graph.cast(numbers, "int64"), "boxes": boxes, "scores": scores}


def efficient_nms(seen: Seen) -> dict[str, str]:
    graph = seen.graph
    boxes, scores, numbers = listed(seen, 100)
    boxes = graph.op("Mul", boxes, graph.constant([seen.width, seen.height] * 2))
    count = graph.op("Reshape", seen.score, graph.constant([1, 1], "int64"))
    return {
        "num_dets": graph.cast(count, "int32"), "det_boxes": boxes, "det_scores": scores,
        "det_classes": graph.cast(numbers, "int32"),
    }  # fmt: skip


def tf_detection(seen: Seen) -> dict[str, str]:
    graph = seen.graph
    boxes, scores, numbers = listed(seen, 100)
    yxyx = graph.op("Gather", boxes, graph.constant([1, 0, 3, 2], "int64"), axis=2)
    return {
        "detection_boxes": yxyx, "detection_classes": numbers, "detection_scores": scores,
        "num_detections": graph.op("Mul", seen.score, graph.constant([100.0])),
    }  # fmt: skip


def ultralytics_detr(seen: Seen) -> dict[str, str]:
    """[1, 300, 4 + C]: centre and sides in fractions."""
    background = np.full((1, 300, 4 + seen.classes), 0.013)
    background[:, :, :4] = [0.4, 0.4, 0.2, 0.2]
    background[:, 0] = 0
    return {"output0": seen.graph.placed(background, 0, seen.centred_fractions(), seen.scores())}


def queries(seen: Seen, boxes_name: str, logits_name: str, columns: int) -> dict[str, str]:
    """Boxes [1, 300, 4] in fractions and logits [1, 300, columns]."""
    boxes = np.full((1, 300, 4), 0.2)
    logits = np.full((1, 300, columns), -6.0)
    boxes[:, 0], wide = 0, [8.0 * (number == seen.car) for number in range(columns)]
    return {
        boxes_name: seen.graph.placed(boxes, 0, seen.centred_fractions()),
        logits_name: seen.graph.placed(logits, 0, seen.graph.times(seen.score, wide)),
    }


def rf_detr(seen: Seen) -> dict[str, str]:
    return queries(seen, "dets", "labels", seen.classes)


def transformers_detr(seen: Seen) -> dict[str, str]:
    return dict(reversed(queries(seen, "pred_boxes", "logits", seen.classes).items()))


def yolo_nas(seen: Seen) -> dict[str, str]:
    """Boxes [1, N, 4] in pixels and probabilities [1, N, C]."""
    rows = cells(seen.width, seen.height, YOLO)
    boxes, scores = np.full((1, rows, 4), 20.0), np.full((1, rows, seen.classes), 0.01)
    boxes[:, 0], scores[:, 0] = 0, 0
    return {
        "boxes": seen.graph.placed(boxes, 0, seen.box),
        "scores": seen.graph.placed(scores, 0, seen.scores()),
    }


def mmdeploy(seen: Seen) -> dict[str, str]:
    row = seen.graph.times(seen.score, [SURE])
    return {
        "dets": seen.graph.placed(np.zeros((1, 100, 5)), 0, seen.box, row),
        "labels": seen.graph.constant(np.zeros((1, 100)), "int64"),
    }


def classifier(seen: Seen) -> dict[str, str]:
    return {"output": seen.graph.constant(np.zeros((1, 1000)))}


def nanodet_plus(seen: Seen) -> dict[str, str]:
    """[1, N, C + 32]: the sides stand in the weights, the score follows the picture."""
    places = grid(seen.width, seen.height, (*YOLO, 64))
    return {"output": distances(seen, places, (7, 4), (56, 32))}


def nanodet(seen: Seen) -> dict[str, str]:
    """`cls_pred_stride_8` [1, n, C] and `dis_pred_stride_8` [1, n, 32], and so on."""
    scores, sides = {}, {}
    for stride in YOLO:
        places = grid(seen.width, seen.height, (stride,))
        both = distances(seen, places, (6, 4), (52, 36), there=stride == 8)
        first = seen.graph.constant(range(seen.classes), "int64")
        last = seen.graph.constant(range(seen.classes, seen.classes + 32), "int64")
        scores[f"cls_pred_stride_{stride}"] = seen.graph.op("Gather", both, first, axis=2)
        sides[f"dis_pred_stride_{stride}"] = seen.graph.op("Gather", both, last, axis=2)
    return {**scores, **sides}


def distances(
    seen: Seen, places: np.ndarray, cell: Sequence[int], centre: Sequence[int], *, there=True
) -> str:
    background = np.full((1, len(places), seen.classes + 32), 0.01)
    slot = cell[1] * (seen.width // 8) + cell[0] if there else 0
    if there:
        background[0, slot] = [*[0.0] * seen.classes, *bins(centre)]
    values = [*seen.one_hot(SURE if there else 0.0), *[0.0] * 32]
    return seen.graph.placed(background, slot, seen.graph.times(seen.score, values))


def bins(centre: Sequence[int]) -> list[float]:
    """Logits of the distances from `centre` to the rectangle as it is letterboxed, in strides of 8."""
    x1, y1, x2, y2 = (side * WIDTH / FRAME_WIDTH for side in RECTANGLE)
    sides = [centre[0] - x1, centre[1] - y1, x2 - centre[0], y2 - centre[1]]
    logits = np.full((4, 8), -20.0)
    for row, side in zip(logits, sides, strict=True):
        low, share = divmod(side / 8, 1)
        row[int(low)] = np.log(1 - share)
        if share:
            row[int(low) + 1] = np.log(share)
    return logits.ravel().tolist()


RGB_TO_ONE = Input(rgb=True, std=(255, 255, 255))
RGB_IMAGENET = Input(rgb=True, mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375))
BGR_IMAGENET = Input(mean=(103.53, 116.28, 123.675), std=(57.375, 57.12, 58.395))
BGR_BYTES = Input()
INPUTS: dict[str, Input] = {
    "yolox": BGR_BYTES, "yolox-decoded": BGR_BYTES, "nanodet-plus": BGR_IMAGENET,
    "nanodet": BGR_IMAGENET, "rf-detr": RGB_IMAGENET,
}  # fmt: skip
"""How each network's authors give it its picture; all others take RGB from 0 to 1."""
