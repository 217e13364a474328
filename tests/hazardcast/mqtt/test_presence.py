from __future__ import annotations

import pytest

from hazardcast.contract.messages import CameraStatus, ServiceStatus
from hazardcast.contract.topics import STATUS
from hazardcast.contract.vocabulary import ServiceState
from hazardcast.mqtt.presence import AT_LEAST_S, CHANGED_S, Name, Presence, Word
from hazardcast.testing import ManualClock, MemoryBroker, MemoryBus

NAME = Name("recorder", "r1")


def cameras(state: str, last_frame_at: float = 1.0) -> Word:
    return Word((CameraStatus(camera="one", state=state, last_frame_at=last_frame_at),))


@pytest.fixture
def bus(broker: MemoryBroker, clock: ManualClock) -> MemoryBus:
    return broker.bus(clock)


@pytest.fixture
def presence(bus: MemoryBus, clock: ManualClock) -> Presence:
    return Presence(NAME, bus, clock)


def said(broker: MemoryBroker) -> list[ServiceStatus]:
    return broker.messages(STATUS)


def test_a_changed_camera_is_said_at_once_its_freshness_a_little_later(
    presence: Presence, broker: MemoryBroker, clock: ManualClock
) -> None:
    presence.look(cameras("connecting"))
    presence.look(cameras("live"))
    assert [word.cameras[0].state for word in said(broker)] == ["connecting", "live"]

    clock.advance(CHANGED_S - 0.1)
    presence.look(cameras("live", 2.0))
    assert len(said(broker)) == 2
    clock.advance(0.1)
    presence.look(cameras("live", 2.0))
    assert said(broker)[2:] == [NAME.status(ServiceState.ONLINE, clock.now(), cameras("live", 2.0))]


def test_a_camera_that_comes_or_goes_is_said_at_once(
    presence: Presence, broker: MemoryBroker
) -> None:
    presence.look(cameras("live"))
    presence.look(Word())
    presence.look(cameras("live"))

    assert [len(word.cameras) for word in said(broker)] == [1, 0, 1]


def test_a_count_that_changes_is_said_a_little_later(
    presence: Presence, broker: MemoryBroker, clock: ManualClock
) -> None:
    for jobs in range(20):
        presence.look(Word(detail={"jobs": jobs}))
        clock.advance(1.0)

    assert [word.detail.get("jobs") for word in said(broker)] == [0, 5, 10, 15]


def test_what_does_not_change_is_said_now_and_then(
    presence: Presence, broker: MemoryBroker, clock: ManualClock
) -> None:
    for _ in range(2 * int(AT_LEAST_S) + 1):
        presence.look(cameras("live"))
        clock.advance(1.0)

    assert len(said(broker)) == 3


def test_it_is_said_anew_after_every_connection(
    presence: Presence, bus: MemoryBus, broker: MemoryBroker
) -> None:
    """The broker's last word may be the last will, or none at all."""
    presence.look(cameras("live"))
    bus.start()
    presence.look(cameras("live"))
    presence.look(cameras("live"))

    assert [word.state for word in said(broker)] == ["online", "online"]


def test_nothing_piles_up_while_the_broker_is_away(
    presence: Presence, bus: MemoryBus, broker: MemoryBroker, clock: ManualClock
) -> None:
    bus.connected = False
    for _ in range(100):
        presence.look(cameras("live"))
        clock.advance(60)

    assert said(broker) == []


def test_the_last_words_are_short(presence: Presence, broker: MemoryBroker) -> None:
    presence.look(cameras("live"))
    presence.stopped()

    assert NAME.last_will(7.0) == NAME.status(ServiceState.OFFLINE, 7.0)
    assert [(word.state, len(word.cameras)) for word in said(broker)] == [
        ("online", 1), ("stopped", 0),
    ]  # fmt: skip
