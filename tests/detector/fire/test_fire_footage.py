"""Fire and smoke on real footage, where this machine has it, and the drawn junction at any pace."""

from __future__ import annotations

import cv2
import pytest
from camera.scenes import scene_from_url
from detector.fire.watch import FireWatch
from detector.incidents import Report
from detector.pipeline import Pipeline
from detector.rules.fire import convincing

from hazardcast.vision.models.background import BackgroundModel
from hazardcast.vision.pixels.frame import Frame
from hazardcast.vision.pixels.sources import FileFrames


def fires_told(path, until_s: float):
    pipeline = Pipeline(BackgroundModel())
    told: list[Report] = []
    for frame in FileFrames(path, fps=8):
        if frame.t > until_s:
            break
        told += pipeline.process(frame).reports
    return [one for one in told if one.type.value == "fire"]


@pytest.mark.parametrize("name", ["punpayut_roadside_fire", "navid_fireplace_black"])
def test_a_real_fire_is_told_within_four_seconds_once(assets, name) -> None:
    told = fires_told(assets / "clips" / "fire" / f"{name}.mp4", 6.0)

    assert told
    assert told[0].t <= 4.0
    assert told[0].evidence["seen"] == "flames"


@pytest.mark.parametrize("name", ["tfl_1_cromwell_rd_junction", "intel_car_detection"])
def test_real_traffic_is_no_fire(assets, name) -> None:
    assert fires_told(assets / "clips" / "normal" / f"{name}.mp4", 8.0) == []


def drawn(url: str, times):
    scene = scene_from_url(url)
    for number, t in enumerate(times):
        packed = cv2.imencode(".jpg", scene.draw(t), [cv2.IMWRITE_JPEG_QUALITY, 70])[1]
        picture = cv2.imdecode(packed, cv2.IMREAD_COLOR)
        assert picture is not None
        yield Frame(picture, t, number)


@pytest.mark.slow
@pytest.mark.parametrize("fps", [2, 5, 8, 9])
def test_the_drawn_fire_convinces_within_four_seconds_at_any_pace(fps) -> None:
    watch, convinced = FireWatch(), []
    for frame in drawn("demo://fire?impact_s=10", [6 + k / fps for k in range(9 * fps)]):
        found = watch.update(frame)
        convinced += [frame.t for one in found if convincing(one, frame.t)]

    begins_s = convinced[0]
    assert 10.0 <= begins_s <= 13.5
    assert len(convinced) >= 0.7 * (14.5 - begins_s) * min(fps, 5)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "fps"), [("normal", 2), ("queue", 5), ("normal", 9)])
def test_drawn_traffic_does_not_burn(name, fps) -> None:
    watch = FireWatch()
    for frame in drawn(f"demo://{name}", [k / fps for k in range(20 * fps)]):
        found = watch.update(frame)
        assert not [one for one in found if convincing(one, frame.t)]
