"""Networks as their exporters make them: read rightly, or refused in words that say what to do."""

from __future__ import annotations

import re
from typing import get_args

import numpy as np
import pytest

from hazardcast.contract.errors import ConfigError
from hazardcast.vision.geometry.boxes import Label
from hazardcast.vision.models.classes import NAMES
from hazardcast.vision.models.layouts import recognise
from hazardcast.vision.models.onnx_model import OnnxModel, Weights
from hazardcast.vision.models.sidecar import LayoutName
from hazardcast.vision.pixels.frame import Frame
from tests.hazardcast.vision.models.heads import FRAME_HEIGHT, FRAME_WIDTH, RECTANGLE
from tests.hazardcast.vision.models.layout_rows import PAGE, READ, REFUSED, Row, page


def frame() -> Frame:
    picture = np.zeros((FRAME_HEIGHT, FRAME_WIDTH, 3), np.uint8)
    x1, y1, x2, y2 = RECTANGLE
    picture[y1:y2, x1:x2] = (0, 0, 255)  # red, in OpenCV's order
    return Frame(picture, 0.0, 0)


@pytest.mark.parametrize("row", READ, ids=lambda row: row.what)
def test_a_network_that_is_read_finds_the_drawn_rectangle(row: Row, tmp_path) -> None:
    weights = Weights(row.write(tmp_path), threads=1)

    found = OnnxModel(weights).detect(frame())

    assert weights.layout.name == row.layout
    assert found.labels.tolist() == [Label.CAR]
    assert found.xyxy[0] == pytest.approx(RECTANGLE, abs=1.0)
    assert 0.5 < found.scores[0] <= 1


@pytest.mark.parametrize("row", READ, ids=lambda row: row.what)
def test_a_network_that_is_read_finds_nothing_where_nothing_is(row: Row, tmp_path) -> None:
    model = OnnxModel(Weights(row.write(tmp_path), threads=1))

    found = model.detect(Frame(np.zeros((FRAME_HEIGHT, FRAME_WIDTH, 3), np.uint8), 0.0, 0))

    assert len(found) == 0


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.what)
def test_a_network_that_is_not_read_is_refused_with_what_to_do(row: Row, tmp_path) -> None:
    path = row.write(tmp_path)

    with pytest.raises(ConfigError, match=row.refused) as caught:
        Weights(path, threads=1)

    assert str(caught.value).startswith(f"HAZARDCAST_MODEL: {path}")


def test_the_page_holds_every_row() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: make models-page"


def test_the_page_names_every_layout_and_every_class() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert {row.layout for row in READ} == set(get_args(LayoutName))
    assert not [name for name in NAMES if f"`{name}`" not in text]


def seen(array) -> dict[str, np.ndarray]:
    return {"output0": np.asarray(array, np.float32)}


def test_six_columns_of_nothing_but_zeros_are_asked_about() -> None:
    """What was found could be corners, score and class, or two classes of a DETR."""
    from hazardcast.vision.models.classes import named

    with pytest.raises(ConfigError, match=r"yolo-end-to-end or ultralytics-detr.*own\.json"):
        recognise(
            {"output0": (1, 300, 6)}, 128, 96, named(("car", "bus")),
            seen=seen(np.zeros((1, 300, 6))), said_in="own.json",
        )  # fmt: skip


def test_six_columns_of_as_many_rows_as_a_grid_has_are_never_end_to_end() -> None:
    from hazardcast.vision.models.classes import named

    layout = recognise(
        {"output0": (1, 25200, 6)}, 640, 640, named(("car",)), seen=seen(np.zeros((1, 25200, 6)))
    )

    assert layout.name == "yolov5"


def test_a_whole_class_number_is_what_end_to_end_rows_end_with() -> None:
    from hazardcast.vision.models.classes import named

    rows = np.zeros((1, 300, 6))
    rows[0, 0] = [10, 20, 50, 60, 0.9, 0.95]

    with pytest.raises(ConfigError, match=r"not yolo-end-to-end: 0\.95 is no class number"):
        recognise({"output0": rows.shape}, 128, 96, named(("car",)), seen=seen(rows))


def test_what_a_person_says_goes_before_what_the_values_tell() -> None:
    from hazardcast.vision.models.classes import named

    shape = (1, 300, 6)
    for name in ("yolo-end-to-end", "ultralytics-detr"):
        layout = recognise(
            {"output0": shape},
            128,
            96,
            named(("car", "bus")),
            named=name,
            seen=seen(np.zeros(shape)),
        )
        assert layout.name == name


@pytest.mark.parametrize(
    "row", [row for row in REFUSED if "file" in row.how or "values" in row.how]
)
def test_the_line_that_a_refusal_asks_for_is_valid(row: Row, tmp_path) -> None:
    path = row.write(tmp_path)
    with pytest.raises(ConfigError) as caught:
        Weights(path, threads=1)

    for line in re.findall(r'(\{"(?:layout|boxes)": "[a-z0-9-]+"\})', str(caught.value)):
        path.with_suffix(".json").write_text(line)
        Weights(path, threads=1)
