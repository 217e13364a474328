from __future__ import annotations

import numpy as np
import pytest
from detector.tracking.tracks import Tracker
from hypothesis import given, settings
from hypothesis import strategies as st

from hazardcast.vision.geometry.boxes import Label, empty, make


def test_a_vehicle_keeps_its_number_as_it_drives(traffic, driving) -> None:
    tracks = traffic().add(driving((100, 300), (160, 0))).run(5.0)

    assert len(tracks) == 1
    assert abs(tracks[0].speed_blps - 160 / np.sqrt(60 * 40)) < 0.5


@given(
    speed=st.floats(-250, 250), fps=st.sampled_from([5.0, 8.0, 10.0, 25.0]),
    y=st.floats(150, 600),
)  # fmt: skip
@settings(max_examples=25)
def test_one_vehicle_is_one_track_at_any_speed_and_frame_rate(speed, fps, y) -> None:
    tracker, seen = Tracker(), set()
    for number in range(int(2 * fps)):
        t = number / fps
        x = 640 + speed * t
        found = make([[x - 40, y - 50, x + 40, y]], [0.7], [Label.CAR])
        seen |= {track.track_id for track in tracker.update(found, t)}

    assert len(seen) == 1


def test_two_that_pass_each_other_keep_their_numbers(traffic, driving) -> None:
    scene = traffic().add(driving((100, 300), (120, 0))).add(driving((900, 330), (-120, 0)))
    early = {track.track_id: track.box[0] for track in scene.run(1.0)}

    late = {}
    for t in scene.times(6.0, 1.125):
        late = {track.track_id: track.box[0] for track in scene.tracker.update(scene.boxes(t), t)}

    rightwards = min(early, key=lambda track: early[track])
    assert set(late) == set(early)
    assert late[rightwards] == max(late.values())


def look(colour: int) -> np.ndarray:
    return np.eye(512, dtype=np.float32)[[colour]]


def numbers_of_car_and_bus(car_look, bus_look) -> tuple[int, int]:
    """A car drives right; about where it should be next only a bus is seen, which drives left."""
    tracker, numbers = Tracker(), []
    for frame in range(20):
        car_drives = frame < 10
        x = 100 + 20 * frame if car_drives else 350 - 20 * (frame - 10)
        shown = car_look if car_drives else bus_look
        tracker.update(make([[x, 300, x + 80, 350]], [0.8], [Label.CAR], shown), frame / 8)
        numbers += [track.track_id for track in tracker.tracks if track.seen]
    return numbers[9], numbers[-1]


def test_who_appears_where_another_is_hidden_is_not_taken_for_it() -> None:
    car, bus = numbers_of_car_and_bus(look(3), look(400))

    assert bus != car


@pytest.mark.parametrize(("first", "then"), [(look(3), look(3)), (None, None)])
def test_who_looks_the_same_or_was_not_looked_at_is_taken_for_it(first, then) -> None:
    car, bus = numbers_of_car_and_bus(first, then)

    assert bus == car


def test_a_jump_of_the_exposure_breaks_no_track() -> None:
    tracker = Tracker()
    for frame in range(20):
        x = 100 + 20 * frame
        shade = look(3) if frame < 10 else look(400)
        tracker.update(make([[x, 300, x + 80, 350]], [0.8], [Label.CAR], shade), frame / 8)

    assert [track.track_id for track in tracker.tracks] == [1]


def test_a_look_that_changes_slowly_is_followed() -> None:
    tracker = Tracker()
    for frame in range(41):
        share = min(frame, 30) / 30
        shade = (1 - share) * look(3) + share * look(400)
        # Its last step is so long that only its colours tell it from another.
        x = 100 + 20 * frame + (50 if frame == 40 else 0)
        tracker.update(make([[x, 300, x + 80, 350]], [0.8], [Label.CAR], shade), frame / 8)

    assert [track.track_id for track in tracker.tracks] == [1]


def test_irregular_frames_do_not_change_the_speed() -> None:
    tracker, t = Tracker(), 0.0
    gaps = np.random.default_rng(3).uniform(0.05, 0.3, 30)
    for gap in gaps:
        t += gap
        x = 100 + 150 * t
        tracker.update(make([[x, 100, x + 80, 150]], [0.8], [2]), t)

    speed = tracker.confirmed()[0].history.rows[-1, 5]
    assert abs(speed - 150) < 5


def test_a_standing_vehicle_hidden_for_ten_seconds_is_still_the_same(traffic, driving) -> None:
    scene = traffic().add(driving((200, 300), (120, 0), stop_at_s=3.0))
    before = scene.run(6.0)[0].track_id
    for t in scene.times(16.0, 6.125):
        scene.tracker.update(empty(), t)

    after = scene.tracker.update(scene.boxes(16.2), 16.2)

    assert [track.track_id for track in after] == [before]


def test_a_vehicle_that_drove_off_is_forgotten_soon(traffic, driving) -> None:
    scene = traffic().add(driving((200, 300), (160, 0)))
    scene.run(3.0)
    for t in scene.times(5.5, 3.125):
        scene.tracker.update(empty(), t)

    assert scene.tracker.confirmed() == []
    assert len(scene.tracker.past) == 1


def test_unsure_boxes_keep_tracks_alive_but_begin_none() -> None:
    tracker = Tracker()
    for number in range(10):
        tracker.update(make([[100, 100, 160, 150]], [0.2], [2]), number / 8)

    assert tracker.tracks == []


def test_two_blobs_that_merge_and_stop_are_two_tracks_that_stop() -> None:
    tracker = Tracker()
    for number in range(40):
        t = number / 8
        left, right = min(100 + 120 * t, 280), max(620 - 120 * t, 345)
        rows = [[left, 200, left + 60, 240], [right, 200, right + 60, 240]]
        if right - left < 75:
            rows = [[left, 200, right + 60, 240]]
        tracks = tracker.update(make(rows, [0.9] * len(rows), [Label.OBJECT] * len(rows)), t)
        if number == 32:
            assert len(tracks) == 2
            assert all(track.speed_blps < 0.5 for track in tracks)


def test_time_that_stands_still_or_runs_back_is_ignored(traffic, driving) -> None:
    scene = traffic().add(driving((100, 300), (100, 0)))
    before = scene.run(2.0)

    again = scene.tracker.update(scene.boxes(1.0), 1.0)

    assert [len(track.history) for track in again] == [len(track.history) for track in before]


anything = st.lists(
    st.tuples(
        st.floats(-100, 2000), st.floats(-100, 1200), st.floats(0.1, 900), st.floats(0.1, 900),
        st.floats(0, 1), st.sampled_from(list(Label)),
    ),
    max_size=12,
)  # fmt: skip


@given(st.lists(st.tuples(anything, st.floats(-1, 40)), max_size=12))
@settings(max_examples=40)
def test_no_sequence_of_boxes_breaks_the_tracker(frames) -> None:
    tracker, t = Tracker(), 0.0
    for rows, gap in frames:
        t += gap
        found = make(
            [[x, y, x + w, y + h] for x, y, w, h, _, _ in rows],
            [row[4] for row in rows], [int(row[5]) for row in rows],
        )  # fmt: skip
        tracks = tracker.update(found, t)
        ids = [track.track_id for track in tracker.tracks]
        assert len(ids) == len(set(ids))
        assert all(np.isfinite(track.box).all() for track in tracks)
