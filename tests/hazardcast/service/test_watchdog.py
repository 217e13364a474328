from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from hazardcast.machine.clock import SystemClock
from hazardcast.service import metrics
from hazardcast.service.watchdog import Watchdog
from hazardcast.testing import ManualClock, eventually


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


class Looked:
    """A watchdog whose looks a test makes, as regularly as its thread would."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.dog = Watchdog(clock)

    def for_s(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            self.clock.advance(0.1)
            self.dog.look(self.clock.monotonic())


@pytest.fixture
def looked(clock: ManualClock) -> Looked:
    return Looked(clock)


def slow_turns(stage: str) -> float:
    return float(metrics.SLOW_TURNS.labels(stage=stage)._value.get())


def test_quick_turns_and_idle_loops_are_no_news(
    looked: Looked, caplog: pytest.LogCaptureFixture
) -> None:
    turn = looked.dog.turn("quick")
    looked.for_s(5.0)
    for _ in range(20):
        turn.begin()
        looked.for_s(0.2)
    turn.end()
    looked.for_s(5.0)

    assert not caplog.records
    assert slow_turns("quick") == 0


@pytest.fixture
def hung() -> Iterator[threading.Event]:
    release = threading.Event()
    yield release
    release.set()


def test_a_turn_that_hangs_is_told_once_with_its_place(
    looked: Looked, caplog: pytest.LogCaptureFixture, hung: threading.Event
) -> None:
    turn, begun = looked.dog.turn("hangs"), threading.Event()

    def wait_for_a_reader() -> None:
        turn.begin()
        begun.set()
        hung.wait(20.0)
        turn.end()

    thread = threading.Thread(target=wait_for_a_reader)
    thread.start()
    assert begun.wait(5.0)
    looked.for_s(2.0)

    assert [record.message for record in caplog.records] == ["a loop hangs"]
    told = caplog.records[0].__dict__
    assert told["loop"] == "hangs"
    assert 250 < told["for_ms"] <= 350
    assert "wait_for_a_reader" in told["at"]
    assert "test_watchdog.py:" in told["at"]
    assert slow_turns("hangs") == 1
    hung.set()
    thread.join(5.0)
    looked.for_s(0.1)
    assert caplog.records[-1].message == "a loop goes on"
    assert caplog.records[-1].__dict__["after_ms"] > 1900


def test_the_next_turn_that_hangs_is_told_too(
    looked: Looked, caplog: pytest.LogCaptureFixture
) -> None:
    turn = looked.dog.turn("again")
    for _ in range(2):
        turn.begin()
        looked.for_s(0.5)

    hangs = [record for record in caplog.records if record.message == "a loop hangs"]
    assert len(hangs) == slow_turns("again") == 2


def test_a_machine_that_stands_still_is_no_fault_of_a_loop(
    looked: Looked, caplog: pytest.LogCaptureFixture
) -> None:
    turn = looked.dog.turn("innocent")
    looked.for_s(0.1)
    turn.begin()
    looked.clock.advance(3.0)
    looked.dog.look(looked.clock.monotonic())
    turn.end()
    looked.for_s(1.0)

    assert [record.message for record in caplog.records] == ["the whole process stood still"]
    assert caplog.records[0].__dict__["for_ms"] == 2900
    assert slow_turns("innocent") == 0


def test_it_watches_until_it_is_stopped(hung: threading.Event) -> None:
    dog = Watchdog(SystemClock())
    turn = dog.turn("threaded")
    dog.start(hung)
    turn.begin()
    eventually(lambda: slow_turns("threaded") == 1)
