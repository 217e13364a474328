"""Looking: which pictures, by which networks, and what an answer must be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from privacy import cover, faces, looking
from privacy.looking import LookError, NetworkLook
from privacy.networks import Looks, Networks
from privacy.regions import Kind, make

from hazardcast.contract.errors import ConfigError
from hazardcast.vision.geometry import boxes
from hazardcast.vision.geometry.boxes import Boxes, Label
from hazardcast.vision.pixels.frame import Frame


class Sees:
    """A network that finds one person in every picture."""

    name = "sees"

    def __init__(self, box: tuple[float, ...] = (100, 100, 150, 250)) -> None:
        self.box = box
        self.sizes: list[tuple[int, int]] = []

    def detect(self, frame: Frame) -> Boxes:
        self.sizes.append((frame.width, frame.height))
        return boxes.make([self.box], [0.8], [Label.PERSON])


def planes(width: int, height: int) -> cover.Planes:
    return cover.planes_of(np.full(width * height * 3 // 2, 120, np.uint8), width, height)


def test_every_fifth_picture_is_looked_at_and_more_at_both_ends() -> None:
    due = looking.due([n / 15 for n in range(151)], every=5)

    assert {0, 2, 4, 6, 8, 10, 12, 14} <= due
    assert {136, 138, 140, 142, 144, 146, 148, 150} <= due
    assert sorted(n for n in due if 20 <= n <= 130) == list(range(20, 131, 5))


def test_the_last_picture_is_looked_at_whatever_its_number() -> None:
    assert 36 in looking.due([n / 15 for n in range(37)], every=5)
    assert looking.due([0.0], every=5) == {0}
    assert looking.due([], every=5) == set()


def test_somebody_near_is_looked_at_more_often() -> None:
    near = make([(np.array([0, 0, 60, 90], np.float32), 0.9, Kind.HEAD)])
    far = make([(np.array([0, 0, 60, 70], np.float32), 0.9, Kind.HEAD)])
    car = make([(np.array([0, 0, 300, 200], np.float32), 0.9, Kind.PLATE)])

    assert looking.is_near(near)
    assert not looking.is_near(far)
    assert not looking.is_near(car)


def test_a_large_picture_is_looked_at_halved_and_boxes_are_in_its_own_pixels() -> None:
    model = Sees()

    found = NetworkLook(model)(planes(1920, 1080), 0.0, 0)

    assert model.sizes == [(960, 540)]
    assert found.xyxy[0].tolist() == pytest.approx([175, 185, 325, 320])


def test_a_small_picture_is_looked_at_as_it_is() -> None:
    model = Sees()

    NetworkLook(model)(planes(640, 360), 0.0, 0)

    assert model.sizes == [(640, 360)]


def test_faces_are_added_to_heads() -> None:
    look = NetworkLook(Sees(), lambda picture: boxes.make([[400, 100, 420, 130]], [0.9], [0]))

    found = look(planes(640, 360), 0.0, 0)

    assert found.kinds.tolist() == [Kind.HEAD, Kind.HEAD]


@pytest.mark.parametrize("answer", [np.nan, np.inf])
def test_a_box_that_is_no_number_fails_the_look(answer: float) -> None:
    with pytest.raises(LookError):
        NetworkLook(
            Sees((answer, 0, 10, 10)), lambda _: boxes.make([[answer, 0, 1, 1]], [0.9], [0])
        )(planes(640, 360), 0.0, 0)


def test_a_network_that_raises_fails_the_look() -> None:
    def broken(picture: Any) -> Boxes:
        raise RuntimeError("out of memory")

    with pytest.raises(LookError, match="out of memory"):
        NetworkLook(Sees(), broken)(planes(640, 360), 0.0, 7)


def heads(width: int, height: int) -> dict[str, np.ndarray]:
    """What YuNet answers where there is no face."""
    return {
        f"{what}_{stride}": np.zeros((1, width // stride * height // stride, columns), np.float32)
        for what, columns in (("cls", 1), ("obj", 1), ("bbox", 4))
        for stride in faces.STRIDES
    }


def test_a_face_is_read_from_its_cell_offset_and_size() -> None:
    outputs = heads(64, 32)
    place = 2 * (64 // 8) + 3  # third row, fourth column
    outputs["cls_8"][0, place] = outputs["obj_8"][0, place] = 0.9
    outputs["bbox_8"][0, place] = [0.5, 0.25, np.log(2.0), np.log(3.0)]

    found = faces.decoded(outputs, 64, 32, least=0.6)

    assert found.xyxy.tolist() == [pytest.approx([20, 6, 36, 30], abs=1e-3)]
    assert found.scores.tolist() == [pytest.approx(0.9)]


def test_a_score_that_is_no_number_is_not_dropped_in_silence() -> None:
    outputs = heads(64, 32)
    outputs["cls_16"][0, 1] = np.nan

    assert np.isnan(faces.decoded(outputs, 64, 32, least=0.6).scores).all()


def test_a_missing_face_model_is_told_by_its_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"face_model: .*no such file"):
        faces.FaceNet(tmp_path / "none.onnx")


@pytest.fixture(scope="module")
def looks(assets: Path) -> Looks:
    models = assets / "models"
    if not models.is_dir():
        pytest.skip("no models on this machine")
    return Looks(Networks(models / "nanodet-plus-m_416x256.onnx", models / "yunet_2026may.onnx"))


def test_an_empty_picture_holds_nobody(looks: Looks) -> None:
    assert not len(looks()(planes(1920, 1080), 0.0, 0))


def test_an_answer_that_is_no_number_fails_the_look(
    looks: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = looks._weights._session

    class Broken:
        def run(self, *arguments: Any) -> list[Any]:
            return [array * np.nan for array in session.run(*arguments)]

    monkeypatch.setattr(looks._weights, "_session", Broken())

    look = looks()
    # Its first pictures, at which a network is doubted anyway, are over.
    look.model._look._frames = 0  # type: ignore[attr-defined]

    with pytest.raises(LookError, match="NaN"):
        look(planes(1920, 1080), 0.0, 0)
