"""QoS 1 delivers twice, and a broker that was killed goes back to what it knew seconds before."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hazardcast.contract.topics import INCIDENTS

HERE = {"lat": 37.1, "lon": 127.0}


@pytest.fixture
def broker(station: Any) -> Any:
    station.alerter.listen()

    def deliver(*, again: bool = False, **incident: Any) -> None:
        payload = json.dumps({"type": "collision", **incident}).encode()
        station.bus.receive(INCIDENTS.path(), payload, retained=False, again=again)

    return deliver


def told(station: Any) -> list[tuple[str, str]]:
    return [(alert.event_id, alert.status) for alert in station.air.said]


def test_what_has_ended_does_not_begin_anew_when_it_is_delivered_again(
    station: Any, broker: Any
) -> None:
    broker(event_id="a", **HERE)
    station.passes(1)
    broker(event_id="a", status="cancel")
    station.passes(1)
    before = told(station)

    for status in ("new", "update", "cancel"):
        broker(event_id="a", status=status, again=True, **HERE)

    assert told(station) == before == [("4097-1", "new"), ("4097-1", "cancel")]


def test_what_was_never_taken_is_told_though_it_is_delivered_again(
    station: Any, broker: Any
) -> None:
    """The first time may have been lost with the connection."""
    broker(event_id="a", again=True, **HERE)

    assert told(station) == [("4097-1", "new")]


def test_an_accident_since_then_is_told_though_it_is_delivered_again(
    station: Any, broker: Any
) -> None:
    """Its camera has one name for all; the first delivery was lost with the connection."""
    broker(event_id="a", **HERE)
    station.passes(1)
    broker(event_id="a", status="cancel")
    ended = station.clock.now()
    station.passes(20)

    broker(event_id="a", ts=ended, again=True, **HERE)
    broker(event_id="a", ts=ended + 60, again=True, **HERE)  # of no use: counts as just now
    assert told(station)[-1] == ("4097-1", "cancel")
    broker(event_id="a", ts=ended + 15, again=True, **HERE)
    assert told(station)[-1] == ("4097-2", "new")


def test_a_reporter_may_use_its_name_again_for_a_new_accident(station: Any, broker: Any) -> None:
    broker(event_id="a", **HERE)
    station.passes(1)
    broker(event_id="a", status="cancel")
    station.passes(1)
    broker(event_id="a", **HERE)

    assert told(station)[-1] == ("4097-2", "new")


def test_what_ended_and_had_to_make_room_is_still_known_to_have_ended(
    station: Any, broker: Any
) -> None:
    """A flapping source may have no more than its share, and the broker goes back by seconds."""
    for number in range(60):
        place = {"lat": 37 + number * 0.01, "lon": 127.0, "camera": "north"}
        broker(event_id=f"cam-{number}", **place)
        station.passes(0.5)
        broker(event_id=f"cam-{number}", status="cancel")
    before = told(station)
    assert len(station.register.events) < 60, "some had to make room"

    broker(event_id="cam-0", lat=37.0, lon=127.0, camera="north", again=True)

    assert told(station) == before


def test_an_end_is_told_once_more_after_a_restart_to_who_missed_it(station: Any) -> None:
    event_id = station.hears(event_id="north-1", camera="north").event.alert.event_id
    station.hears(event_id="north-1", camera="north", status="cancel")
    station.passes(120.0)
    station.start()

    assert [(told.event_id, told.status) for told in station.air.said] == [(event_id, "cancel")]
    assert station.air.until[event_id] - station.clock.monotonic() == pytest.approx(10.0)


def test_a_name_of_yesterday_may_tell_of_a_new_accident_though_it_is_delivered_again(
    station: Any, broker: Any
) -> None:
    broker(event_id="a", **HERE)
    broker(event_id="a", status="cancel")
    station.passes(86_400.0)
    broker(event_id="a", ts=station.clock.now() - 2, again=True, **HERE)
    assert told(station)[-1] == ("4097-2", "new")


def test_what_an_accident_of_yesterday_said_is_not_told_when_it_is_delivered_again(
    station: Any, broker: Any
) -> None:
    broker(event_id="a", **HERE)
    broker(event_id="a", status="cancel")
    station.passes(86_400.0)
    broker(event_id="a", again=True, **HERE)
    assert told(station)[-1] == ("4097-1", "cancel")
