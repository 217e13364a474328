"""What is retained at the broker is the newest version, however many versions there were."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from alerter.lifecycle.active_topics import AT_ONCE_BURST, CATCH_UP_S, ActiveTopics
from alerter.lifecycle.register import Register

from hazardcast.contract.messages import Alert
from hazardcast.contract.topics import ACTIVE
from hazardcast.machine.steady import Steady
from hazardcast.testing import ManualClock, MemoryBroker


class Desk:
    """Topics on a broker in memory, and somebody who listens."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        broker = MemoryBroker()
        register = Register(station=4097, next_number=itertools.count(1).__next__)
        self.topics = ActiveTopics(
            broker.bus(), station=4097, register=register, clock=self.clock,
            steady=Steady(self.clock),
        )  # fmt: skip
        self.heard: list[Alert] = []
        self.cleared: list[str] = []
        broker.bus().subscribe(
            ACTIVE,
            lambda alert, _delivery: self.heard.append(alert),
            cleared=lambda delivery: self.cleared.append(delivery.parameters["event_id"]),
        )


@pytest.fixture
def at_broker() -> Desk:
    return Desk()


def versions(alert: Alert, count: int) -> list[Alert]:
    return [
        alert.model_copy(update={"status": "update", "revision": number}) for number in range(count)
    ]


def test_at_an_ordinary_pace_every_version_is_said_at_once(at_broker: Any, alert: Alert) -> None:
    for version in versions(alert, 20):
        at_broker.topics.say(version)
    assert [heard.revision for heard in at_broker.heard] == list(range(20))


def test_in_a_storm_the_newest_version_is_said_once_it_can_be(at_broker: Any, alert: Alert) -> None:
    storm = versions(alert, int(AT_ONCE_BURST) + 300)
    for version in storm:
        at_broker.topics.say(version)
    assert len(at_broker.heard) == AT_ONCE_BURST
    at_broker.clock.advance(CATCH_UP_S)
    at_broker.topics.catch_up()
    assert len(at_broker.heard) == AT_ONCE_BURST + 1
    assert at_broker.heard[-1] == storm[-1]
    at_broker.clock.advance(CATCH_UP_S)
    at_broker.topics.catch_up()
    assert len(at_broker.heard) == AT_ONCE_BURST + 1


def test_an_end_in_a_storm_is_said_at_once_and_nothing_comes_after_it(
    at_broker: Any, alert: Alert
) -> None:
    for version in versions(alert, int(AT_ONCE_BURST) + 300):
        at_broker.topics.say(version)
    at_broker.topics.say(alert.model_copy(update={"status": "cancel", "revision": 9999}))
    at_broker.clock.advance(CATCH_UP_S)
    at_broker.topics.catch_up()
    assert at_broker.heard[-1].revision == 9999
    assert at_broker.cleared == [alert.event_id]
