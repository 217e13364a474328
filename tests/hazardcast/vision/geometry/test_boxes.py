from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hazardcast.vision.geometry import boxes
from hazardcast.vision.geometry.boxes import Label, make

coordinates = hnp.arrays(
    np.float32, st.tuples(st.integers(0, 12), st.just(4)),
    elements=st.floats(-500, 2000, width=32),
)  # fmt: skip


def ordered(raw: np.ndarray) -> np.ndarray:
    return np.concatenate(
        [np.minimum(raw[:, :2], raw[:, 2:]), np.maximum(raw[:, :2], raw[:, 2:])], 1
    )


@given(coordinates, coordinates)
def test_iou_lies_between_nothing_and_everything_and_is_the_same_both_ways(a, b) -> None:
    a, b = ordered(a), ordered(b)

    found = boxes.ious(a, b)

    assert found.shape == (len(a), len(b))
    assert np.all((found >= 0) & (found <= 1.001))
    assert np.allclose(found, boxes.ious(b, a).T, atol=1e-5)


@given(coordinates, st.data())
def test_suppression_keeps_a_subset_and_always_the_best(raw, data) -> None:
    scores = data.draw(hnp.arrays(np.float32, len(raw), elements=st.floats(0, 1, width=32)))
    found = make(ordered(raw), scores, np.full(len(raw), 2))

    kept = boxes.nms(found)

    assert len(kept) <= len(found)
    assert {tuple(row) for row in kept.xyxy} <= {tuple(row) for row in found.xyxy}
    if len(found):
        assert kept.scores.max() == found.scores.max()


def test_one_vehicle_seen_as_car_and_truck_is_one_box() -> None:
    found = make([[10, 10, 90, 60], [12, 9, 92, 62]], [0.8, 0.5], [Label.CAR, Label.TRUCK])

    kept = boxes.nms(found)

    assert list(kept.labels) == [Label.CAR]


def test_a_car_in_front_of_a_bus_is_not_its_double() -> None:
    found = make([[0, 0, 200, 120], [20, 60, 80, 110]], [0.9, 0.7], [Label.BUS, Label.CAR])

    assert len(boxes.nms(found)) == 2


def test_a_pedestrian_in_front_of_a_car_is_kept() -> None:
    found = make([[0, 0, 60, 60], [5, 5, 45, 58]], [0.9, 0.7], [Label.CAR, Label.PERSON])

    assert len(boxes.nms(found)) == 2


def test_boxes_are_cut_to_the_frame_and_dropped_outside_it() -> None:
    found = make([[-20, -5, 30, 30], [700, 10, 760, 40]], [0.5, 0.5], [2, 2])

    kept = boxes.clipped(found, 640, 360)

    assert kept.xyxy.tolist() == [[0, 0, 30, 30]]


def test_a_vehicle_is_on_the_area_where_its_wheels_are() -> None:
    polygon = np.array([[0, 100], [200, 100], [200, 200], [0, 200]], np.float32)

    inside = boxes.covered_by(np.array([[50, 60, 90, 150], [50, 10, 90, 90]]), (polygon,))

    assert inside.tolist() == [True, False]
