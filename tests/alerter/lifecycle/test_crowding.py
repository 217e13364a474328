"""Who makes room in a crowded register: what is over, the slight, and whoever holds too much."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from alerter.ingest.placing import Place
from alerter.lifecycle import register as register_module
from alerter.lifecycle.crowding import Newcomer
from alerter.lifecycle.register import Outcome

from hazardcast.contract.messages import Incident

MOST = 20
TENTH = 2


@pytest.fixture(autouse=True)
def a_small_register(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(register_module, "MAX_EVENTS", MOST)


class Crowd:
    """Reports at places far from each other, a second apart."""

    def __init__(self, desk: Any) -> None:
        self.desk = desk
        self.places = 0

    def sees(self, name: str = "", **fields: Any) -> Outcome:
        self.places += 1
        self.desk.later(1)
        if name:
            fields["event_id"] = f"{name}-{self.places}"
        outcome = self.desk.report(**{"lat": 30 + self.places * 0.1, "lon": 127, **fields})
        assert isinstance(outcome, Outcome), outcome
        return outcome

    def flaps(self, name: str = "", **fields: Any) -> Outcome:
        outcome = self.sees(name, **fields)
        self.desk.alert(status="cancel", event_id=outcome.event.alert.event_id)
        return outcome

    def held(self, source: str) -> int:
        return sum(event.source == source for event in self.desk.register.events)

    def in_force(self) -> set[str]:
        return {alert.event_id for alert in self.desk.register.in_force(self.desk.now)}


@pytest.fixture
def crowd(desk: Any) -> Crowd:
    return Crowd(desk)


def test_a_flapping_source_takes_only_its_own_room_and_everybody_else_is_told(crowd: Crowd) -> None:
    for _ in range(3 * MOST):
        assert crowd.flaps("north", camera="north", severity="critical").action == "new"

    assert crowd.held("camera:north") == TENTH
    assert crowd.sees(type="fire", severity="critical").action == "new"
    assert crowd.sees("south", camera="south").action == "new"


@pytest.mark.parametrize("named", [{}, {"camera": "north"}, {"event_id": "same"}])
def test_whoever_flaps_a_new_accident_is_told_as_one_of_its_own(crowd: Crowd, named: Any) -> None:
    for number in range(3 * MOST):
        name = {**named, "event_id": f"x-{number}"} if "event_id" in named else named
        crowd.flaps(**name, severity="critical")

    outcome = crowd.sees(type="fire", severity="low", road="tunnel")

    assert outcome.action == "new"
    assert outcome.event.alert.road == "tunnel"


def test_no_camera_holds_more_than_its_tenth_in_force(crowd: Crowd) -> None:
    told = [crowd.sees("north", camera="north", severity="critical") for _ in range(MOST)]

    assert [outcome.action for outcome in told[:TENTH]] == ["new"] * TENTH
    assert all(outcome.joined for outcome in told[TENTH:])
    assert crowd.held("camera:north") == TENTH
    assert not crowd.sees("south", camera="south").joined


def test_a_centre_that_forwards_a_city_s_accidents_may_hold_more_while_there_is_room(
    crowd: Crowd,
) -> None:
    told = [crowd.sees("centre") for _ in range(MOST)]

    assert sum(outcome.action == "new" for outcome in told) == MOST // 2
    assert not crowd.sees("south", camera="south").joined


def test_nameless_grave_accidents_have_all_the_room_but_that_of_the_named(crowd: Crowd) -> None:
    told = [crowd.sees(severity="critical") for _ in range(MOST)]

    assert sum(outcome.action == "new" for outcome in told) == MOST - TENTH
    assert not crowd.sees("south", camera="south").joined


def test_nameless_slight_things_share_one_quota_in_need(crowd: Crowd) -> None:
    told = [crowd.sees(severity="low") for _ in range(MOST)]

    assert sum(outcome.action == "new" for outcome in told) == MOST // 2
    assert crowd.sees(severity="critical").action == "new"


def test_in_a_full_register_what_is_over_makes_room_the_slight_before_the_grave(
    crowd: Crowd,
) -> None:
    for number in range(MOST // 2 - 1):
        crowd.sees(f"{chr(97 + number)}x", severity="critical")
    grave = crowd.flaps("grave", severity="critical")
    slight = crowd.flaps("slight", severity="low")
    while len(crowd.desk.register.events) < MOST:
        crowd.sees(f"{chr(97 + crowd.places)}y", severity="low")
    in_force = crowd.in_force()

    first = crowd.sees("new", severity="critical")
    second = crowd.sees("newer", severity="low")

    assert first.gave_way is not None
    assert first.gave_way.alert.event_id == slight.event.alert.event_id
    assert second.gave_way is not None
    assert second.gave_way.alert.event_id == grave.event.alert.event_id
    assert in_force < crowd.in_force(), "nothing in force was given up"


def full(crowd: Crowd) -> None:
    """As many alerts in force as there may be, of as many sources."""
    for number in range(MOST):
        kind = "fire" if number % 2 else "collision"
        assert crowd.sees(f"{chr(97 + number)}z", type=kind, severity="low").action == "new"


def test_where_everything_is_in_force_an_accident_is_told_with_the_nearest_of_its_family(
    crowd: Crowd,
) -> None:
    full(crowd)
    before = crowd.in_force()
    last_fire = crowd.desk.register.events[-1].alert

    outcome = crowd.sees("late", type="fire", severity="critical")

    alert = outcome.event.alert
    assert (outcome.action, outcome.joined) == ("update", True)
    assert alert.event_id == last_fire.event_id
    assert alert.severity == "critical"
    assert alert.awareness_distance_m > 11_000 + 5_000, "whoever is near the new one is told"
    assert crowd.in_force() == before


def test_what_joined_for_want_of_room_keeps_the_alert_going_until_it_is_over_too(
    crowd: Crowd,
) -> None:
    full(crowd)
    crowd.sees(type="fire", severity="critical", event_id="late-1")
    first = crowd.desk.register.events[-1].owner

    assert crowd.desk.action(status="cancel", event_id=first) == "unchanged"
    assert crowd.desk.action(status="cancel", event_id="late-1") == "cancel"


def test_rehearsals_take_no_room_of_the_real_thing_and_none_joins_it(crowd: Crowd) -> None:
    told = [crowd.sees("drill", test=True) for _ in range(MOST)]

    assert crowd.held("test") == TENTH
    assert all(outcome.event.alert.test for outcome in told)
    real = [crowd.sees(f"{chr(97 + n)}r") for n in range(MOST)]
    assert not any(outcome.event.alert.test for outcome in real)


@pytest.mark.parametrize(
    ("fields", "source"),
    [
        ({"camera": "north", "event_id": "x-1"}, "camera:north"),
        ({"event_id": "cam7-1"}, "producer:cam7"),
        ({"event_id": "junction-north-1737930000123"}, "producer:junction-north"),
        ({"event_id": "evt12"}, "producer:evt"),
        ({"event_id": "12345"}, ""),
        ({"event_id": "550e8400-e29b-41d4-a716-446655440000"}, ""),
        ({}, ""),
        ({"camera": "north", "test": True}, "test"),
    ],
)
def test_a_source_is_a_camera_or_else_whoever_counts_ids(fields: Any, source: str) -> None:
    incident = Incident.parse({"type": "fire", **fields})
    assert Newcomer.of(incident, Place(37.0, 127.0)).source == source


def test_every_report_of_a_flood_is_told_or_joined_and_nothing_in_force_goes(
    new_desk: Callable[[], Any],
) -> None:
    crowd = Crowd(new_desk())
    for number in range(20 * MOST):
        before = crowd.in_force()
        name = ("a", "b", "c", "", "")[number % 5]
        outcome = crowd.sees(name, severity=("medium", "critical")[number % 2])
        assert outcome.event.in_force(crowd.desk.now)
        assert before <= crowd.in_force()
        assert len(crowd.desk.register.events) <= MOST
