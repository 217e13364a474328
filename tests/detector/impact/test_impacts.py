from __future__ import annotations

import numpy as np
import pytest
from detector.impact import delta_v, net
from detector.impact.features import UNKNOWN, Party, features
from detector.impact.samples import Column, Samples, inside
from detector.impact.verdict import Impact
from detector.impact.voting import Suspicion, Suspicions
from detector.impact.watch import ImpactWatch, consistent
from detector.rules.impact import LEAST_HELD, LEAST_PEAK, confidence, impacts
from detector.tracking.tracks import Tracker
from detector.view.background_history import Glimpses
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.contract.incident_types import IncidentType
from hazardcast.vision.geometry.boxes import Label, make
from hazardcast.vision.pixels.frame import Frame

FPS = 8.0
SIZE_PX = 60.0


def drives(velocity, *, until_s=4.0, start_px=(200.0, 200.0), fps=FPS, burst_s=99.0):
    """Samples of a vehicle with `velocity(t)` → (2,) body lengths per second; pixels burst once."""
    rows, place = [], np.array(start_px, float)
    for t in np.arange(0.0, until_s, 1 / fps):
        v = np.array(velocity(t), float)
        place = place + v * SIZE_PX / fps
        share = 0.6 if np.hypot(*v) > 0.1 else 0.02
        spread, change = (0.6, 40.0) if abs(t - burst_s) < 0.3 else (0.1, 10.0)
        rows.append([t, *place, SIZE_PX, SIZE_PX, SIZE_PX, *v, share, spread, change, 0.8, 1.0])
    return np.array(rows)


def crash_at(t_s, before=(2.0, 0.0), after=(0.0, 0.0)):
    return lambda t: before if t < t_s else after


def brakes(from_s, to_s, speed=2.0):
    return lambda t: (speed * float(np.clip((to_s - t) / (to_s - from_s), 0.0, 1.0)), 0.0)


NEW_PLACE = {"likeness": 0.2, "colours_kept": 0.9}
OLD_PLACE = {"likeness": 0.95, "colours_kept": 0.1}


def told_of(velocity, others=(), **more):
    rows = drives(velocity, **more)
    party = Party(7, rows, delta_v.find(rows), Label.CAR)
    return features(party, others, frame_size=(1280, 720)) | NEW_PLACE


def test_the_jolt_is_where_the_velocity_breaks_off() -> None:
    jolt = delta_v.find(drives(crash_at(3.0)))

    assert jolt is not None
    assert jolt.t == pytest.approx(3.0, abs=0.13)
    assert jolt.change_blps == pytest.approx(2.0, abs=0.1)


def test_braking_is_a_smaller_jolt_than_a_crash_from_the_same_speed() -> None:
    gentle, crash = delta_v.find(drives(brakes(1.5, 3.5))), delta_v.find(drives(crash_at(3.0)))

    assert gentle is not None
    assert crash is not None
    assert gentle.change_blps < 0.35 * crash.change_blps


def test_a_camera_of_five_frames_a_second_still_shows_jolts() -> None:
    jolt = delta_v.find(drives(crash_at(3.0), fps=5.0))

    assert jolt is not None
    assert jolt.change_blps == pytest.approx(2.0, abs=0.1)


@given(
    st.floats(-3, 3), st.floats(-3, 3), st.floats(0, 2 * np.pi), st.floats(0.0, 1e6)
)  # fmt: skip
def test_a_jolt_is_the_same_in_every_direction_and_at_every_time(vx, vy, angle, t0) -> None:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    rows = drives(crash_at(3.0, before=(2.0, 0.5), after=(vx, vy)))
    turned = rows.copy()
    turned[:, [Column.VX, Column.VY]] = rows[:, [Column.VX, Column.VY]] @ turn.T
    turned[:, Column.T] += round(t0)

    first, second = delta_v.find(rows), delta_v.find(turned)

    assert first is not None
    assert second is not None
    assert second.change_blps == pytest.approx(first.change_blps, abs=1e-6)
    assert np.allclose(second.before, turn @ first.before, atol=1e-6)


def test_no_jolt_can_be_told_from_three_samples() -> None:
    assert delta_v.find(drives(crash_at(0.2), until_s=0.3)) is None


def test_pixels_tell_motion_that_the_road_around_them_does_not_share() -> None:
    motion = np.zeros((100, 100, 2), np.float32)
    motion[40:60, 30:60] = (6.0, -2.0)
    box = np.array([25.0, 35.0, 65.0, 65.0])

    vx, vy, share, spread, _ = inside(motion, np.zeros((100, 100), np.float32), box, 0.1)

    size = np.sqrt(40 * 30)
    assert (vx, vy) == pytest.approx((6 / size / 0.1, -2 / size / 0.1), rel=1e-5)
    assert 0.4 < share < 0.9
    assert spread == pytest.approx(0.0, abs=1e-6)


def test_a_box_outside_the_picture_tells_nothing() -> None:
    motion = np.ones((50, 50, 2), np.float32)

    told = inside(motion, motion[..., 0], np.array([60.0, 60.0, 90.0, 90.0]), 0.1)

    assert told == (0.0, 0.0, 0.0, 0.0, 0.0)


def test_two_that_stop_each_other_share_their_change() -> None:
    mine = drives(crash_at(3.0))
    theirs = drives(crash_at(3.0, before=(0.0, 1.5)), start_px=(mine[-1, Column.X] + 55, 0.0))
    theirs[:, Column.Y] += mine[-1, Column.Y] - theirs[-1, Column.Y]
    mate = Party(7, theirs, delta_v.find(theirs), Label.CAR)

    told = told_of(crash_at(3.0), [mate])

    assert told["gap"] < 0.3
    assert told["pair_change"] == pytest.approx(1.5, abs=0.1)
    assert abs(told["mate_late"]) < 0.3
    assert told_of(crash_at(3.0))["gap"] == UNKNOWN


def test_what_cannot_be_told_is_a_number_all_the_same() -> None:
    rows = drives(crash_at(3.0))
    rows[:, Column.SEEN] = 0.0

    told = features(Party(7, rows, delta_v.find(rows), Label.CAR), [], frame_size=(1280, 720))

    assert told["box_before"] == UNKNOWN
    assert all(np.isfinite(value) for value in told.values())


def test_a_standing_vehicle_that_another_covers_is_not_judged() -> None:
    assert consistent(told_of(crash_at(3.0)))
    assert not consistent({**told_of(crash_at(3.0)), "box_before": 0.05})
    assert not consistent({"before": 3.0, "box_before": 0.5})


def test_the_net_takes_the_features_in_the_order_it_learnt_them() -> None:
    assert net.load().names == list(told_of(crash_at(3.0)))


def test_a_crash_is_likelier_than_braking() -> None:
    partner = drives(crash_at(3.0, before=(0.0, 1.5)), start_px=(620.0, 0.0))
    partner[:, Column.Y] += 200.0 - partner[-1, Column.Y]
    mate = Party(7, partner, delta_v.find(partner), Label.CAR)

    crash, braking = net.load().likelihoods(
        [told_of(crash_at(3.0), [mate], burst_s=3.0), told_of(brakes(1.5, 3.5))]
    )

    assert crash > braking
    assert braking < LEAST_PEAK


def test_a_crash_is_likelier_where_the_vehicle_is_there_and_was_not_before() -> None:
    told = told_of(crash_at(3.0), burst_s=3.0)

    there, left = net.load().likelihoods([told, told | OLD_PLACE])

    assert there > left


def textured(size, rng):
    return rng.integers(0, 255, (size, size, 3), np.uint8)


class Film:
    """Textured squares on a grey road, with the boxes a perfect network would give."""

    def __init__(self, *velocities) -> None:
        rng = np.random.default_rng(3)
        self.velocities = velocities
        self.textures = [
            np.kron(textured(10, rng), np.ones((6, 6, 1), np.uint8)) for _ in velocities
        ]
        self.road = np.full((360, 640, 3), 90, np.uint8)

    def frames(self, until_s):
        places = [np.array([60.0, 150.0 + 90 * row]) for row in range(len(self.velocities))]
        for t in np.arange(0.0, until_s, 1 / FPS):
            picture, rows = self.road.copy(), []
            for row, (velocity, texture) in enumerate(
                zip(self.velocities, self.textures, strict=True)
            ):
                places[row] = places[row] + np.array(velocity(t)) * SIZE_PX / FPS
                x, y = np.round(places[row]).astype(int)
                picture[y : y + 60, x : x + 60] = texture
                rows.append([x, y, x + 60, y + 60])
            yield t, picture, make(rows, [0.9] * len(rows), [int(Label.CAR)] * len(rows))


def candidates(film, until_s=4.0):
    tracker, glimpses, found = Tracker(), Glimpses(), []
    watch = ImpactWatch(glimpses)
    for t, picture, boxes in film.frames(until_s):
        frame, tracks = Frame(picture, t, 0), tracker.update(boxes, t)
        glimpses.update(frame)
        found += watch.candidates(frame, tracks)
    return found


def test_a_vehicle_whose_motion_breaks_off_in_the_picture_is_judged() -> None:
    found = candidates(Film(crash_at(2.5, before=(1.5, 0.0))))

    assert found
    assert all(abs(jolt.t - 2.5) < 0.3 for _, jolt, told in found if told["change"] > 1.0)
    assert max(told["both_change"] for _, _, told in found) > 1.0
    assert max(told["likeness"] for _, _, told in found) < 0.8
    assert min(told["colours_kept"] for _, _, told in found) > 0.8


def test_a_vehicle_that_drives_on_is_not_judged() -> None:
    assert candidates(Film(lambda t: (1.5, 0.0))) == []


def test_after_a_cut_nothing_of_before_is_remembered() -> None:
    watch, tracker = ImpactWatch(Glimpses()), Tracker()
    for t, picture, boxes in Film(crash_at(2.5)).frames(3.0):
        watch.update(Frame(picture, t, 0), tracker.update(boxes, t))
    watch.reset()

    assert watch.update(Frame(picture, 3.1, 0), tracker.confirmed()) == []


def test_samples_of_vehicles_that_left_are_forgotten() -> None:
    samples, tracker = Samples(), Tracker()
    for t, picture, boxes in Film(crash_at(9.0)).frames(2.0):
        tracks = tracker.update(boxes, t)
        samples.update(Frame(picture, t, 0), tracks)
    samples.update(Frame(picture, 20.0, 0), [])

    with pytest.raises(KeyError):
        samples.of(tracks[0].track_id)


@pytest.mark.parametrize(("start_x", "watched"), [(300, True), (580, False)])
def test_what_is_lost_is_watched_on_unless_it_left_the_picture(start_x: int, watched: bool) -> None:
    samples, tracker = Samples(), Tracker()
    picture = np.full((360, 640, 3), 90, np.uint8)
    for number in range(6):
        x = start_x - 4 * (5 - number)
        boxes = make([[x, 150, x + 60, 210]], [0.9], [int(Label.CAR)])
        samples.update(Frame(picture, number / FPS, number), tracker.update(boxes, number / FPS))

    lost = tracker.update(make([], [], []), 0.75)

    assert [track.seen for track in lost] == [False]
    assert samples.update(Frame(picture, 0.75, 6), lost) == (lost if watched else [])


def seen(observation_of, peak, held=LEAST_HELD, partner_id=None):
    told = told_of(crash_at(3.0))
    place = np.array([10.0, 10.0, 60.0, 60.0])
    impact = Impact(7, partner_id, 3.0, place, Suspicion(held, peak), told)
    return observation_of(impacts=[impact])


@pytest.fixture
def observation_of(traffic):
    from detector.rules.hypothesis import Observation
    from detector.view.usual_stops import Habits

    scene = traffic()
    return lambda **more: Observation(3.5, 1280, 720, [], scene.dwell, Habits(), **more)


def test_a_likely_impact_is_a_collision_from_the_moment_of_the_jolt(observation_of) -> None:
    (one,) = impacts(seen(observation_of, 0.95))

    assert one.type is IncidentType.COLLISION
    assert one.onset_t == 3.0
    assert one.track_ids == {7}
    assert one.evidence["likelihood"] == 0.95


def test_two_that_touched_are_one_incident(observation_of) -> None:
    (one,) = impacts(seen(observation_of, 0.95, partner_id=9))

    assert one.track_ids == {7, 9}


def test_an_unlikely_impact_is_nothing(observation_of) -> None:
    assert impacts(seen(observation_of, LEAST_PEAK - 0.01)) == []
    assert impacts(seen(observation_of, 0.95, held=LEAST_HELD - 0.01)) == []


def test_confidence_rises_with_likelihood_and_stays_a_probability() -> None:
    values = [confidence(likelihood) for likelihood in (0.0, 0.3, 0.6, 0.9, 1.0)]

    assert values == sorted(values)
    assert 0 < values[0] < values[-1] < 1


def judged(*likelihoods, every_s=0.125):
    suspicions = Suspicions()
    for number, likelihood in enumerate(likelihoods):
        latest = suspicions.add(7, number * every_s, likelihood)
    return latest


def test_one_frame_is_not_held_against_a_vehicle() -> None:
    assert judged(0.95).held == 0.0
    assert judged(0.9, 0.95, 0.9).held == 0.0


def test_what_lasts_for_half_a_second_is() -> None:
    assert judged(0.7, 0.9, 0.6, 0.8, 0.7) == Suspicion(held=0.7, peak=0.9)


def test_one_frame_of_doubt_in_five_changes_nothing() -> None:
    assert judged(0.8, 0.8, 0.1, 0.8, 0.8).held == 0.8


def test_the_latest_frame_must_agree() -> None:
    assert judged(0.8, 0.8, 0.8, 0.8, 0.1).held == 0.1


def test_a_vehicle_is_suspected_for_a_while_and_then_forgotten() -> None:
    suspicions = Suspicions()
    suspicions.add(7, 0.0, 0.4)
    suspicions.add(7, 1.0, 0.3)

    suspicions.forget(8.0)
    assert suspicions.greatest == {7: 0.4}
    suspicions.forget(8.5)
    assert suspicions.greatest == {7: 0.3}
    suspicions.forget(9.5)
    assert suspicions.greatest == {}
