from __future__ import annotations

import numpy as np
import pytest
from detector.view.background_history import KEPT_S, Glimpses
from detector.view.stationary import COMPARED_AFTER_S, Dwell, Place

from hazardcast.vision.pixels.frame import Frame

PLACE = np.array([400.0, 300.0, 480.0, 360.0])
TEXTURE = np.random.default_rng(3).integers(40, 200, (18, 24, 3)).repeat(40, 0).repeat(40, 1)
CAR = np.random.default_rng(4).integers(0, 255, (6, 8, 3)).repeat(10, 0).repeat(10, 1)


def street(car_at=None, level=0):
    picture = np.clip(TEXTURE.astype(int) + level, 0, 255).astype(np.uint8)
    if car_at is not None:
        x, y = car_at
        picture[y : y + 60, x : x + 80] = CAR
    return picture


def glimpsed(pictures, every_s=0.5):
    glimpses = Glimpses()
    for number, picture in enumerate(pictures):
        glimpses.update(Frame(picture, number * every_s, number))
    return glimpses


def test_a_place_that_somebody_took_looks_otherwise() -> None:
    glimpses = glimpsed([street()] * 20 + [street((400, 300))] * 20)

    assert glimpses.likeness(PLACE, 10.0) < 0.5


def test_a_place_where_it_always_stood_looks_the_same_in_sun_and_shade() -> None:
    glimpses = glimpsed([street((400, 300))] * 20 + [street((400, 300), level=25)] * 20)

    assert glimpses.likeness(PLACE, 10.0) > 0.9


def test_who_only_passes_leaves_no_trace() -> None:
    passing = [street((400, 300)) if number % 5 == 0 else street() for number in range(40)]

    assert glimpsed(passing).likeness(PLACE, 10.0) > 0.9


@pytest.mark.parametrize("since_t", [0.0, 3.0, 19.9])
def test_without_enough_before_or_after_nothing_is_said(since_t) -> None:
    assert glimpsed([street()] * 40).likeness(PLACE, since_t) is None


def test_a_vehicle_that_creeps_has_settled_when_it_stands() -> None:
    creeping = [street((320 + 4 * number, 300)) for number in range(20)]
    glimpses = glimpsed([street()] * 10 + creeping + [street((400, 300))] * 20)

    assert glimpses.settled_t(PLACE, 5.0) == pytest.approx(15.0, abs=0.5)


def test_what_is_hidden_for_a_moment_has_settled_all_the_same() -> None:
    standing = [street((400, 300)) if number % 6 else street() for number in range(1, 31)]
    glimpses = glimpsed([street()] * 10 + standing)

    assert glimpses.settled_t(PLACE, 4.0) == pytest.approx(5.0, abs=0.5)


def test_a_place_that_was_left_looks_at_once_as_it_did_before() -> None:
    came_and_went = [street()] * 10 + [street((400, 300))] * 6 + [street()]

    assert glimpsed(came_and_went).likeness_at_once(PLACE, 5.0) > 0.9
    assert glimpsed(came_and_went[:-1]).likeness_at_once(PLACE, 5.0) < 0.5
    assert glimpsed(came_and_went).likeness_at_once(PLACE, 0.0) is None


def test_a_bare_road_is_like_itself_and_like_no_car() -> None:
    bare = np.full((720, 960, 3), 90, np.uint8)
    taken = bare.copy()
    taken[300:360, 400:480] = CAR

    assert glimpsed([bare] * 20).likeness(PLACE, 5.0) == 1.0
    assert glimpsed([bare] * 10 + [taken]).likeness_at_once(PLACE, 5.0) == 0.0


def test_glimpses_are_kept_for_a_minute_and_forgotten_after_a_cut() -> None:
    glimpses = glimpsed([street()] * 300)
    assert glimpses.likeness(PLACE, 150.0 - KEPT_S - 5.0) is None

    glimpses.reset()
    assert glimpses.likeness(PLACE, 140.0) is None
    assert glimpses.settled_t(PLACE, 140.0) is None


def test_a_picture_of_another_form_is_another_view() -> None:
    glimpses = glimpsed([street()] * 20 + [street()[:600]] * 2)

    assert glimpses.likeness_at_once(PLACE, 9.0) is None
    assert glimpses.likeness_to_past(PLACE, 9.0) is None
    assert glimpses.likeness(PLACE, 9.0) is None


def test_a_place_at_the_edge_of_the_picture_is_compared_too() -> None:
    outside = np.array([940.0, 700.0, 1100.0, 900.0])

    assert glimpsed([street()] * 40).likeness(outside, 10.0) > 0.9


def test_a_place_is_compared_once_it_has_been_taken_for_a_while() -> None:
    glimpses = glimpsed([street()] * 20 + [street((400, 300))] * 20)
    young = Place(PLACE, 10.0, None, 1, 10.0 + COMPARED_AFTER_S - 0.1)
    old = Place(PLACE, 10.0, None, 2, 10.0 + COMPARED_AFTER_S)

    Dwell([young, old]).compare(glimpses)

    assert young.likeness is None
    assert old.likeness is not None
    assert old.likeness < 0.5
    assert old.onset_t == pytest.approx(10.0, abs=0.5)
