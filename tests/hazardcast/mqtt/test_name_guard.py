"""An identity that is given twice is noticed by both, and neither hides or throws out the other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hazardcast.contract.messages import Incident, ServiceStatus
from hazardcast.contract.topics import INCIDENTS, STATUS
from hazardcast.machine.clock import SystemClock
from hazardcast.mqtt import name_guard
from hazardcast.mqtt.bus import MqttBus
from hazardcast.mqtt.name_guard import NameGuard
from hazardcast.testing import ManualClock, eventually


def word(state: str = "online", boot: str | None = None, service: str = "alerter") -> ServiceStatus:
    detail = {"boot": boot} if boot else {}
    fields = {"service": service, "instance": "one", "state": state, "version": "0", "ts": 1.0}
    return ServiceStatus.parse({**fields, "detail": detail})


@pytest.fixture
def guard(clock: ManualClock) -> NameGuard:
    guard = NameGuard(word("offline"), "mine", clock)
    guard.connected()
    clock.advance(60)
    return guard


def hear(guard: NameGuard, one: ServiceStatus, *, retained: bool = False) -> bool:
    return guard.hear(one, retained=retained, say=lambda _: None) is not None


def facts(guard: NameGuard) -> dict[str, object]:
    return guard.signed(word()).detail.model_dump(exclude_defaults=True)


def test_a_word_of_another_process_of_our_name_is_told_once(
    guard: NameGuard, caplog: pytest.LogCaptureFixture
) -> None:
    assert not hear(guard, word(boot="other")), "it may be the last word of a process that ends"
    assert hear(guard, word(boot="other"))
    assert hear(guard, word(boot="other"))

    (line,) = caplog.records
    assert line.levelno == logging.ERROR
    assert line.getMessage().startswith("the name one is given twice: another alerter")
    assert line.change == "HAZARDCAST_INSTANCE"  # type: ignore[attr-defined]


def test_our_status_says_that_the_name_is_given_twice_while_it_is(
    guard: NameGuard, clock: ManualClock
) -> None:
    assert facts(guard) == {"boot": "mine"}
    for _ in range(2):
        hear(guard, word(boot="other"))

    assert facts(guard) == {"boot": "mine", "name_given_twice": True}
    clock.advance(name_guard.REMEMBERED_S)
    assert facts(guard) == {"boot": "mine"}


def test_what_proves_no_living_twin_is_no_alarm(clock: ManualClock) -> None:
    fresh = NameGuard(word("offline"), "mine", clock)
    fresh.connected()

    assert not hear(fresh, word(boot="before us"), retained=True), "of whoever had the name before"
    for _ in range(2):
        assert not hear(fresh, word(boot="before us")), "it may have waited for us at the broker"
    clock.advance(60)
    for boot in ("one", "another", "a third"):
        assert not hear(fresh, word(boot=boot)), "each is heard once: they are restarts"
    assert not hear(fresh, word("offline", boot="before us")), "the will of whoever was killed"
    assert not hear(fresh, word(boot="mine"))
    assert not hear(fresh, word()), "an older version signs nothing"


def test_a_retained_word_that_covered_ours_while_we_were_away_is_a_twins(guard: NameGuard) -> None:
    guard.connected()
    assert not hear(guard, word(boot="before us"), retained=True), "ours never reached the broker"
    hear(guard, word(boot="mine"))
    guard.connected()
    assert not hear(guard, word("offline", boot="other"), retained=True), "a broker put back?"
    guard.connected()

    assert hear(guard, word("offline", boot="other"), retained=True)


def test_the_last_word_of_another_does_not_hide_that_we_are_here(
    guard: NameGuard, clock: ManualClock
) -> None:
    said: list[ServiceStatus] = []
    guard.signed(word())

    guard.hear(word("stopped", boot="other"), retained=False, say=said.append)

    assert [(one.state, one.ts, one.detail.boot) for one in said] == [
        ("online", clock.now(), "mine")
    ]


def test_our_own_last_word_stays_the_last(guard: NameGuard) -> None:
    said: list[ServiceStatus] = []
    guard.signed(word("stopped"))

    guard.hear(word("stopped", boot="mine"), retained=False, say=said.append)

    assert not said


Twins = Callable[..., tuple[MqttBus, MqttBus]]


@pytest.fixture
def twins(mosquitto: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Twins]:
    """Two processes of one name at one real broker, each saying that it is online."""
    monkeypatch.setattr(name_guard, "SETTLED_S", 0.2)
    settings = mosquitto.settings()
    buses: list[MqttBus] = []

    def begin(*, persistent: bool) -> tuple[MqttBus, MqttBus]:
        for _ in range(2):
            bus = MqttBus(
                settings, client_id="alerter-one", persistent=persistent, will=word("offline")
            )
            bus.on_connect(lambda bus=bus: say(bus))  # type: ignore[misc]
            bus.subscribe(INCIDENTS, lambda *_: None)
            buses.append(bus)
            bus.start()
            assert bus.wait_connected(5)
        return buses[0], buses[1]

    yield begin
    for bus in buses:
        bus.close()


def say(bus: MqttBus) -> None:
    bus.publish(STATUS, word(), service="alerter", instance="one")


def knows(bus: MqttBus) -> bool:
    assert bus._guard
    return SystemClock().monotonic() - bus._guard._twin_at < 60


@pytest.mark.network
def test_two_of_one_name_stay_connected_and_both_are_told(twins: Twins) -> None:
    one, other = twins(persistent=False)
    eventually(lambda: one.connected and other.connected)

    def both_know() -> bool:
        say(one)
        say(other)
        return knows(one) and knows(other)

    eventually(both_know)
    assert one._connections == other._connections == 1


@pytest.mark.network
def test_two_of_one_session_part_and_both_hear_everything(twins: Twins) -> None:
    one, other = twins(persistent=True)
    heard: dict[str, set[str]] = {"one": set(), "other": set()}
    for name, bus in (("one", one), ("other", other)):
        bus.subscribe(INCIDENTS, lambda said, _, name=name: heard[name].add(said.road))  # type: ignore[misc]

    eventually(lambda: not (one._persistent and other._persistent), within_s=30, what="one parts")
    counts: list[Any] = []

    def steady() -> bool:
        one.publish(INCIDENTS, Incident.parse({"type": "fire", "road": "A"}))
        counts.append((one._connections, other._connections))
        return heard["one"] == heard["other"] == {"A"} and len(set(counts[-50:])) == 1 < len(counts)

    eventually(steady, within_s=30, what="both hear it, and nobody is thrown out any more")
    assert one._persistent != other._persistent, "one of them keeps the session"
