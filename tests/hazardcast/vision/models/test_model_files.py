"""Files that are given for a model and are none, and what is said beside one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hazardcast.contract.errors import ConfigError
from hazardcast.vision.models.onnx_model import OnnxModel, Weights
from tests.hazardcast.vision.models.layout_rows import READ
from tests.hazardcast.vision.models.networks import Graph

YOLOV8 = next(row for row in READ if row.what == "YOLOv8, 80 classes")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "it is empty"),
        (b"PK\x03\x04archive/data.pkl", "a PyTorch checkpoint"),
        (b"\x80\x02}q\x00(X\x05", "a pickled PyTorch checkpoint"),
        (b"\x89HDF\r\n\x1a\n", "a Keras file"),
        (b"\x1c\x00\x00\x00TFL3", "a TensorFlow Lite file"),
        (b"ftrt\x00\x00", "a TensorRT engine"),
        (b'<?xml version="1.0"?><net>', "an OpenVINO or another XML file"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
        (b"\xff\xd8\xff\xe0JFIF", "a picture"),
        (b"7767517\n75 83\n", "an ncnn file"),
    ],
)
def test_a_file_of_another_kind_is_called_by_its_name(tmp_path, data, kind) -> None:
    path = tmp_path / "own.onnx"
    path.write_bytes(data)

    with pytest.raises(ConfigError, match=rf"own\.onnx is not an ONNX network: .*{kind}"):
        Weights(path, threads=1)


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_file_that_was_cut_is_refused(tmp_path, share: float) -> None:
    path = YOLOV8.write(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])

    with pytest.raises(ConfigError, match=r"own\.onnx"):
        Weights(path, threads=1)


def test_a_folder_is_no_model(tmp_path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        Weights(tmp_path, threads=1)


def test_weights_in_a_file_that_is_not_there_are_asked_for(tmp_path) -> None:
    graph = Graph()
    graph.input("images", (1, 3, 64, 64))
    graph.output(
        "output0", graph.constant(np.zeros((1, 84, 84)), outside="own.onnx.data"), (1, 84, 84)
    )
    path = graph.save(tmp_path / "own.onnx")

    with pytest.raises(
        ConfigError, match=r"weights lie in a file of their own: .* \(own\.onnx\.data\)"
    ):
        Weights(path, threads=1)


def test_an_operator_of_tensorrt_is_named(tmp_path) -> None:
    graph = Graph()
    picture = graph.input("images", (1, 3, 64, 64))
    graph.output("num_dets", graph.op("EfficientNMS_TRT", picture, domain="TRT"), (1, 1), "int32")
    path = graph.save(tmp_path / "own.onnx")

    with pytest.raises(ConfigError, match="EfficientNMS_TRT is no operator of this ONNX Runtime"):
        Weights(path, threads=1)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ('{\n"layout": "yolov8",\n}', r"own\.json:3: not JSON"),
        ('{\n"layout": "rcnn"\n}', r"own\.json:2: layout: .*'yolox'"),
        ('{\n"input": {\n"rgb": "yes"\n}}', r"own\.json:3: input\.rgb: .*boolean"),
        ('{"input": {\n"mean": [1, 2]\n}}', r"own\.json:2: input\.mean"),
        ('{"input": {\n"std": [1, 0, 1]\n}}', r"own\.json:2: input\.std: must not be 0"),
        ('{"input": {\n"std": [1, NaN, 1]\n}}', r"own\.json:2: input\.std\.1: .*finite"),
        ('{"input": {\n"pad": 256}}', r"own\.json:2: input\.pad"),
        ('{"input": {\n"pad": "114"}}', r"own\.json:2: input\.pad"),
        ('{"input": {\n"size": [640]}}', r"own\.json:2: input\.size"),
        ('{"input": {\n"letterbox": 1}}', r"own\.json:2: input\.letterbox: .*boolean"),
        ('{"input": {\n"colour": "rgb"}}', r"own\.json:2: input\.colour: Extra"),
        ('{\n\n"claases": []}', r"own\.json:3: claases: Extra"),
        ('{\n"classes": []}', r"own\.json:2: classes: .*at least 1"),
        ('{\n"classes": [1, 2]}', r"own\.json:2: classes\.0: .*string"),
        ('{\n"classes": "voc"}', r'own\.json:2: classes: expected a list of names, "coco"'),
        ('{\n"boxes": "percent"}', r"own\.json:2: boxes: .*'pixels' or 'fractions'"),
        ('{"layout": "yolov8",\n"layout": "yolox"}', r"own\.json:2: layout: given twice"),
        ("[]", r"own\.json: the file: .*dictionary"),
    ],
)  # fmt: skip
def test_a_wrong_line_beside_a_model_is_named(tmp_path, said, problem) -> None:
    path = YOLOV8.write(tmp_path)
    path.with_suffix(".json").write_text(said)

    with pytest.raises(ConfigError, match=problem):
        Weights(path, threads=1)


@pytest.mark.parametrize(
    "names",
    ["{0: 'truck', 1: 'car'}", '{"0": "truck", "1": "car"}', "['truck', 'car']", '{1: "car", 0: "truck"}'],
)  # fmt: skip
def test_names_are_understood_in_every_form_that_exporters_write(tmp_path, names: str) -> None:
    two = next(row for row in READ if row.what.startswith("YOLO11"))

    assert Weights(
        replace(two, names=names).write(tmp_path), threads=1
    ).classes.labels.tolist() == [7, 2]


LATE = {
    "class numbers that there are not": ([[10, 10, 40, 40, 0.9, 364]], "class number 364 is more"),
    "scores after the class": ([[10, 10, 40, 40, 2, 0.9]], "0.9 is no class number"),
    "fractions": ([[0.1, 0.1, 0.4, 0.4, 0.9, 2]], "boxes lie within 2 px: fractions"),
    "centre and sides": ([[40, 40, 20, 20, 0.9, 2]], "end before they begin"),
    "places in a larger picture": ([[300, 300, 400, 400, 0.9, 2]], "outside 64x64"),
}


@pytest.mark.parametrize("manner", LATE)
def test_what_shows_only_in_the_first_boxes_is_refused_then(tmp_path, manner: str) -> None:
    """Boxes come only where the picture is bright: a picture of noise shows none."""
    rows, problem = LATE[manner]
    path = bright_end_to_end(tmp_path, rows)
    model = OnnxModel(Weights(path, threads=1))

    with pytest.raises(ConfigError, match=rf"HAZARDCAST_MODEL: .*own\.onnx: read as .*{problem}"):
        [model.detect(bright()) for _ in range(4)]


def test_right_boxes_are_looked_at_for_a_while_and_then_no_more(tmp_path) -> None:
    model = OnnxModel(Weights(bright_end_to_end(tmp_path, [[10, 10, 40, 40, 0.9, 2]]), threads=1))

    for _ in range(30):
        assert len(model.detect(bright())) == 1

    assert model._look.over


def test_one_odd_box_among_many_right_ones_ends_nothing(tmp_path) -> None:
    rows = [[10, 10, 40, 40, 0.9, 2], [45, 45, 60, 60, 0.9, 2], [5, 5, 2, 2, 0.5, 2]]
    model = OnnxModel(Weights(bright_end_to_end(tmp_path, rows), threads=1))

    for _ in range(30):
        assert len(model.detect(bright())) == 2


def bright():
    from hazardcast.vision.pixels.frame import Frame

    return Frame(np.full((64, 64, 3), 255, np.uint8), 0.0, 0)


def bright_end_to_end(folder, rows):
    """[1, 300, 6] of zeros but where the mean of the picture is over 0.9."""
    graph = Graph()
    picture = graph.input("images", (1, 3, 64, 64))
    mean = graph.op("ReduceMean", picture, keepdims=0)
    there = graph.cast(graph.op("Greater", mean, graph.constant(0.9)), "float32")
    found = np.zeros((1, 300, 6))
    found[0, : len(rows)] = rows
    graph.output("output0", graph.op("Mul", there, graph.constant(found)), found.shape)
    path = graph.save(folder / "own.onnx")
    path.with_suffix(".json").write_text('{"classes": "coco"}')
    return path


def test_an_end_to_end_export_that_says_so_need_not_be_asked_about(tmp_path) -> None:
    graph = Graph()
    graph.input("images", (1, 3, 64, 64))
    graph.output("output0", graph.constant(np.zeros((1, 300, 6))), (1, 300, 6))
    said = {"names": "{0: 'car', 1: 'bus'}", "args": "{'batch': 1, 'nms': True}"}
    path = graph.save(tmp_path / "own.onnx", metadata=said)

    assert Weights(path, threads=1).layout.name == "yolo-end-to-end"


def test_a_network_that_answers_no_numbers_is_refused(tmp_path) -> None:
    """It would never find anything."""
    graph = Graph()
    graph.input("images", (1, 3, 64, 64))
    graph.output("output0", graph.constant(np.full((1, 84, 84), np.nan)), (1, 84, 84))
    path = graph.save(tmp_path / "own.onnx")

    with pytest.raises(ConfigError, match=r"output0\[1, 84, 84\] is no number \(NaN\)"):
        Weights(path, threads=1)


def test_eighty_other_classes_are_not_taken_for_cocos(tmp_path) -> None:
    names = [*["thing"] * 2, "car", *["thing"] * 76, "bus"]
    coco = next(row for row in READ if row.what == "YOLOv8, 80 classes")

    classes = Weights(replace(coco, names=str(names)).write(tmp_path), threads=1).classes

    assert (classes.columns.tolist(), classes.labels.tolist()) == ([2, 79], [2, 5])
    assert not classes.coco
