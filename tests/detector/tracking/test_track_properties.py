"""What must hold of tracks whatever the traffic: the same road user keeps its number."""

from __future__ import annotations

import numpy as np
from detector.tracking import kalman
from detector.tracking.tracks import Tracker
from hypothesis import given, settings
from hypothesis import strategies as st

from hazardcast.vision.geometry.boxes import Label, empty, make

speeds = st.one_of(st.floats(-250, -30), st.floats(30, 250))


def car(x: float, y: float, score: float = 0.8):
    return make([[x - 40, y - 50, x + 40, y]], [score], [Label.CAR])


@given(
    speed=speeds, fps=st.sampled_from([5.0, 8.0, 10.0]), hidden_s=st.floats(0.1, 0.7),
    from_s=st.floats(1.5, 2.5),
)  # fmt: skip
@settings(max_examples=30)
def test_a_moving_vehicle_that_is_hidden_shortly_is_still_the_same(
    speed, fps, hidden_s, from_s
) -> None:
    tracker, seen = Tracker(), set()
    for number in range(int(5 * fps)):
        t = number / fps
        hidden = from_s <= t < from_s + hidden_s
        found = empty() if hidden else car(640 + speed * (t - 2), 300)
        seen |= {track.track_id for track in tracker.update(found, t)}

    assert len(seen) == 1


@given(
    speed=speeds, unsure=st.sets(st.integers(6, 39), max_size=30), fps=st.sampled_from([8.0, 10.0])
)
@settings(max_examples=30)
def test_unsure_boxes_keep_a_track_alive_as_long_as_they_come(speed, unsure, fps) -> None:
    """ByteTrack's second stage: a vehicle half hidden is seen with a low score."""
    tracker, seen = Tracker(), set()
    for number in range(40):
        t = number / fps
        found = car(640 + 0.5 * speed * (t - 2), 300, 0.2 if number in unsure else 0.8)
        tracks = tracker.update(found, t)
        seen |= {track.track_id for track in tracks}
        if number > 3:
            assert all(track.seen for track in tracks)

    assert len(seen) == 1


@given(
    lanes=st.lists(speeds, min_size=2, max_size=5), noise=st.floats(0, 2), seed=st.integers(0, 50),
    fps=st.sampled_from([5.0, 8.0, 12.0]),
)  # fmt: skip
@settings(max_examples=25)
def test_as_many_tracks_as_vehicles_in_lanes_of_their_own(lanes, noise, seed, fps) -> None:
    tracker, chance, seen = Tracker(), np.random.default_rng(seed), set()
    for number in range(int(3 * fps)):
        t = number / fps
        rows = []
        for lane, speed in enumerate(lanes):
            x, y = np.array([640 + speed * (t - 1.5), 150 + 110 * lane]) + chance.normal(
                0, noise, 2
            )
            rows.append([x - 40, y - 50, x + 40, y])
        order = chance.permutation(len(rows))
        found = make(np.array(rows)[order], [0.8] * len(rows), [Label.CAR] * len(rows))
        seen |= {track.track_id for track in tracker.update(found, t)}

    assert len(seen) == len(lanes)


@given(seed=st.integers(0, 200))
@settings(max_examples=30)
def test_the_order_of_the_boxes_does_not_change_the_tracks(seed) -> None:
    chance = np.random.default_rng(seed)
    starts, moves = chance.uniform(100, 1100, (6, 2)), chance.uniform(-80, 80, (6, 2))
    first, second = Tracker(), Tracker()
    for number in range(24):
        t = number / 8
        feet = starts + moves * t
        rows = np.column_stack([feet[:, 0] - 30, feet[:, 1] - 40, feet[:, 0] + 30, feet[:, 1]])
        scores, labels = chance.uniform(0.2, 0.9, 6), np.full(6, int(Label.CAR))
        order = chance.permutation(6)
        first.update(make(rows, scores, labels), t)
        second.update(make(rows[order], scores[order], labels[order]), t)

    def ways(tracker: Tracker) -> list[list[float]]:
        return sorted(track.box.round(2).tolist() for track in tracker.confirmed())

    assert ways(first) == ways(second)


@given(vx=st.floats(-300, 300), vy=st.floats(-200, 200), dt=st.floats(0.04, 0.3))
@settings(max_examples=40)
def test_the_filter_learns_a_steady_speed_and_stays_sure_of_itself(vx, vy, dt) -> None:
    filters = kalman.none()
    at = np.array([[100.0, 100.0, 180.0, 150.0]])
    step = np.array([vx, vy, vx, vy]) * dt
    filters.extend(at)
    for number in range(1, 30):
        filters.predict(dt, np.array([True]))
        filters.correct(np.array([0]), at + number * step)

    assert np.allclose(filters.speed[0, :2], [vx, vy], atol=12)
    assert (filters.pp > 0).all()
    assert (filters.vv > 0).all()
    assert (filters.pp * filters.vv >= filters.pv**2 * (1 - 1e-9)).all()


@given(gap_s=st.floats(0.5, 3.0), dt=st.floats(0.05, 0.3))
def test_unseen_the_filter_grows_less_sure_and_slows_down(gap_s, dt) -> None:
    filters = kalman.none()
    filters.extend(np.array([[100.0, 100.0, 180.0, 150.0]]))
    for number in range(1, 15):
        filters.predict(dt, np.array([True]))
        filters.correct(np.array([0]), np.array([[100.0, 100, 180, 150]]) + 100 * dt * number)
    before, speed = filters.pp.copy(), np.abs(filters.speed[0, :2]).max()

    filters.predict(gap_s, np.array([False]))

    assert (filters.pp > before).all()
    assert np.abs(filters.speed[0, :2]).max() < speed
