from __future__ import annotations

import pytest
from vehicle_agent.clock_sync import kernel_bound_s
from vehicle_agent.clock_trust import LATE_FOR_S, MAX_SILENCE_S, ClockTrust

from hazardcast.testing import ManualClock


class Watch:
    """A vehicle's clock on trial; `offset_s` is how far it is ahead of the station's."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.trust = ClockTrust()

    def hear(self, offset_s: float, *, seq: int | None = None) -> None:
        now = self.clock.now()
        number = None if seq is None else (4097, 1, seq)
        self.trust.witness(now - offset_s, now=now, monotonic=self.clock.monotonic(), number=number)

    @property
    def source(self) -> str:
        return self.trust.state(now=self.clock.now(), monotonic=self.clock.monotonic()).source


@pytest.fixture
def watch(clock: ManualClock) -> Watch:
    return Watch(clock)


def test_a_clock_of_which_nothing_is_known_is_not_trusted(watch: Watch) -> None:
    assert watch.source == "none"


@pytest.mark.parametrize("offset_s", [-0.04, 0.0, 0.003, 0.49])
def test_a_timely_datagram_witnesses_for_the_clock(watch: Watch, offset_s: float) -> None:
    watch.hear(offset_s)

    assert watch.source == "station"
    assert watch.trust.error_s(now=watch.clock.now(), monotonic=watch.clock.monotonic()) == 0.5


@pytest.mark.parametrize("offset_s", [-3600, -5, -0.3, 0.8, 5, 3600])
def test_a_clock_apart_from_the_stations_is_not_trusted(watch: Watch, offset_s: float) -> None:
    for _ in range(20):
        watch.hear(offset_s)
        watch.clock.advance(0.5)

    assert watch.source == "none"


def test_one_datagram_from_the_future_refutes_the_clock_at_once(watch: Watch) -> None:
    """Nobody can sign for the future."""
    watch.hear(0.01)
    watch.hear(-5)

    assert watch.source == "none"


def test_a_single_late_datagram_may_be_a_replay_and_refutes_nothing(watch: Watch) -> None:
    watch.hear(0.01)
    for _ in range(10):
        watch.hear(3600)
        watch.hear(0.01)

    assert watch.source == "station"


def test_what_is_late_by_the_same_for_long_refutes_the_clock(watch: Watch) -> None:
    """The station's clock was set: it must not go unheard."""
    watch.hear(0.01)
    for _ in range(int(LATE_FOR_S / 0.5)):
        watch.hear(5)
        assert watch.source == "station"
        watch.clock.advance(0.5)
    watch.hear(5)

    assert watch.source == "none"


def test_a_later_number_with_an_earlier_time_proves_that_the_stations_clock_was_set(
    watch: Watch,
) -> None:
    """Whoever records and replays cannot make such a pair."""
    watch.hear(0.01, seq=7)
    watch.clock.advance(3)
    watch.hear(3.0, seq=6)
    watch.hear(3.0, seq=8)
    assert watch.source == "station"

    watch.hear(5.0, seq=9)

    assert watch.source == "none"


def test_a_recording_replayed_again_and_again_refutes_nothing(watch: Watch) -> None:
    watch.hear(0.01)
    for again in range(10):
        for _ in range(6):
            watch.hear(3 + again * 3)
            watch.clock.advance(0.5)

    assert watch.source == "station"


@pytest.mark.parametrize("step_s", [5, -5, 0.3, -0.3])
def test_a_clock_that_was_set_is_not_trusted_until_witnessed_again(
    watch: Watch, step_s: float
) -> None:
    watch.hear(0.01)
    watch.clock.step(step_s)
    assert watch.source == "none"

    watch.hear(0.01)

    assert watch.source == "station"


def test_a_witness_is_forgotten_with_the_link(watch: Watch) -> None:
    watch.hear(0.01)
    watch.clock.advance(MAX_SILENCE_S + 1)

    assert watch.source == "none"


def test_a_disciplined_kernel_clock_needs_no_witness(watch: Watch) -> None:
    watch.trust.kernel_says(0.02)

    assert watch.source == "kernel"
    watch.hear(-5)
    state = watch.trust.state(now=watch.clock.now(), monotonic=watch.clock.monotonic())
    assert state.source == "kernel"
    assert state.disagrees


@pytest.mark.parametrize("bound_s", [None, 16.0])
def test_a_kernel_clock_without_a_useful_bound_is_not_trusted(
    watch: Watch, bound_s: float | None
) -> None:
    watch.trust.kernel_says(bound_s)

    assert watch.source == "none"


def test_this_machines_kernel_answers() -> None:
    bound_s = kernel_bound_s()

    assert bound_s is None or 0 <= bound_s <= 16
