from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
from camera.scenes import Scene, scene_from_url
from camera.scenes.painter import Vehicle, box
from camera.scenes.stories import STORIES
from camera.scenes.view import View

from hazardcast.contract.errors import ConfigError
from hazardcast.media.camera_url import DEMO_SCENES

PERIOD_S = 150.0
IMPACT_S = 20.0


@cache
def scene(name: str) -> Scene:
    return Scene(name, impact_s=IMPACT_S, period_s=PERIOD_S)


def overlap_m2(one: Vehicle, other: Vehicle) -> float:
    """Area of the ground that both cover."""
    area, _ = cv2.intersectConvexConvex(
        one.footprint.astype(np.float32), other.footprint.astype(np.float32)
    )
    return float(area)


def worst_overlap_m2(vehicles: list[Vehicle]) -> float:
    pairs = [
        (one, other)
        for number, one in enumerate(vehicles)
        for other in vehicles[:number]
        if abs(one.x_m - other.x_m) < 9 and abs(one.y_m - other.y_m) < 9
    ]
    return max((overlap_m2(one, other) for one, other in pairs), default=0.0)


def actor(name: str, key: str, t_s: float) -> Vehicle:
    return next(vehicle for vehicle in scene(name).vehicles(t_s) if vehicle.key == key)


def moments(start_s: float, end_s: float, step_s: float = 0.5) -> list[float]:
    return [float(t) for t in np.arange(start_s, end_s, step_s)]


def test_the_configuration_knows_exactly_these_scenes() -> None:
    assert set(DEMO_SCENES) == set(STORIES)


@pytest.mark.parametrize("name", ["normal", "queue", "blockage", "fire"])
def test_nobody_drives_through_anybody(name: str) -> None:
    for t_s in moments(0, PERIOD_S):
        assert worst_overlap_m2(scene(name).vehicles(t_s)) < 0.05, f"at {t_s} s"


def test_in_a_collision_only_the_two_cars_touch() -> None:
    for t_s in moments(0, PERIOD_S):
        others = [v for v in scene("collision").vehicles(t_s) if v.key != "struck"]
        assert worst_overlap_m2(others) < 0.05, f"at {t_s} s"


def test_the_two_cars_overlap_at_the_impact_and_not_before() -> None:
    def together(t_s: float) -> float:
        return overlap_m2(actor("collision", "struck", t_s), actor("collision", "striking", t_s))

    assert together(IMPACT_S - 0.1) == 0
    assert together(IMPACT_S) > 0
    assert together(IMPACT_S + 3) < 0.5, "they do not come to rest inside each other"


@pytest.mark.parametrize("key", ["struck", "striking"])
def test_a_crashed_car_stops_abruptly_turns_and_stays(key: str) -> None:
    before = actor("collision", key, IMPACT_S - 0.2)
    after = actor("collision", key, IMPACT_S + 1.5)
    later = actor("collision", key, 0.8 * PERIOD_S - 1)

    assert before.speed_mps > 8
    assert after.speed_mps == 0
    assert abs(after.heading_rad - before.heading_rad) > 0.4
    assert (after.x_m, after.y_m) == (later.x_m, later.y_m)


@pytest.mark.parametrize("key", ["struck", "striking"])
def test_a_crashing_car_is_in_view_long_enough_to_be_tracked(key: str) -> None:
    first = actor("collision", key, IMPACT_S - 1.5)
    seen = box(scene("collision").view, first)

    assert seen is not None
    assert seen[0] > 0
    assert seen[2] - seen[0] > 24, "wide enough to be detected"


def test_traffic_goes_on_past_the_wrecks() -> None:
    passed = {
        vehicle.key
        for t_s in moments(IMPACT_S + 10, 0.8 * PERIOD_S)
        for vehicle in scene("collision").vehicles(t_s)
        if vehicle.key.startswith("towards-0") and vehicle.y_m < 10
    }

    assert passed, "those behind the wreck change lanes"


@pytest.mark.parametrize("name", ["collision", "fire", "blockage"])
def test_after_the_incident_the_road_is_clear_again(name: str) -> None:
    story = scene(name).story
    cleared_s = 0.8 * PERIOD_S

    assert story.obstacles(cleared_s + 12) == []
    assert story.fire(cleared_s + 1) is None
    assert story.litter(cleared_s + 1) is None


def test_a_broken_down_car_stands_in_its_lane_while_others_flow() -> None:
    stands = [actor("blockage", "stopped", t_s) for t_s in moments(IMPACT_S, 0.8 * PERIOD_S)]
    flowing = [
        vehicle
        for t_s in moments(IMPACT_S + 5, 0.8 * PERIOD_S)
        for vehicle in scene("blockage").vehicles(t_s)
        if vehicle.speed_mps > 6 and abs(vehicle.y_m - stands[0].y_m) < 5 and vehicle.x_m < 0
    ]

    assert {(v.x_m, v.y_m, v.speed_mps) for v in stands} == {(stands[0].x_m, stands[0].y_m, 0.0)}
    assert -3.4 < stands[0].x_m < 0
    assert len({vehicle.key for vehicle in flowing}) >= 5


def test_a_fire_begins_at_its_onset_grows_and_glows() -> None:
    def flames(t_s: float) -> int:
        blue, green, red = (c.astype(int) for c in cv2.split(scene("fire").draw(t_s)))
        return int(((red > 200) & (red - blue > 90) & (green > 90)).sum())

    assert scene("fire").story.fire(IMPACT_S - 0.01) is None
    assert actor("fire", "van", IMPACT_S).speed_mps == 0
    assert flames(IMPACT_S - 1) < flames(IMPACT_S + 3) < flames(IMPACT_S + 30)


def test_cars_queue_at_red_and_go_at_green() -> None:
    def standing(t_s: float) -> int:
        vehicles = scene("queue").vehicles(t_s)
        return sum(v.speed_mps < 0.3 for v in vehicles if not v.key.startswith(("east", "west")))

    assert standing(IMPACT_S - 1) == 0
    assert standing(IMPACT_S + 30) >= 6
    assert standing(IMPACT_S + 60) == 0


def test_free_flow_never_stands() -> None:
    speeds = [v.speed_mps for t_s in moments(0, PERIOD_S, 2) for v in scene("normal").vehicles(t_s)]

    assert min(speeds) > 5


@pytest.mark.parametrize("name", sorted(STORIES))
def test_a_cycle_repeats_without_a_jump(name: str) -> None:
    end = {v.key: v for v in scene(name).vehicles(PERIOD_S - 0.01)}
    start = {v.key: v for v in scene(name).vehicles(PERIOD_S)}
    near = {key for key, v in start.items() if box(scene(name).view, v) and v.y_m < 60}

    assert near <= end.keys()
    for key in near:
        assert np.hypot(end[key].x_m - start[key].x_m, end[key].y_m - start[key].y_m) < 3


@pytest.mark.parametrize("name", sorted(STORIES))
def test_a_frame_depends_on_scene_time_alone(name: str) -> None:
    first, second = (
        Scene(name, impact_s=IMPACT_S, period_s=60.0, view=View(384, 216)) for _ in range(2)
    )
    first.draw(45.0)

    assert np.array_equal(first.draw(31.4), second.draw(31.4))
    assert first.draw(31.4).shape == (216, 384, 3)


def test_vehicles_stand_out_from_the_road() -> None:
    """Most of each near vehicle's box differs clearly from the empty road."""
    for t_s in moments(5, 60, 5):
        frame = scene("normal").draw(t_s).astype(int)
        for vehicle in scene("normal").vehicles(t_s):
            seen = box(scene("normal").view, vehicle)
            if seen is None or vehicle.y_m > 45 or seen[2] > 958 or seen[3] > 538:
                continue
            x1, y1, x2, y2 = (round(edge) for edge in seen)
            difference = np.abs(frame - scene("normal").backdrop.astype(int)).max(axis=2)
            assert (difference[y1:y2, x1:x2] > 18).mean() > 0.45, vehicle


def test_the_onset_is_that_of_the_present_cycle() -> None:
    assert scene("collision").onset_s(0) == IMPACT_S
    assert scene("collision").onset_s(PERIOD_S - 1) == IMPACT_S
    assert scene("collision").onset_s(2 * PERIOD_S + 1) == 2 * PERIOD_S + IMPACT_S
    assert scene("queue").onset_s(50) is None


def test_an_address_sets_onset_and_period() -> None:
    found = scene_from_url("demo://fire?impact_s=35.5&period_s=120")

    assert (found.name, found.impact_s, found.period_s) == ("fire", 35.5, 120.0)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("demo://flood", "no drawn scene"),
        ("demo://fire?impact=3", "impact: unknown parameter"),
        ("demo://fire?impact_s=soon", "impact_s: expected seconds"),
        ("demo://fire?impact_s=nan", "impact_s: must lie between"),
        ("demo://fire?period_s=1", "period_s: must lie between"),
        ("demo://fire?impact_s=90&period_s=100", "impact_s: must be"),
    ],
)
def test_a_wrong_address_is_refused_with_the_reason(url: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        scene_from_url(url)
