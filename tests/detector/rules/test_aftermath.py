"""A doubtful jolt becomes a collision when the vehicle stands where nothing stood before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from detector.impact.rest import FOLLOWED_S, REST_S, Aftermaths, stands
from detector.impact.samples import Column
from detector.impact.verdict import Impact
from detector.impact.voting import Suspicion
from detector.rules.aftermath import (
    LEAST_HELD,
    LEAST_PEAK,
    LEAST_SCORE,
    MOST_USUAL,
    aftermaths,
    has_come,
    has_jumped,
)
from detector.rules.hypothesis import Observation
from detector.rules.impact import SHOWN
from detector.tracking.tracks import FAST_BLPS
from detector.view.background_history import Glimpses
from detector.view.stationary import Place
from detector.view.usual_stops import Habits

from hazardcast.contract.incident_types import IncidentType
from hazardcast.vision.geometry.boxes import Label
from hazardcast.vision.pixels.frame import Frame

FPS = 8.0
JOLT_S = 4.0
PLACE = np.array([570.0, 260.0, 630.0, 300.0])
DOUBTFUL = Suspicion(LEAST_HELD, LEAST_PEAK)
CAR = np.random.default_rng(4).integers(0, 255, (4, 6, 3)).repeat(10, 0).repeat(10, 1)


def jolted(t=JOLT_S, suspicion=DOUBTFUL, label=Label.CAR, score=0.8, track_id=1, before=2.0):
    told = dict.fromkeys(SHOWN, 0.0) | {"score": score, "before": before}
    return Impact(track_id, None, t, PLACE, suspicion, told, label)


def samples(speed_blps, until_s=6.0, seen=lambda t: True):
    """Of a vehicle 60 px wide whose boxes and pixels move at `speed_blps(t)`."""
    rows, x = [], 200.0
    for t in np.arange(0.0, until_s, 1 / FPS):
        speed = speed_blps(t)
        x += 60 * speed / FPS
        rows.append([t, x, 300, 60, 60, 60, speed, 0, 0.5, 0.1, 5, 0.8, float(seen(t))])
    return np.array(rows)[-int(4 * FPS) :]


def stops_at(t_s, speed=2.0):
    return lambda t: speed if t < t_s else 0.0


def rested(rows, impact=None):
    """What is said at the last of the samples, after a jolt at 4 s."""
    aftermaths = Aftermaths()
    aftermaths.update(JOLT_S + 0.5, [impact or jolted()], lambda _: rows[:2])
    return aftermaths.update(float(rows[-1, Column.T]), [], lambda _: rows)


def test_a_vehicle_that_stands_after_its_jolt_has_come_to_rest() -> None:
    assert [one.track_id for one in rested(samples(stops_at(JOLT_S)))] == [1]


def test_a_vehicle_that_drives_on_has_not() -> None:
    assert rested(samples(lambda t: 2.0)) == []


def test_boxes_that_stand_over_pixels_that_move_have_not() -> None:
    rows = samples(stops_at(JOLT_S))
    rows[:, Column.VX] = 0.5

    assert rested(rows) == []


def test_it_must_stand_for_a_while_and_be_seen_standing() -> None:
    until_s = JOLT_S + REST_S - 0.3

    assert not stands(samples(stops_at(JOLT_S), until_s), until_s - 1 / FPS)
    assert rested(samples(stops_at(JOLT_S), seen=lambda t: t < JOLT_S + 0.3)) == []


def test_who_comes_to_rest_much_later_does_so_for_other_reasons() -> None:
    until_s = JOLT_S + FOLLOWED_S + REST_S + 0.5

    assert rested(samples(stops_at(JOLT_S + FOLLOWED_S), until_s)) == []


def test_of_a_vehicles_jolts_the_likeliest_counts() -> None:
    rows, aftermaths = samples(stops_at(JOLT_S)), Aftermaths()
    for suspicion in (DOUBTFUL, Suspicion(0.6, 0.7), Suspicion(0.1, 0.2)):
        found = aftermaths.update(float(rows[-1, 0]), [jolted(suspicion=suspicion)], lambda _: rows)

    assert [one.suspicion.held for one in found] == [0.6]


def test_after_a_cut_no_jolt_is_remembered() -> None:
    rows, aftermaths = samples(stops_at(JOLT_S)), Aftermaths()
    aftermaths.update(JOLT_S + 0.5, [jolted()], lambda _: rows[:2])
    aftermaths.reset()

    assert aftermaths.update(float(rows[-1, 0]), [], lambda _: rows) == []


def street(car_x=None):
    picture = np.random.default_rng(3).integers(60, 120, (720, 1280, 3)).astype(np.uint8)
    if car_x is not None:
        picture[260:300, car_x - 30 : car_x + 30] = CAR
    return picture


@pytest.fixture
def crash(traffic, driving):
    """A car that stops dead at 4 s at x = 600 px, as seen at 6 s; `looked` tells its place before."""

    def observed(impact=None, *, stood=False, known=True, start_px=200.0):
        speed = (600 - start_px) / JOLT_S
        scene = traffic().add(driving((start_px, 300), (speed, 0), stop_at_s=JOLT_S))
        tracks, glimpses = scene.run(6.0), Glimpses()
        for t in np.arange(0.0 if known else 3.5, 6.1, 0.5):
            at = 600 if stood or t >= JOLT_S else int(start_px + speed * t)
            glimpses.update(Frame(street(at), float(t), 0))
        return Observation(
            6.0, 1280, 720, tracks, scene.dwell, Habits(), glimpses=glimpses,
            rested=[impact or jolted()],
        )  # fmt: skip

    return observed


def test_a_doubtful_jolt_with_a_vehicle_that_stands_is_a_collision(crash) -> None:
    (one,) = aftermaths(crash())

    assert one.type is IncidentType.COLLISION
    assert one.onset_t == JOLT_S
    assert one.settled
    assert one.track_ids == {1}


@pytest.mark.parametrize(
    "impact",
    [
        jolted(suspicion=Suspicion(LEAST_HELD - 0.01, 0.9)),
        jolted(suspicion=Suspicion(LEAST_HELD, LEAST_PEAK - 0.01)),
        jolted(label=Label.OBJECT),
        jolted(score=LEAST_SCORE - 0.01),
        jolted(track_id=99),
        jolted(before=FAST_BLPS - 0.01),
    ],
    ids=["does not last", "never likely", "blob", "hardly a vehicle", "gone", "was slow"],
)
def test_what_is_less_than_doubtful_is_nothing(crash, impact) -> None:
    assert aftermaths(crash(impact)) == []


def test_a_place_that_looked_the_same_before_was_taken_already(crash) -> None:
    assert aftermaths(crash(stood=True)) == []


def test_where_nothing_is_known_from_before_nothing_is_said(crash) -> None:
    assert aftermaths(crash(known=False)) == []


def test_who_has_hardly_moved_was_taken_for_another(crash) -> None:
    assert aftermaths(crash(start_px=560.0)) == []


@pytest.mark.parametrize(
    ("way_px", "jumped"),
    [
        ([0, 10, 20, 30, 40, 120, 122, 122, 122], True),
        ([0, 20, 40, 60, 80, 100, 102, 102, 102], False),
        ([0, 40, 60, 60, 60, 60, 60, 60, 60], False),
    ],
    ids=["onto another's box", "at its own speed", "nothing known from before"],
)
def test_most_of_the_way_in_one_sudden_step_is_onto_anothers_box(way_px, jumped) -> None:
    places = np.stack([np.array(way_px, float), np.full(len(way_px), 300.0)], axis=1)

    assert has_jumped(places, np.arange(len(way_px)) / FPS, way_px[-1]) is jumped


def test_a_place_that_another_had_taken_is_not_where_it_stopped(crash) -> None:
    seen = crash()
    box = seen.tracks[0].box
    seen.dwell.places.append(Place(box, JOLT_S - 1.0, None, 99, 6.0))

    assert aftermaths(seen) == []


def test_who_stepped_onto_a_standing_vehicle_has_not_come(traffic) -> None:
    scene = traffic().add(lambda t: (600.0, 300.0) if t >= JOLT_S else (480.0 + 15 * t, 300.0))
    (track,) = scene.run(6.0)

    assert track.history.since(0.0)[0, 1] < 460  # one number all the way
    assert not has_come(track, JOLT_S)


@pytest.mark.parametrize(("others", "told"), [(MOST_USUAL, 1), (MOST_USUAL + 1, 0)])
def test_where_others_have_stopped_before_a_stop_is_no_sign(crash, others, told) -> None:
    seen = crash()
    for number in range(others):
        seen.habits.add(50 + number, -60.0, np.array([600.0, 300.0]), 50.0)

    assert len(aftermaths(replace(seen, t=6.0))) == told
