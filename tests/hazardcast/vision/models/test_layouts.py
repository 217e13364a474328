from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.contract.errors import ConfigError
from hazardcast.vision.geometry.boxes import Label
from hazardcast.vision.models.layouts import recognise

CAR, BUS = 2, 5


def only(name: str, array: np.ndarray):
    return {name: array.astype(np.float32)}


def decode(outputs, size=416):
    layout = recognise({name: array.shape for name, array in outputs.items()}, size, size)
    return layout, layout.decode(outputs, 0.3)


def test_yolox_cells_become_boxes() -> None:
    out = np.zeros((1, 3549, 85))
    cell = 52 * 52 + 26 * 3 + 4  # stride 16, row 3, column 4
    out[0, cell, :5] = [0.5, 0.25, np.log(2), np.log(3), 0.9]
    out[0, cell, 5 + CAR] = 0.8

    layout, found = decode(only("output", out))

    assert layout.name == "yolox"
    assert found.xyxy[0].tolist() == pytest.approx([72 - 16, 52 - 24, 72 + 16, 52 + 24])
    assert found.scores[0] == pytest.approx(0.72)
    assert found.labels.tolist() == [Label.CAR]


def test_nanodet_plus_distributions_become_distances() -> None:
    out = np.zeros((1, 3598, 112))
    cell = 52 * 52 + 26 * 2 + 5
    out[0, cell, BUS] = 0.6
    for side, bin_ in enumerate((1, 2, 3, 4)):
        out[0, cell, 80 + 8 * side + bin_] = 50.0  # all weight on one bin

    layout, found = decode(only("output", out))

    assert layout.name == "nanodet-plus"
    assert found.xyxy[0].tolist() == pytest.approx([80 - 16, 32 - 32, 80 + 48, 32 + 64])
    assert found.labels.tolist() == [Label.BUS]


def test_nanodet_m_is_read_per_stride() -> None:
    outputs = {}
    for stride, count in ((8, 2704), (16, 676), (32, 169)):
        outputs[f"cls_{stride}"] = np.zeros((1, count, 80), np.float32)
        outputs[f"dis_{stride}"] = np.zeros((1, count, 32), np.float32)
    outputs["cls_32"][0, 14, CAR] = 0.7  # row 1, column 1
    outputs["dis_32"][0, 14, [1, 9, 17, 25]] = 50.0

    layout, found = decode(outputs)

    assert layout.name == "nanodet"
    assert found.xyxy[0].tolist() == pytest.approx([16, 16, 80, 80])


def test_yolov8_columns_become_boxes() -> None:
    out = np.zeros((1, 84, 8400))
    out[0, :4, 7] = [100, 80, 40, 20]
    out[0, 4 + CAR, 7] = 0.9
    out[0, 4 + 16, 8] = 0.9  # a dog is no road user of ours

    layout, found = decode(only("output0", out), 640)

    assert layout.name == "yolov8"
    assert found.xyxy.tolist() == [[80, 70, 120, 90]]


def test_end_to_end_yolo_rows_are_boxes_already() -> None:
    out = np.zeros((1, 300, 6))
    out[0, 0] = [10, 20, 50, 60, 0.8, CAR]
    out[0, 1] = [10, 20, 50, 60, 0.8, 16]

    layout, found = decode(only("output0", out), 640)

    assert layout.name == "yolo-end-to-end"
    assert found.xyxy.tolist() == [[10, 20, 50, 60]]


def test_detr_exports_are_boxes_already() -> None:
    outputs = {
        "labels": np.array([[CAR, 16]]),
        "boxes": np.array([[[1, 2, 3, 4], [5, 6, 7, 8]]], np.float32),
        "scores": np.array([[0.9, 0.9]], np.float32),
    }

    layout, found = decode(outputs, 320)

    assert layout.name == "detr"
    assert found.xyxy.tolist() == [[1, 2, 3, 4]]


@pytest.mark.parametrize(("classes", "car"), [(80, 2), (91, 3)])
def test_raw_detr_logits_and_fractions(classes: int, car: int) -> None:
    logits = np.full((1, 300, classes), -9.0, np.float32)
    logits[0, 4, car] = 3.0
    boxes = np.zeros((1, 300, 4), np.float32)
    boxes[0, 4] = [0.5, 0.5, 0.2, 0.1]

    _, found = decode({"dets": boxes, "labels": logits}, 384)

    assert found.xyxy[0].tolist() == pytest.approx([153.6, 172.8, 230.4, 211.2], abs=0.1)
    assert found.labels.tolist() == [Label.CAR]


@given(
    st.dictionaries(
        st.text(max_size=4), st.lists(st.integers(0, 9), max_size=4).map(tuple), max_size=4
    )
)
def test_any_other_network_is_refused_with_its_shapes(shapes) -> None:
    try:
        recognise(shapes, 416, 416)
    except ConfigError as error:
        assert "understood are YOLOX" in str(error)


@pytest.mark.parametrize(
    ("shape", "name"),
    [
        ((1, 84, 6800), "yolov8"),  # P2: strides from 4 on
        ((1, 84, 1700), "yolov8"),  # P6: strides up to 64
        ((1, 5100, 85), "yolov5"),  # P6
        ((1, 1200, 85), "yolov5"),  # tiny: strides 16 and 32
    ],
)
def test_heads_of_other_strides_are_known_by_their_number_of_cells(shape, name: str) -> None:
    assert recognise({"output0": shape}, 320, 256).name == name
