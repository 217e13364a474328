"""A clip that was asked for is asked for again where the request may have been lost on its way."""

from __future__ import annotations

from typing import Any

from hazardcast.contract.topics import CLIP_REQUESTS


def asked(station: Any) -> list[tuple[str, float]]:
    return [(one.event_id, one.ts) for one in station.broker.messages(CLIP_REQUESTS)]


def test_a_broker_that_comes_back_is_asked_again(station: Any) -> None:
    station.alerter.listen()
    station.hears(event_id="a", camera="north")
    first = asked(station)

    station.bus.start()

    assert asked(station) == first * 2


def test_what_is_over_is_asked_for_by_the_next_process_too(station: Any) -> None:
    """The one before may have died with the request in its outbox."""
    station.hears(event_id="a", camera="north")
    station.hears(event_id="a", status="cancel")
    first = asked(station)

    station.start()

    assert len(first) == 1
    assert asked(station) == first * 2


def test_what_is_forgotten_is_asked_for_no_more(station: Any) -> None:
    station.alerter.listen()
    station.hears(event_id="a", camera="north", severity="low")
    station.passes(301)
    first = asked(station)

    station.bus.start()

    assert asked(station) == first
