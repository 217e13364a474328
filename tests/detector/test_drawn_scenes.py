"""The whole detector, with nothing fetched, on the drawn junction; frames are drawn, not decoded."""

from __future__ import annotations

import cv2
import pytest
from camera.scenes import scene_from_url
from detector.incidents import Report
from detector.pipeline import Pipeline

from hazardcast.vision.models.background import BackgroundModel
from hazardcast.vision.models.roadside import RoadsideModel
from hazardcast.vision.pixels.frame import Frame

FPS = 8
both_models = pytest.mark.parametrize("model", [RoadsideModel, BackgroundModel])


def reports(url: str, until_s: float, model=RoadsideModel):
    scene, pipeline = scene_from_url(url), Pipeline(model())
    told: list[Report] = []
    for number in range(int(until_s * FPS)):
        t = number / FPS
        picture = scene.draw(t)
        # What a camera sends was compressed; drawn edges are too clean.
        _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 70])
        sent = cv2.imdecode(packed, cv2.IMREAD_COLOR)
        assert sent is not None
        told += pipeline.process(Frame(sent, t, number)).reports
    return told


@pytest.mark.slow
@both_models
@pytest.mark.parametrize("impact_s", [13, 20])
def test_the_collision_is_told_once_within_three_seconds(impact_s: int, model) -> None:
    told = reports(f"demo://collision?impact_s={impact_s}", impact_s + 12, model)

    assert [(one.status, one.type.value) for one in told] == [("new", "collision")]
    assert abs(told[0].onset_t - impact_s) <= 1.0
    assert told[0].t - impact_s <= 3.0


@pytest.mark.slow
def test_the_fire_is_told_as_fire() -> None:
    told = reports("demo://fire?impact_s=12", 24)

    # The van stood for a while before it burnt: until then it blocks the road.
    assert [(one.status, one.type.value) for one in told][-1:] == [("update", "fire")]
    assert {one.key_t for one in told} == {told[0].key_t}
    assert told[-1].t - 12 <= 6.0


@pytest.mark.slow
def test_the_blockage_is_told_as_blockage() -> None:
    told = reports("demo://blockage?impact_s=12", 40)

    assert [(one.status, one.type.value) for one in told] == [("new", "blockage")]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["normal", "queue"])
@both_models
def test_ordinary_traffic_is_no_incident(name: str, model) -> None:
    assert reports(f"demo://{name}", 60, model) == []


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_light_turning_green_makes_an_incident() -> None:
    assert reports("demo://queue?period_s=90", 180) == []
