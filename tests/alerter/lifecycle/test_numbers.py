"""Event numbers: whatever is lost or put back, none is given twice."""

from __future__ import annotations

import itertools
import json
import re
from functools import partial
from pathlib import Path
from typing import Any

from alerter.lifecycle import numbers
from alerter.lifecycle.numbering import Numbering
from alerter.lifecycle.register import Register
from alerter.lifecycle.sequence import Sequence
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.contract.fields import NAME_PATTERN
from hazardcast.machine.steady import Steady
from hazardcast.mqtt.bus import Delivery
from hazardcast.testing import ManualClock

NOW = 1_800_000_000.0


@given(
    lives=st.lists(
        st.tuples(
            st.floats(1.0, 1e6),
            st.integers(0, 500),
            st.sampled_from(["kept", "lost", "put back"]),
        ),
        max_size=20,
    )
)
def test_no_number_is_given_twice_whichever_state_is_lost_or_put_back(lives: Any) -> None:
    now, kept, given_out = NOW, {"next": 1}, []
    backup = dict(kept)
    for pause_s, count, state in lives:
        now += pause_s
        if state != "kept":
            kept = {"next": 1} if state == "lost" else dict(backup)
        first = numbers.first_free(kept=kept["next"], held=(), station=4097, now=now)
        sequence = Sequence(first, partial(kept.__setitem__, "next"))
        given_out += [sequence.take() for _ in range(count)]
    assert given_out == sorted(set(given_out))


def test_numbers_of_a_state_that_is_ahead_of_the_clock_go_on_growing() -> None:
    ahead = numbers.floor(NOW) + 10**9
    assert numbers.first_free(kept=ahead, held=(), station=4097, now=NOW) == ahead


def test_what_the_journal_holds_counts_even_if_the_station_file_is_older() -> None:
    held = [f"4097-{numbers.floor(NOW) + 7}", "77-99999999999999", "4097-3"]
    first = numbers.first_free(kept=1, held=held, station=4097, now=NOW)
    assert first == numbers.floor(NOW) + 8


def test_a_clock_that_stands_before_its_time_gives_no_floor() -> None:
    assert numbers.floor(0.0) == 1
    assert numbers.first_free(kept=33, held=(), station=4097, now=0.0) == 33


def test_an_id_of_the_largest_station_in_a_hundred_years_is_an_event_id() -> None:
    event_id = f"4294967295-{numbers.floor(NOW + 100 * 31_557_600)}"
    assert len(event_id) < 48
    assert re.fullmatch(NAME_PATTERN, event_id)


def test_raising_the_sequence_puts_it_on_disk_before_a_number_is_given() -> None:
    kept: list[int] = []
    sequence = Sequence(5, kept.append, block=4)
    sequence.at_least(1000)
    assert kept[-1] == 1004
    assert sequence.take() == 1000
    sequence.at_least(7)
    assert sequence.take() == 1001


def test_no_two_events_held_share_the_sixteen_bits_that_denm_has_for_a_number(desk: Any) -> None:
    free = itertools.chain([10], itertools.count(10 + numbers.RESIDUES))
    desk.register = Register(station=4097, next_number=free.__next__)
    first, second = desk.alert(lat=30, lon=127), desk.alert(lat=31, lon=127)

    assert first.event_id == "4097-10"
    assert second.event_id == f"4097-{11 + numbers.RESIDUES}"


def test_a_station_file_of_an_earlier_version_is_gone_on_from(tmp_path: Path) -> None:
    kept = json.loads('{"epoch": 5, "next_number": 33}')
    first = numbers.first_free(kept=kept["next_number"], held=["4097-32"], station=4097, now=NOW)
    assert first == numbers.floor(NOW)


class Counted:
    """A sequence whose numbers are known, and what is kept of it."""

    def __init__(self, now: float = NOW, first: int | None = None) -> None:
        self.clock = ManualClock(now)
        self.kept: list[int] = []
        self.sequence = Sequence(first or numbers.floor(now), self.kept.append)
        self.steady = Steady(self.clock)
        self.numbering = Numbering(
            self.sequence, station=4097, steady=self.steady, clock=self.clock
        )

    def hears(self, event_id: str, *, retained: bool = True) -> None:
        path = f"v2x/clips/{event_id}"
        self.numbering.hear(b"\xff", Delivery(path, {"event_id": event_id}, NOW, 0.0, retained))


def test_numbers_go_on_beyond_what_the_broker_retains_of_this_station() -> None:
    counted = Counted()
    ahead = numbers.floor(NOW) + 5000
    counted.hears(f"4097-{ahead}")
    for other in (f"77-{ahead + 9}", "north-99999999999999", f"4097-{ahead - 7}"):
        counted.hears(other)

    assert counted.sequence.take() == ahead + 1


def test_what_is_said_just_now_or_made_up_moves_no_number() -> None:
    counted = Counted()
    counted.hears(f"4097-{numbers.floor(NOW) + 5000}", retained=False)
    counted.hears("4097-" + "9" * 30)

    assert counted.sequence.take() == numbers.floor(NOW)


def test_a_clock_of_1970_at_the_first_start_counts_from_the_floor_once_it_is_right() -> None:
    counted = Counted(now=100.0)
    assert counted.sequence.take() == 1
    counted.hears(f"4097-{numbers.floor(NOW)}")
    assert counted.sequence.take() == numbers.floor(NOW) + 1
    counted.clock.step(NOW + 3600 - 100.0)
    counted.steady.look()
    counted.numbering.tidy()

    assert counted.sequence.take() == numbers.floor(counted.clock.now())
    assert counted.kept[-1] > numbers.floor(counted.clock.now()), "on disk before it is given"


def test_a_clock_that_is_set_back_takes_no_number_back() -> None:
    counted = Counted()
    counted.clock.step(-7200)
    counted.steady.look()
    counted.numbering.tidy()

    assert counted.sequence.take() == numbers.floor(NOW)
