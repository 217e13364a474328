from __future__ import annotations

import pytest
from alerter.air.epochs import Epochs

from hazardcast.machine.steady import Steady
from hazardcast.testing import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(now=1000.0)


def epochs(clock: ManualClock, first: int, kept: list[int] | None = None) -> Epochs:
    keep = (kept if kept is not None else []).append
    return Epochs(first, keep=keep, steady=Steady(clock), clock=clock)


def test_a_clock_set_forward_begins_a_new_epoch_once_and_notes_it(clock: ManualClock) -> None:
    kept: list[int] = []
    station = epochs(clock, 1000, kept)
    clock.step(5000.0)

    assert [station.renewed() for _ in range(3)] == [6000, None, None]
    assert station.current == 6000
    assert kept == [6000]


@pytest.mark.parametrize("step_s", [-5000.0, 0.0, 0.4])
def test_any_other_clock_leaves_the_epoch_as_it_is(clock: ManualClock, step_s: float) -> None:
    station = epochs(clock, 1000)
    clock.advance(7200.0)
    clock.step(step_s)

    assert station.renewed() is None


def test_an_epoch_only_ever_grows(clock: ManualClock) -> None:
    station = epochs(clock, 9000)
    clock.step(10.0)

    assert station.renewed() == 9001


def test_a_clock_set_back_and_forward_again_begins_a_new_epoch(clock: ManualClock) -> None:
    station = epochs(clock, 1000)
    clock.step(-500.0)
    assert station.renewed() is None
    clock.step(500.0)

    assert station.renewed() == 1001
