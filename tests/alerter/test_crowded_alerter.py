"""A full register as its reporters, vehicles, the clipper and the broker see it."""

from __future__ import annotations

from typing import Any

import pytest
from alerter.lifecycle import register as register_module

from hazardcast.contract.topics import ACTIVE, CLIP_REQUESTS

MOST = 20


@pytest.fixture(autouse=True)
def a_small_register(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(register_module, "MAX_EVENTS", MOST)


def far(number: int) -> dict[str, float]:
    return {"lat": 30 + number * 0.1, "lon": 127.0}


def test_five_hundred_crashes_and_cancels_of_one_camera_silence_nobody(station: Any) -> None:
    for number in range(500):
        flap = {"event_id": f"north-{number}", "camera": "north"}
        station.hears(**flap, severity="critical")
        station.passes(0.03)
        station.hears(**flap, status="cancel")
        station.passes(0.03)
    assert station.ids() == []

    fire = station.hears(type="fire", severity="critical", road="tunnel", **far(1))
    crash = station.hears(severity="critical", road="bridge", **far(2))

    assert (fire.action, crash.action) == ("new", "new")
    assert {alert.road for alert in station.alerter.alerts()} == {"tunnel", "bridge"}
    assert len(station.air.until) <= MOST + 2, "the air carries no more than the register"


def test_what_was_forgotten_for_want_of_room_does_not_come_back_after_a_restart(
    station: Any,
) -> None:
    for number in range(3 * MOST):
        flap = {"event_id": f"north-{number}", "camera": "north"}
        station.hears(**flap)
        station.hears(**flap, status="cancel")
    held = {event.alert.event_id for event in station.register.events}
    station.start()

    assert {event.alert.event_id for event in station.register.events} == held


def test_an_accident_that_joins_the_nearest_is_told_to_vehicles_and_its_reporter_and_filmed(
    station: Any,
) -> None:
    for number in range(MOST):
        station.hears(event_id=f"{chr(97 + number)}x", severity="low", **far(number))
    nearest = station.ids()[-1]

    answer = station.answers(camera="north", event_id="late-1", severity="critical", **far(MOST))

    assert (answer.outcome.action, answer.outcome.joined) == ("update", True)
    assert [str(warning.used) for warning in answer.warnings] == [nearest]
    assert station.air.said[-1].event_id == nearest
    assert station.air.said[-1].severity == "critical"
    assert station.broker.messages(ACTIVE)[-1].event_id == nearest
    asked = [r.camera for r in station.broker.messages(CLIP_REQUESTS) if r.event_id == nearest]
    assert asked[-1] == "north"
