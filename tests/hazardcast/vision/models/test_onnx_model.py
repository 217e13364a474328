from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from hazardcast.contract.errors import ConfigError
from hazardcast.vision.geometry.boxes import Label, ious
from hazardcast.vision.models.onnx_model import OnnxModel, Weights
from hazardcast.vision.models.opener import model_opener
from hazardcast.vision.pixels.sources import FileFrames

LAYOUTS = {
    "nanodet-plus-m_416": "nanodet-plus",
    "nanodet-plus-m_640": "nanodet-plus",
    "nanodet_m_416": "nanodet",
    "yolox_nano_416": "yolox",
    "yolov8n_int8": "yolov8",
    "deimv2_atto_coco_int8": "detr",
}
CLIP, MOMENT_S = "accident/argus_1551.mp4", 2.0
KNOWN_CARS = {
    CLIP: [974, 252, 1053, 369],  # 1280 x 720
    "normal/ahmetozlu_suburb.mp4": [352, 132, 415, 165],  # 640 x 352
    "normal/tfl_1_cromwell_rd_junction.mp4": [161, 96, 193, 124],  # 352 x 288
}
"""A car standing clear in each clip at `MOMENT_S`, as a person sees it; views of three shapes."""
LEAST_SCORE, LEAST_SCORE_INT8 = 0.3, 0.2
"""Processors round 8-bit products each in their own way: on some the smallest network has 0.27 of it."""


@pytest.fixture(scope="module")
def frames(assets: Path):
    return {clip: frame_of(assets / "clips" / clip) for clip in KNOWN_CARS}


def frame_of(path: Path):
    return next(one for one in FileFrames(path, fps=10) if one.t >= MOMENT_S - 0.02)


@pytest.mark.parametrize("name", LAYOUTS)
def test_real_weights_of_every_layout_find_the_same_cars(assets, frames, name) -> None:
    weights = Weights(assets / "models" / f"{name}.onnx", threads=1)
    model = OnnxModel(weights)

    assert weights.layout.name == LAYOUTS[name]
    least_score = LEAST_SCORE_INT8 if name.endswith("int8") else LEAST_SCORE
    for clip, car in KNOWN_CARS.items():
        found = model.detect(frames[clip])
        likeness = ious(np.array([car], np.float32), found.xyxy)[0]
        best = likeness.argmax()
        assert likeness[best] > 0.55, clip
        assert found.scores[best] > least_score, clip
        assert found.labels[best] in (Label.CAR, Label.TRUCK), clip


def test_a_model_given_views_of_changing_shape_keeps_none_of_the_last(assets, frames) -> None:
    weights = Weights(assets / "models" / "nanodet-plus-m_416.onnx", threads=1)
    used, fresh = OnnxModel(weights), OnnxModel(weights)

    for frame in frames.values():
        used.detect(frame)
    last = next(iter(frames.values()))

    assert used.detect(last).xyxy.tolist() == fresh.detect(last).xyxy.tolist()


@pytest.mark.parametrize(
    ("name", "cached"),
    [("nanodet-plus-m_416", "nanodet-plus_416"), ("yolox_nano_416", "yolox_nano_416")],
)
def test_decoding_agrees_with_an_independent_one(assets, frames, name, cached) -> None:
    with gzip.open(assets / "dets" / f"{cached}_10fps.json.gz") as file:
        rows = json.load(file)[CLIP]["frames"][round(MOMENT_S * 10)][1]
    theirs = np.array([row[:5] for row in rows if row[4] > 0.3], np.float32)

    found = OnnxModel(Weights(assets / "models" / f"{name}.onnx", threads=1)).detect(frames[CLIP])

    agreement = ious(theirs[:, :4], found.xyxy).max(axis=1)
    assert np.mean(agreement > 0.8) >= 0.75


def test_a_file_that_is_no_network_is_refused(tmp_path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\x08\x07 this is no network")

    with pytest.raises(ConfigError, match=r"HAZARDCAST_MODEL: .*model\.onnx is not an ONNX"):
        model_opener(path, threads=1)


def test_a_missing_file_is_refused(tmp_path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        model_opener(tmp_path / "model.onnx", threads=1)


def test_without_a_file_it_is_our_own() -> None:
    assert model_opener(None, threads=1)().name == "roadside"


@pytest.mark.parametrize("name", ["roadside", "background"])
def test_a_model_that_is_built_in_is_opened_by_its_name(name: str) -> None:
    assert model_opener(Path(name), threads=1)().name == name
