"""Where things are on the road, how fast they go, and how traffic usually goes: learnt or given."""

from __future__ import annotations

import numpy as np
import pytest
from detector.view.ground import SizeMap, from_points, level_view
from detector.view.learned import View
from detector.view.traffic_flow import FlowField
from hypothesis import given, settings
from hypothesis import strategies as st

from hazardcast.contract.errors import ConfigError

heights_m = st.floats(4, 15)
horizons = st.floats(-100, 250)


def seen(height_m: float, horizon: float, focal: float, places):
    """(N, 2) px of places (x to the right, y away from the camera, m), 1280 px wide, held level."""
    x, z = np.asarray(places, float).T
    return np.column_stack([640 + focal * x / z, horizon + focal * height_m / z])


@given(height=heights_m, horizon=horizons, x=st.floats(-15, 15), z=st.floats(10, 90))
def test_four_points_give_every_place_on_the_road(height, horizon, x, z) -> None:
    corners = [(-5.0, 12.0), (6.0, 14.0), (5.0, 70.0), (-7.0, 60.0)]
    ground = from_points([tuple(point) for point in seen(height, horizon, 1000, corners)], corners)

    assert ground.metres(seen(height, horizon, 1000, [(x, z)]))[0] == pytest.approx(
        [x, z], abs=0.01
    )


@given(
    height=heights_m, horizon=horizons, x=st.floats(-10, 10), z=st.floats(10, 80),
    vx=st.floats(-20, 20), vz=st.floats(-30, 30),
)  # fmt: skip
def test_speeds_over_the_road_are_those_of_the_vehicles(height, horizon, x, z, vx, vz) -> None:
    ground = level_view(height, horizon, 1280, focal_px=1000)
    step_s = 1e-4
    before, after = seen(height, horizon, 1000, [(x, z), (x + vx * step_s, z + vz * step_s)])

    speed = ground.speed_mps(before, (after - before) / step_s)

    assert speed == pytest.approx(np.hypot(vx, vz), rel=0.01, abs=0.02)


def test_above_the_horizon_there_is_no_road() -> None:
    assert np.isnan(level_view(6, 200, 1280).speed_mps(np.array([640, 150]), np.array([10, 0])))


@given(
    order=st.permutations(range(4)), scale=st.floats(0.1, 10), turn=st.floats(0, 6.28),
)  # fmt: skip
def test_the_order_of_the_points_and_the_axes_do_not_change_speeds(order, scale, turn) -> None:
    corners = np.array([(-5.0, 12.0), (6.0, 14.0), (5.0, 70.0), (-7.0, 60.0)])
    picture = seen(8, 100, 1000, corners)
    turned = corners @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]).T
    first = from_points(list(map(tuple, picture)), list(map(tuple, corners)))
    second = from_points(
        [tuple(picture[k]) for k in order], [tuple(scale * turned[k]) for k in order]
    )
    foot, velocity = np.array([600.0, 420.0]), np.array([30.0, -20.0])

    assert second.speed_mps(foot, velocity) == pytest.approx(
        scale * first.speed_mps(foot, velocity), rel=1e-3
    )


@pytest.mark.parametrize(
    "points",
    [
        [(0, 0), (1, 1), (2, 2), (5, 0)], [(0, 0), (0, 0), (1, 0), (1, 1)],
        [(0, 0), (1, 0), (1, 1)], [(0, 0)] * 4,
    ],
)  # fmt: skip
def test_points_that_give_no_plane_are_refused(points) -> None:
    with pytest.raises(ConfigError, match="ground"):
        from_points(points, [(0, 0), (1, 0), (1, 1), (0, 1)])


@given(height=st.floats(5, 12), horizon=st.floats(-50, 150), seed=st.integers(0, 99))
@settings(max_examples=25)
def test_speeds_learnt_from_cars_sizes_are_right_to_a_third(height, horizon, seed) -> None:
    """Cars from 1.35 to 1.75 m, boxes off by 5 %, a tenth of them lorries taken for cars."""
    chance = np.random.default_rng(seed)
    sizes = SizeMap(1280, 720)
    for _ in range(400):
        place = np.array([[chance.uniform(-6, 6), chance.uniform(14, 70)]])
        foot = seen(height, horizon, 1280, place)[0]
        tall_m = 3.2 if chance.random() < 0.1 else chance.uniform(1.35, 1.75)
        tall = 1280 * tall_m / place[0, 1] * chance.normal(1, 0.05)
        sizes.add(
            np.array([foot[0] - 2 * tall / 2, foot[1] - tall, foot[0] + 2 * tall / 2, foot[1]])
        )

    assert sizes.ground is not None
    for z in (18.0, 30.0, 50.0):
        before, after = seen(height, horizon, 1280, [(2, z), (2, z + 0.001)])
        speed = sizes.ground.speed_mps(before, (after - before) / 0.001 * 12.0)
        assert speed == pytest.approx(12.0, rel=0.34)


def test_cars_that_are_all_at_one_height_teach_nothing() -> None:
    sizes = SizeMap(1280, 720)
    for number in range(300):
        sizes.add(np.array([100 + number, 300, 180 + number, 360]))

    assert sizes.ground is None


def lane(field: FlowField, count: int, *, y: float, speed: float, seed: int = 0) -> None:
    chance = np.random.default_rng(seed)
    for _ in range(count):
        x = np.linspace(0, 1279, 40) if speed > 0 else np.linspace(1279, 0, 40)
        feet = np.column_stack([x, np.full(40, y) + chance.normal(0, 6, 40)])
        field.add(feet, np.tile([speed, 0.0], (40, 1)), np.full(40, 60.0))


def test_the_road_is_where_vehicles_drove_and_nobody_knows_before() -> None:
    field = FlowField(1280, 720)
    lane(field, 20, y=400, speed=100)
    assert field.on_road(np.array([640, 400])) is None

    lane(field, 40, y=400, speed=100)

    assert field.on_road(np.array([640, 400])) is True
    assert field.on_road(np.array([640, 100])) is False
    assert field.heading(np.array([640, 100])) is None


def test_a_lone_vehicle_across_the_verge_does_not_make_it_a_road() -> None:
    field = FlowField(1280, 720)
    lane(field, 400, y=400, speed=100)
    lane(field, 1, y=100, speed=100)

    assert field.on_road(np.array([640, 100])) is False


@pytest.mark.parametrize("speed", [150, -150])
def test_the_heading_of_a_place_is_that_of_most_who_pass_it(speed) -> None:
    field = FlowField(1280, 720)
    lane(field, 6, y=420, speed=speed)
    lane(field, 2, y=420, speed=-speed)

    assert field.heading(np.array([650.0, 420.0])) == pytest.approx([np.sign(speed), 0], abs=0.01)
    assert field.heading(np.array([650.0, 100.0])) is None


def test_standing_traffic_teaches_no_direction() -> None:
    field = FlowField(1280, 720)
    for _ in range(100):
        field.add(np.full((20, 2), 300.0), np.zeros((20, 2)), np.full(20, 60.0))

    assert (field.vehicles, field.known) == (0, False)


def test_traffic_that_was_moved_is_learnt_anew() -> None:
    field = FlowField(1280, 720)
    lane(field, 200, y=400, speed=100)
    before = field._crossed[9:11, 16].sum()
    lane(field, 1400, y=500, speed=-100)

    assert field._crossed[9:11, 16].sum() < 0.55 * before
    assert field.heading(np.array([640, 500])) == pytest.approx([-1, 0], abs=0.02)


numbers = st.floats(-1e4, 1e4)


@given(st.lists(st.tuples(numbers, numbers, numbers, numbers, st.floats(0, 500)), max_size=20))
def test_no_way_of_a_vehicle_breaks_the_field(rows) -> None:
    field, data = FlowField(640, 360), np.array(rows, float).reshape(-1, 5)

    field.add(data[:, :2], data[:, 2:4], data[:, 4])

    assert np.isfinite(field._crossed).all()
    assert (field._towards >= 0).all()


def test_a_view_learns_of_every_ended_track_once(traffic, driving) -> None:
    view, scene = View(1280, 720), traffic(width=90, height=60)
    scene.add(driving((0, 300), (160, 0), until_s=6)).add(
        driving((1200, 500), (-160, 0), until_s=6)
    )
    for t in scene.times(10.0):
        scene.tracker.update(scene.boxes(t), t)
        view.learn(tuple(scene.tracker.past))

    assert view.flow.vehicles == 2
    assert view.ground is None


def test_speeds_are_known_where_the_ground_is(traffic, driving) -> None:
    view = View(1280, 720, ground=level_view(6, 100, 1280, focal_px=1000))
    (track,) = traffic().add(driving((100, 300), (160, 0))).run(3.0)

    assert view.speed_mps(track) == pytest.approx(160 * 6 / 200, rel=0.05)
    assert View(1280, 720).speed_mps(track) is None
