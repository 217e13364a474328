from __future__ import annotations

from collections import Counter

import pytest
from alerter.air.schedule import BURST_S, Agenda, Slot, affordable_level, copies_level
from hypothesis import given
from hypothesis import strategies as st


def announce(
    agenda: Agenda, event_id: str, text: str, *, now: float, until: float, routine: bool = False
) -> Slot:
    """Put a version on air with a burst; its first copy, which is sent at once."""
    begun = agenda.begin(event_id, text, now=now, until=until, routine=routine)
    agenda.plan(begun)
    return begun.first


def drain(agenda: Agenda, *, until: float, step_s: float = 0.001, start: float = 0.0) -> list[Slot]:
    """Everything that is taken by looking every `step_s`."""
    taken, now = [], start
    while now <= until:
        while slot := agenda.take(now):
            taken.append(slot)
        now += step_s
    return taken


def test_a_new_version_is_a_burst_of_seven_growing_gaps_in_one_group() -> None:
    agenda = Agenda()
    first = announce(agenda, "a", "text", now=0.0, until=100.0)
    slots = [first, *drain(agenda, until=0.45)]
    assert [round(slot.due * 1000) for slot in slots] == [0, 20, 60, 120, 200, 300, 420]
    assert [slot.index for slot in slots] == list(range(7))
    assert {(slot.group.tick, slot.group.copies) for slot in slots} == {(1, 7)}


def test_then_one_copy_every_half_second_on_a_grid_that_does_not_drift() -> None:
    agenda = Agenda(jitter=lambda: 1.0)
    announce(agenda, "a", "text", now=0.0, until=100.0)
    ticks = [slot for slot in drain(agenda, until=50.2, step_s=0.007) if slot.group.copies == 1]
    assert [round(slot.due, 3) for slot in ticks] == [
        round(0.5 * k + 0.01, 3) for k in range(1, 101)
    ]


def test_reported_loss_raises_the_copies_of_ticks_to_come() -> None:
    agenda = Agenda()
    announce(agenda, "a", "text", now=0.0, until=100.0)
    agenda.level = copies_level(0.10)
    slots = [slot for slot in drain(agenda, until=0.95) if slot.group.tick == 2]
    assert [round((slot.due - 0.5) * 1000) for slot in slots] == [0, 60, 140, 240, 360]
    agenda.level = copies_level(0.01)
    slots = [slot for slot in drain(agenda, until=1.4, start=0.95) if slot.group.tick == 3]
    assert [round((slot.due - 1.0) * 1000) for slot in slots] == [0, 120]


@pytest.mark.parametrize(
    ("loss", "level"), [(0.0, 0), (0.009, 0), (0.01, 1), (0.099, 1), (0.1, 2), (1.0, 2)]
)
def test_the_levels_of_loss(loss: float, level: int) -> None:
    assert copies_level(loss) == level


@pytest.mark.parametrize(
    ("alerts", "level"), [(1, 2), (100, 2), (101, 1), (250, 1), (251, 0), (500, 0)]
)
def test_copies_stay_within_what_the_air_can_take(alerts: int, level: int) -> None:
    assert affordable_level(2, alerts=alerts) == level


def test_a_newer_version_silences_the_older_one_at_once() -> None:
    agenda = Agenda()
    announce(agenda, "a", "old", now=0.0, until=100.0)
    drain(agenda, until=0.1)
    announce(agenda, "a", "new", now=0.11, until=100.0)
    assert {slot.group.text for slot in drain(agenda, until=3.0, start=0.11)} == {"new"}


def test_nothing_is_sent_after_the_end_and_nothing_stays_behind() -> None:
    agenda = Agenda()
    announce(agenda, "a", "text", now=0.0, until=10.0)
    slots = drain(agenda, until=12.0)
    assert max(slot.due for slot in slots) < 10.0
    assert len(agenda) == 0
    assert agenda.next_due() is None


def test_an_alert_that_was_stopped_is_silent() -> None:
    agenda = Agenda()
    announce(agenda, "a", "text", now=0.0, until=10.0)
    agenda.stop("a")
    assert drain(agenda, until=2.0) == []


def test_a_resumed_alert_ticks_without_a_burst() -> None:
    agenda = Agenda()
    agenda.resume("a", "text", now=5.0, until=100.0)
    slots = drain(agenda, until=6.2, start=4.0)
    assert [round(slot.due, 3) for slot in slots] == [5.0, 5.5, 6.0]


def test_ticks_that_were_slept_through_are_not_made_up_for() -> None:
    agenda = Agenda()
    announce(agenda, "a", "text", now=0.0, until=100.0)
    drain(agenda, until=0.6)
    slots = drain(agenda, until=31.0, start=30.3)
    assert 2 <= len(slots) <= 3


@given(
    starts=st.lists(st.floats(0, 3), min_size=1, max_size=12),
    level=st.integers(0, 2),
    jitter=st.floats(-1, 1),
)
def test_every_group_has_a_tick_of_its_own_and_every_copy_comes_once(
    starts: list[float], level: int, jitter: float
) -> None:
    agenda = Agenda(jitter=lambda: jitter)
    agenda.level = level
    slots: list[Slot] = []
    for index, start in enumerate(sorted(starts)):
        slots += drain(agenda, until=start, start=max(0.0, start - 0.01))
        slots.append(announce(agenda, f"e{index}", "text", now=start, until=6.0))
    slots += drain(agenda, until=7.0, start=max(starts))
    assert max(Counter((slot.group.tick, slot.index) for slot in slots).values()) == 1
    assert {slot.group.tick for slot in slots} == set(range(1, agenda.tick + 1))
    owners = {(slot.group.tick, slot.group.event_id) for slot in slots}
    assert len(owners) == agenda.tick
    assert all(0 <= slot.index < slot.group.copies for slot in slots)


def test_the_burst_is_the_published_one() -> None:
    assert BURST_S == (0.0, 0.02, 0.06, 0.12, 0.2, 0.3, 0.42)


def announced_copies(agenda: Agenda, count: int, *, now: float, routine: bool) -> list[int]:
    return [
        announce(agenda, f"e{index}", "text", now=now, until=now + 9, routine=routine).group.copies
        for index in range(count)
    ]


def test_more_updates_than_can_be_repeated_are_said_less_often_but_each_is_said() -> None:
    copies = announced_copies(Agenda(), 1000, now=1.0, routine=True)
    assert copies[:500] == [7] * 500
    assert set(copies[500:]) == {1}


def test_the_room_for_bursts_comes_back() -> None:
    agenda = Agenda()
    announced_copies(agenda, 1000, now=1.0, routine=True)
    assert announced_copies(agenda, 2, now=1.003, routine=True) == [3, 1]
    assert announced_copies(agenda, 1, now=2.0, routine=True) == [7]


def test_what_is_new_or_over_is_said_in_full_whatever_else_is_said() -> None:
    agenda = Agenda()
    announced_copies(agenda, 1000, now=1.0, routine=True)
    assert announced_copies(agenda, 3, now=1.0, routine=False) == [7, 7, 7]
