from __future__ import annotations

import numpy as np
import pytest
from camera.scenes import scene_from_url

from hazardcast.vision.geometry.boxes import Label, empty, make
from hazardcast.vision.models.background import BackgroundModel
from hazardcast.vision.models.roadside import RoadsideModel, together
from hazardcast.vision.pixels.frame import Frame

CAR = [100, 100, 140, 120]
CARGO = [300, 150, 320, 165]


def test_a_blob_that_a_vehicle_accounts_for_is_not_told_twice() -> None:
    vehicles = make([CAR], [0.7], [Label.CAR])
    car_and_shadow = make([[98, 98, 150, 125]], [0.9], [Label.OBJECT])

    found = together(vehicles, car_and_shadow)

    assert found.labels.tolist() == [Label.CAR]
    assert found.xyxy.tolist() == [CAR]


def test_what_the_network_does_not_know_is_still_an_object() -> None:
    vehicles = make([CAR], [0.7], [Label.CAR])

    found = together(vehicles, make([CARGO], [0.8], [Label.OBJECT]))

    assert found.labels.tolist() == [Label.CAR, Label.OBJECT]
    assert found.xyxy[1].tolist() == CARGO


@pytest.mark.parametrize("vehicles", [empty(), make([CAR], [0.7], [Label.CAR])])
@pytest.mark.parametrize("blobs", [empty(), make([CARGO], [0.8], [Label.OBJECT])])
def test_either_may_see_nothing(vehicles, blobs) -> None:
    assert len(together(vehicles, blobs)) == len(vehicles) + len(blobs)


def drawn(model, url: str, until_s: float, fps: int = 8):
    """(time, boxes) of every frame."""
    scene = scene_from_url(url)
    for number in range(int(until_s * fps)):
        t = number / fps
        yield t, model.detect(Frame(scene.draw(t), t, number))


def test_vehicles_are_seen_before_the_empty_road_is_known() -> None:
    seen = [found for _, found in drawn(RoadsideModel(), "demo://normal", 2.0)]

    assert any((found.labels == Label.CAR).any() for found in seen)


@pytest.mark.slow
def test_vehicles_that_touch_are_one_blob_but_several_vehicles() -> None:
    def most_about(model, blob=None) -> tuple[int, np.ndarray]:
        """How many boxes lie in the largest box (or in `blob`) after the crash."""
        *_, (_, found) = drawn(model, "demo://collision?impact_s=13", 14.25)
        sure = found.take(found.scores >= 0.3)
        around = (
            max(sure.xyxy, key=lambda box: np.prod(box[2:] - box[:2])) if blob is None else blob
        )
        centres = (sure.xyxy[:, :2] + sure.xyxy[:, 2:]) / 2
        within = (centres > around[:2]).all(axis=1) & (centres < around[2:]).all(axis=1)
        return int(within.sum()), around

    blobs, wreck = most_about(BackgroundModel())
    vehicles, _ = most_about(RoadsideModel(), wreck)

    assert blobs == 1
    assert vehicles >= 2


@pytest.mark.parametrize("size", [(16, 12), (202, 360), (320, 240), (1080, 1920), (3840, 2160)])
def test_pictures_of_any_size_are_looked_at(size: tuple[int, int]) -> None:
    width, height = size
    picture = np.random.default_rng(3).integers(0, 255, (height, width, 3), np.uint8)

    found = RoadsideModel().detect(Frame(picture, 0.0, 0))

    assert (found.xyxy >= 0).all()
    assert (found.xyxy <= [width, height, width, height]).all()
