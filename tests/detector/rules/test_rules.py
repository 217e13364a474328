from __future__ import annotations

import numpy as np
import pytest
from detector.fire.flames import Flame
from detector.rules.blockage import blockages
from detector.rules.collision import collisions
from detector.rules.fire import fires
from detector.rules.hypothesis import Observation
from detector.rules.rollover import rollovers
from detector.view.background_history import Glimpses
from detector.view.learned import View
from detector.view.usual_stops import Habits

from hazardcast.vision.geometry.boxes import Boxes, Label
from hazardcast.vision.pixels.frame import Frame


def observe(scene, t, habits=None, flames=(), likeness=None, suspected=None, glimpses=None):
    tracker = scene.tracker
    scene.dwell.update(t, scene.boxes(t).xyxy, tracker.confirmed())
    for place in scene.dwell.places:
        place.likeness = likeness
    view = View(1280, 720)
    view.learn(tracker.past)
    return Observation(
        t, 1280, 720, tracker.confirmed(), scene.dwell, habits or Habits(), flames, tracker.past,
        view, glimpses=glimpses, suspected=suspected or {},
    )  # fmt: skip


def told(scene, rule, until_s, habits=None, **seen):
    """Every (time, hypothesis) of `rule` over the scene."""
    found = []
    for t in scene.times(until_s):
        scene.tracker.update(scene.boxes(t), t)
        found += [(t, one) for one in rule(observe(scene, t, habits, **seen))]
    return found


def crossing_crash(traffic, driving):
    return (
        traffic()
        .add(driving((100, 400), (120, 0), stop_at_s=4.0, braking_s=0.3))
        .add(driving((640, 40), (0, 92), stop_at_s=4.0, braking_s=0.3))
    )


def test_two_that_meet_and_stop_dead_have_collided(traffic, driving) -> None:
    found = told(crossing_crash(traffic, driving), collisions, 8.0)

    assert found
    first_t, first = found[0]
    assert first_t - 4.0 <= 2.5
    assert abs(first.onset_t - 4.0) <= 0.5
    assert first.confidence >= 0.7
    assert len(first.track_ids) == 2


def glimpsed(*, emptied_until_s: float) -> Glimpses:
    """Eight seconds of a street with something at every place but, until then, in its middle."""
    full = np.random.default_rng(3).integers(0, 255, (90, 160, 3)).repeat(8, 0).repeat(8, 1)
    emptied = full.copy()
    emptied[300:500, 500:780] = np.linspace(90, 120, 280)[None, :, None]
    glimpses = Glimpses()
    for t in np.arange(0.0, 8.1, 0.5):
        picture = emptied if t < emptied_until_s else full
        glimpses.update(Frame(picture.astype(np.uint8), float(t), 0))
    return glimpses


def test_who_stops_where_pixels_show_that_something_stood_already_has_not_collided(
    traffic, driving
) -> None:
    scene = crossing_crash(traffic, driving)

    assert told(scene, collisions, 6.0, glimpses=glimpsed(emptied_until_s=0.0)) == []


def test_who_stops_where_the_road_was_empty_has(traffic, driving) -> None:
    scene = crossing_crash(traffic, driving)

    assert told(scene, collisions, 6.0, glimpses=glimpsed(emptied_until_s=4.0))


def test_passing_each_other_is_no_collision(traffic, driving) -> None:
    scene = traffic().add(driving((100, 400), (160, 0))).add(driving((1000, 420), (-160, 0)))

    assert told(scene, collisions, 6.0) == []


def test_braking_behind_a_queue_is_no_collision(traffic, driving) -> None:
    scene = (
        traffic()
        .add(driving((700, 400), (0, 0)))
        .add(driving((100, 400), (160, 0), stop_at_s=2.0, braking_s=2.6))
        .add(driving((-60, 400), (150, 0), stop_at_s=3.0, braking_s=2.4))
    )

    assert told(scene, collisions, 9.0) == []


def test_a_track_that_jumps_onto_a_parked_car_has_not_crashed(traffic, driving) -> None:
    parked = driving((700, 400), (0, 0))
    passing = driving((100, 405), (150, 0), until_s=3.7)
    scene = traffic().add(parked).add(passing)

    assert told(scene, collisions, 8.0) == []


def test_a_stop_where_everybody_stops_needs_more_to_be_a_collision(traffic, driving) -> None:
    habits = Habits()
    for number in range(4):
        habits.add(1000 + number, -100.0 + number, np.array([600.0, 400.0]), 49.0)

    found = told(crossing_crash(traffic, driving), collisions, 6.5, habits)

    assert found == []


def test_a_stopped_vehicle_that_others_pass_blocks_the_road(traffic, driving) -> None:
    scene = traffic().add(driving((100, 400), (120, 0), stop_at_s=4.0, braking_s=1.5))
    for number in range(4):
        start_s = 5.0 + 2.0 * number
        scene.add(driving((-90 - 170 * start_s + 100, 470), (170, 0)))

    found = told(scene, blockages, 18.0)

    assert found
    assert found[0][0] >= 12.0
    assert abs(found[0][1].onset_t - 5.0) < 1.0


def overtaken(traffic, driving, stalled):
    """A vehicle that stalls, and four that drive past it."""
    scene = traffic().add(stalled)
    for number in range(4):
        start_s = 5.0 + 2.0 * number
        scene.add(driving((-90 - 170 * start_s + 100, 470), (170, 0)))
    return scene


def test_a_parked_car_that_others_pass_blocks_nothing(traffic, driving) -> None:
    jittering = driving((400, 400), (120, 0), stop_at_s=1.5, braking_s=0.5)

    assert told(overtaken(traffic, driving, jittering), blockages, 18.0, likeness=0.95) == []


def test_what_stands_where_the_road_was_empty_blocks_it_though_nobody_saw_it_come(
    traffic, driving
) -> None:
    parked = driving((600, 400), (0, 0))
    seen_late = overtaken(traffic, driving, lambda t: parked(t) if t > 8.0 else None)

    assert told(seen_late, blockages, 20.0) == []
    assert told(seen_late, blockages, 20.0, likeness=0.2)


def test_a_stop_that_the_pixels_do_not_bear_out_is_no_collision(traffic, driving) -> None:
    def alone():
        return traffic().add(driving((100, 400), (160, 0), stop_at_s=3.0, braking_s=0.3))

    assert told(alone(), collisions, 8.0, suspected={1: 0.05}) == []
    assert told(alone(), collisions, 8.0, suspected={1: 0.4})


def test_two_that_cross_and_stop_each_other_need_no_pixels(traffic, driving) -> None:
    unlikely = {1: 0.05, 2: 0.1}

    assert told(crossing_crash(traffic, driving), collisions, 8.0, suspected=unlikely)


def test_a_queue_blocks_nothing(traffic, driving) -> None:
    scene = traffic()
    for number in range(4):
        scene.add(driving((500 - 120 * number, 400), (110, 0), stop_at_s=3.0, braking_s=2.0))
    scene.add(driving((1200, 250), (-150, 0)))  # the other direction flows

    assert told(scene, blockages, 20.0) == []


def test_crossing_traffic_does_not_pass_who_waits(traffic, driving) -> None:
    scene = traffic().add(driving((400, 700), (60, -120), stop_at_s=2.5, braking_s=1.0))
    for number in range(6):
        scene.add(driving((-600 - 300 * number, 330), (170, 0)))

    assert told(scene, blockages, 20.0) == []


def lane(traffic, driving, y, *, stops=(), passing_px=90):
    """Vehicles that stop one after the other, and four that drive past them."""
    scene = traffic()
    for number, x in enumerate(stops):
        scene.add(driving((x, y), (110, 0), stop_at_s=3.0 + number, braking_s=2.0))
    for number in range(4):
        scene.add(driving((-900 - 300 * number, y + passing_px), (170, 0)))
    return scene


def test_of_a_line_only_the_foremost_blocks(traffic, driving) -> None:
    alone = told(lane(traffic, driving, 400, stops=[500]), blockages, 22.0)
    line = told(lane(traffic, driving, 400, stops=[500, 320]), blockages, 22.0)

    assert {number for _, found in alone for number in found.track_ids} == {1}
    assert {number for _, found in line for number in found.track_ids} == {1}


def test_who_waits_beside_another_is_in_a_queue(traffic, driving) -> None:
    scene = lane(traffic, driving, 400, stops=[500])
    scene.add(driving((460, 330), (110, 0), stop_at_s=3.5, braking_s=2.0))

    assert told(scene, blockages, 22.0) == []


def test_two_abreast_block_the_road_once_no_signal_can_hold_them(traffic, driving) -> None:
    scene = traffic(fps=4.0)
    for x, y in ((500, 400), (460, 330)):
        scene.add(driving((x, y), (110, 0), stop_at_s=3.0, braking_s=2.0))

    found = told(scene, blockages, 112.0)

    assert {number for _, one in found for number in one.track_ids} == {1, 2}
    assert found[0][0] >= 100.0


def test_what_the_pictures_edge_cuts_off_is_not_judged(traffic, driving) -> None:
    def with_foot_at(y):
        scene = lane(traffic, driving, 600, stops=[500], passing_px=-90)
        whole = scene.boxes
        scene.boxes = lambda t: shifted(whole(t), y - 600)
        return scene

    assert told(with_foot_at(700), blockages, 22.0)
    assert told(with_foot_at(725), blockages, 22.0) == []


def shifted(found, down_px):
    """The same boxes further down, cut to a picture of 720 rows."""
    moved = found.xyxy + np.array([0, down_px, 0, down_px], np.float32)
    return Boxes(
        np.minimum(moved, np.array([1e4, 720, 1e4, 720], np.float32)), found.scores, found.labels
    )


def test_a_queue_that_sets_off_passes_nobody(traffic, driving) -> None:
    def waits(start_x, y, until_s):
        arrives = driving((start_x, y), (110, 0), stop_at_s=3.0, braking_s=1.0)

        def path(t):
            x, y = arrives(min(t, until_s))
            return x + max(0.0, t - until_s) * 110, y

        return path

    scene = traffic()
    for place in range(3):
        scene.add(waits(500 - 120 * place, 400, 16.0 + place))
        scene.add(waits(500 - 120 * place, 460, 15.0 + place))

    assert told(scene, blockages, 22.0) == []


def test_a_car_that_was_always_parked_blocks_nothing(traffic, driving) -> None:
    scene = traffic().add(driving((600, 400), (0, 0)))
    for number in range(4):
        scene.add(driving((-100 - 300 * number, 470), (170, 0)))

    assert told(scene, blockages, 18.0) == []


def tipping(traffic, driving, *, slowly=False):
    scene = traffic(width=120, height=80)
    scene.add(driving((100, 400), (220, 0), stop_at_s=4.0, braking_s=0.5))
    plain = scene.boxes

    def boxes(t):
        found = plain(t)
        share = np.clip((t - (1.0 if slowly else 4.0)) / (4.0 if slowly else 0.3), 0, 1)
        width, height = 120 - 44 * share, 80 + 40 * share
        for row in found.xyxy:
            x, y = (row[0] + row[2]) / 2, row[3]
            row[:] = [x - width / 2, y - height, x + width / 2, y]
        return found

    scene.boxes = boxes
    return scene


def test_an_outline_that_flips_in_a_crash_is_a_rollover(traffic, driving) -> None:
    found = told(tipping(traffic, driving), rollovers, 7.0)

    assert found
    assert abs(found[0][1].onset_t - 4.0) < 0.8


def test_an_outline_that_changes_in_a_turn_is_none(traffic, driving) -> None:
    assert told(tipping(traffic, driving, slowly=True), rollovers, 8.0) == []


def flame(x: float, y: float, **changes) -> Flame:
    box = np.array([x, y, x + 30, y + 30])
    known = {"since_t": 1.0, "share": 0.001, "presence": 0.8, "activity": 0.7}
    return Flame(box, **{**known, **changes})


def test_a_flame_is_a_fire_unless_a_passing_vehicle_explains_it(traffic, driving) -> None:
    scene = traffic().add(driving((100, 400), (120, 0)))
    scene.run(3.0)

    burning = fires(observe(scene, 3.0, flames=(flame(900, 100),)))
    lamp = fires(observe(scene, 3.0, flames=(flame(440, 365),)))

    assert [one.opens for one in burning] == [True]
    assert burning[0].onset_t == 1.0
    assert [one.opens for one in lamp] == [False]


def test_a_burning_vehicle_that_stands_does_not_explain_its_flames(traffic, driving) -> None:
    scene = traffic().add(driving((100, 400), (120, 0), stop_at_s=2.0))
    scene.run(6.0)

    assert fires(observe(scene, 6.0, flames=(flame(325, 365),)))[0].opens


@pytest.mark.parametrize(
    "weak",
    [{"presence": 0.5}, {"activity": 0.02}, {"mass": 0.3}, {"since_t": 2.9}]
    + [{"kind": "smoke", **few} for few in ({"mass": 5.0}, {"mass": 40.0, "since_t": 1.5})],
)
def test_what_hardly_burns_keeps_an_incident_but_opens_none(traffic, weak) -> None:
    seen = fires(observe(traffic(), 3.0, flames=(flame(900, 100, **weak),)))

    assert [one.opens for one in seen] == [False]


def test_tongues_of_one_fire_are_one_hypothesis(traffic) -> None:
    tongues = flame(900, 100), flame(950, 100), flame(200, 600)

    seen = fires(observe(traffic(), 3.0, flames=tongues))

    assert sorted(one.place.tolist() for one in seen) == [
        [200, 600, 230, 630], [900, 100, 980, 130],
    ]  # fmt: skip


def test_people_do_not_collide(traffic, driving) -> None:
    scene = crossing_crash(traffic, driving)
    scene.vehicles = [(path, Label.PERSON) for path, _ in scene.vehicles]

    assert told(scene, collisions, 8.0) == []
