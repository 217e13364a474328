from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from alerter.ingest.refusal import Refusal
from alerter.lifecycle.events import MAX_WORDS, Event
from alerter.lifecycle.register import Register
from hypothesis import given, settings
from hypothesis import strategies as st

from hazardcast.contract.geo import distance_m
from hazardcast.contract.messages import Alert

HERE = {"lat": 37.12345, "lon": 127.12345}
METRE_LAT = 1 / 111_195


def shift(metres: float) -> dict[str, float]:
    return {"lat": 37.12345 + metres * METRE_LAT, "lon": 127.12345}


def test_event_ids_count_up_and_name_the_station(desk: Any) -> None:
    ids = [desk.alert(lat=30 + i, lon=127).event_id for i in range(3)]
    assert ids == ["4097-1", "4097-2", "4097-3"]


def test_a_report_joins_the_nearest_of_two_events(desk: Any) -> None:
    desk.alert(**shift(0))
    desk.alert(**shift(80))
    assert desk.alert(**shift(49)).event_id == "4097-2"
    assert desk.alert(**shift(30)).event_id == "4097-1"


def test_a_report_dated_soon_after_the_onset_joins_even_when_it_comes_late(desk: Any) -> None:
    start = desk.now
    desk.alert(**HERE)
    for _ in range(3):
        desk.later(15)
        desk.alert(**HERE)
    assert desk.alert(**HERE, ts=start + 2).event_id == "4097-1"


def test_a_third_witness_may_cancel_only_its_own_view(desk: Any) -> None:
    for name in ("a", "b", "c"):
        desk.alert(**HERE, event_id=name)
    assert desk.action(status="cancel", event_id="b") == "unchanged"
    assert desk.action(**HERE, status="update", event_id="b") == "unchanged"
    assert [desk.action(status="cancel", event_id=name) for name in ("a", "c")] == ["unchanged"] * 2
    assert desk.action(status="cancel", event_id="b") == "cancel"


def test_a_witness_cannot_play_down_what_the_owner_reported(desk: Any) -> None:
    desk.alert(**HERE, event_id="a", severity="critical")
    desk.alert(**HERE, event_id="b", severity="low")
    assert desk.alert(status="update", event_id="b", severity="low").severity == "critical"
    assert desk.alert(status="update", event_id="a", severity="low").severity == "low"


def test_a_correction_of_a_metre_is_no_news_and_of_ten_is(desk: Any) -> None:
    desk.alert(**shift(0), event_id="a")
    assert desk.action(**shift(1), status="update", event_id="a") == "unchanged"
    assert desk.action(**shift(10), status="update", event_id="a") == "update"


def test_a_restored_register_knows_its_events_and_their_aliases(desk: Any) -> None:
    desk.alert(**HERE, event_id="cam-1")
    desk.register = Register(station=4097, next_number=lambda: 33, events=desk.register.events)
    assert desk.alert(status="cancel", event_id="cam-1").event_id == "4097-1"


def test_a_cancel_older_than_its_reporter_s_last_word_belongs_to_an_earlier_event(
    desk: Any,
) -> None:
    desk.alert(**HERE, event_id="cam7-1")

    assert desk.action(status="cancel", event_id="cam7-1", ts=desk.now - 3 * 86_400) == "stale"
    assert desk.action(status="cancel", event_id="4097-1", ts=desk.now - 1) == "stale"
    assert desk.alert(**HERE).event_id == "4097-1", "still in force"


def test_a_cancel_of_the_same_time_as_its_reporter_s_last_word_ends_the_event(desk: Any) -> None:
    """As detectors date everything by the onset."""
    onset = desk.now
    desk.alert(**HERE, event_id="cam7-1")
    desk.later(40)

    assert desk.action(status="cancel", event_id="cam7-1", ts=onset) == "cancel"


def test_a_cancel_that_an_update_overtook_is_refused(desk: Any) -> None:
    onset = desk.now
    desk.alert(**HERE, event_id="a")
    desk.later(20)
    desk.alert(**HERE, event_id="a", status="update", severity="critical")

    assert desk.action(status="cancel", event_id="a", ts=onset + 10) == "stale"
    assert desk.action(status="cancel", event_id="a") == "cancel"


def test_a_producer_whose_clock_is_ahead_can_still_cancel(desk: Any) -> None:
    desk.alert(**HERE, event_id="a", ts=desk.now + 4)
    desk.later(1)

    assert desk.action(status="cancel", event_id="a") == "cancel"


def test_a_correction_that_a_later_one_overtook_plays_nothing_down(desk: Any) -> None:
    onset = desk.now
    desk.alert(**HERE, event_id="a", severity="high")
    desk.later(20)
    desk.alert(**HERE, event_id="a", status="update", severity="critical")

    late = desk.alert(**HERE, event_id="a", status="update", severity="low", ts=onset + 10)

    assert late.severity == "critical"


def test_a_cancel_that_names_another_camera_than_the_reporter_s_ends_nothing(desk: Any) -> None:
    desk.alert(camera="north", event_id="north-1")
    desk.alert(**HERE, camera="south", event_id="south-1")

    assert desk.action(status="cancel", event_id="north-1", camera="south") == "unchanged"
    assert desk.action(status="cancel", event_id="4097-1", camera="south") == "unchanged"
    assert desk.action(status="cancel", event_id="south-1", camera="south") == "unchanged"
    assert desk.action(status="cancel", event_id="north-1", camera="north") == "cancel"


def test_what_somebody_without_a_name_reported_too_outlives_a_camera_s_cancel(desk: Any) -> None:
    desk.alert(camera="north", event_id="north-1")
    desk.alert(**HERE)

    assert desk.action(status="cancel", event_id="north-1", camera="north") == "unchanged"
    assert desk.action(status="cancel", event_id="4097-1") == "cancel", "a person's word"


def test_a_retained_report_is_news_once(desk: Any) -> None:
    said = {**HERE, "event_id": "cam-1", "ts": desk.now}
    assert desk.action(**said, retained=True) == "new"
    assert desk.action(**said, retained=True) == "retained", "the link has blinked"
    desk.alert(event_id="cam-1", status="update", severity="critical")
    assert desk.action(**said, severity="low", status="update", retained=True) == "retained"
    desk.later(5)
    desk.alert(event_id="cam-1", status="cancel")
    assert desk.action(**said, retained=True) == "retained"


def test_a_retained_report_without_an_id_does_not_revive_what_has_ended_since(desk: Any) -> None:
    said = {**HERE, "ts": desk.now}
    assert desk.action(**said, retained=True) == "new"
    assert desk.action(**said, retained=True) == "unchanged"
    desk.later(5)
    desk.alert(event_id="4097-1", status="cancel")

    assert desk.action(**said, retained=True) == "retained"
    assert desk.action(**HERE) == "new", "what is seen now is news"


def test_of_too_many_reporters_of_one_event_those_who_are_done_are_forgotten_first(
    desk: Any,
) -> None:
    desk.alert(**HERE, event_id="first", camera="south")
    for number in range(MAX_WORDS + 20):
        desk.later(0.1)
        desk.alert(**HERE, event_id=f"flap-{number}")
        desk.action(status="cancel", event_id=f"flap-{number}")

    event = desk.register.events[0]
    assert len(event.words) == MAX_WORDS
    assert event.open_reports == {"first"}
    assert desk.action(status="cancel", event_id="first", camera="south") == "cancel"


def test_a_source_with_many_reports_of_one_event_pushes_nobody_else_out(desk: Any) -> None:
    desk.alert(**HERE, event_id="first", camera="south")
    for number in range(2 * MAX_WORDS):
        desk.later(0.1)
        desk.alert(**HERE, event_id=f"flap-{number}")

    event = desk.register.events[0]
    assert len(event.words) == MAX_WORDS
    assert "first" in event.open_reports
    assert desk.action(status="cancel", event_id="flap-0") == "unknown_event", "forgotten"
    desk.register = Register(station=4097, next_number=lambda: 33, events=[event])
    assert desk.alert(**HERE, event_id="first").event_id == "4097-1"


INCIDENTS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["collision", "rollover", "fire", "blockage", "meteor"]),
        "status": st.sampled_from(["new", "new", "update", "cancel"]),
        "metres": st.integers(0, 200),
    },
    optional={
        "severity": st.sampled_from(["low", "medium", "high", "critical"]),
        "confidence": st.floats(0, 1),
        "camera": st.sampled_from(["north", "south", "bare", "elsewhere"]),
        "event_id": st.sampled_from(["a", "b", "c", "4097-1", "4097-2", "4097-99"]),
        "test": st.booleans(),
        "clip_hint": st.booleans(),
        "age_s": st.floats(-4, 59),
    },
)  # fmt: skip
STEPS = st.lists(st.tuples(INCIDENTS, st.floats(-5, 400)), max_size=25)


def play(desk: Any, steps: list[tuple[dict[str, Any], float]]) -> list[tuple[str, Event]]:
    """Report each incident after its pause; returns what was led to."""
    led_to = []
    for drawn, pause in steps:
        desk.later(pause)
        desk.expire()
        incident = {**drawn, **shift(drawn["metres"]), "ts": desk.now - drawn.get("age_s", 0)}
        outcome = desk.report(**incident)
        if not isinstance(outcome, Refusal):
            led_to.append((outcome.action, outcome.event))
    return led_to


@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_versions_of_an_event_only_ever_grow(new_desk: Callable[[], Any], steps: Any) -> None:
    newest: dict[str, Alert] = {}
    for action, event in play(new_desk(), steps):
        alert, before = event.alert, newest.get(event.alert.event_id)
        newest[alert.event_id] = alert
        if action == "unchanged":
            assert alert == before
        elif action == "new":
            assert before is None
            assert (alert.revision, alert.status) == (0, "new")
        else:
            assert before is not None
            assert not before.terminated
            assert alert.revision == before.revision + 1
            assert alert.reference_time > before.reference_time
            assert (alert.detection_time, alert.ts) == (before.detection_time, before.ts)


@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_every_version_is_a_valid_alert(new_desk: Callable[[], Any], steps: Any) -> None:
    for _, event in play(new_desk(), steps):
        assert Alert.decode(event.alert.encode()) == event.alert
        assert (event.alert.lat, event.alert.lon) != (0.0, 0.0)


@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_saying_everything_twice_changes_nothing(new_desk: Callable[[], Any], steps: Any) -> None:
    desk = new_desk()
    for drawn, pause in steps:
        desk.later(pause)
        desk.expire()
        incident = {**drawn, **shift(drawn["metres"]), "ts": desk.now - drawn.get("age_s", 0)}
        desk.report(**incident)
        before = [event.alert for event in desk.register.events]
        again = desk.report(**incident)
        assert isinstance(again, Refusal) or again.action == "unchanged"
        assert [event.alert for event in desk.register.events] == before


@settings(max_examples=100, deadline=None)
@given(steps=STEPS)
def test_fresh_events_of_a_family_are_never_close(new_desk: Callable[[], Any], steps: Any) -> None:
    """Two alerts that opened within 30 s and 50 m of each other would be one accident told twice."""
    opened: list[Alert] = []
    for action, event in play(new_desk(), [(d | {"status": "new"}, p) for d, p in steps]):
        alert = event.alert
        if action == "new":
            near = [
                other
                for other in opened
                if (other.cause_code, other.test) == (alert.cause_code, alert.test)
                and abs(other.detection_time - alert.detection_time) <= 30
                and distance_m(other.lat, other.lon, alert.lat, alert.lon) <= 49.9
            ]
            assert not near
            opened.append(alert)


@settings(max_examples=100, deadline=None)
@given(steps=STEPS, later_s=st.floats(0, 5000))
def test_nothing_is_held_past_its_validity(
    new_desk: Callable[[], Any], steps: Any, later_s: float
) -> None:
    desk = new_desk()
    play(desk, steps)
    desk.later(later_s)
    desk.expire()
    assert all(desk.now < event.alert.valid_until for event in desk.register.events)


def test_a_camera_s_view_tells_nothing_of_the_traffic(desk: Any) -> None:
    """It may look along the traffic, against it or across: a guess would leave the wrong ones unwarned."""
    alert = desk.report(camera="north").event.alert

    assert alert.traffic_direction == 0
    assert alert.event_heading_deg is None


def test_where_the_site_says_which_way_all_traffic_goes_only_that_way_is_warned(desk: Any) -> None:
    north = desk.config.cameras["north"].model_copy(update={"traffic_heading_deg": 90.0})
    desk.config = desk.config.model_copy(update={"cameras": {"north": north}})

    collision = desk.report(camera="north").event.alert
    fire = desk.report(camera="north", type="fire").event.alert

    assert (collision.traffic_direction, collision.event_heading_deg) == (1, 90.0)
    assert fire.traffic_direction == 0


@pytest.mark.parametrize("name", ["cam7", "4097-1"])
def test_a_rehearsal_neither_changes_nor_ends_the_real_thing(desk: Any, name: str) -> None:
    desk.alert(event_id="cam7", severity="critical")
    desk.later(5)

    for status in ("update", "cancel"):
        refusal = desk.report(event_id=name, status=status, severity="low", test=True)
        assert str(refusal) == f"test: '{name}' is no rehearsal"
    assert [alert.severity for alert in desk.register.in_force(desk.now)] == ["critical"]
    assert desk.action(event_id=name, status="cancel") == "cancel"


def test_a_rehearsal_ends_by_its_own_word_with_the_mark_or_without(desk: Any) -> None:
    for mark in ({"test": True}, {}):
        desk.later(1)
        desk.alert(event_id="drill", test=True)
        assert desk.action(event_id="drill", status="cancel", **mark) == "cancel"


def test_who_says_new_every_minute_under_one_id_sees_one_event_and_can_end_it(desk: Any) -> None:
    first = desk.alert(event_id="a", lat=37.1, lon=127.0)
    for _ in range(10):
        desk.later(60)
        assert desk.alert(event_id="a", lat=37.1, lon=127.0).event_id == first.event_id
    assert desk.action(event_id="a", status="cancel") == "cancel"
    assert desk.register.in_force(desk.now) == []
