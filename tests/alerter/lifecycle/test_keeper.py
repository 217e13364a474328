"""A disk that hangs holds up no alert; when it answers again, nothing is missing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alerter.lifecycle import keeper as keeper_module
from alerter.lifecycle.keeper import PATIENCE_S, Keeper
from alerter.lifecycle.line_file import LineFile
from alerter.lifecycle.sequence import BLOCK, Sequence
from alerter.lifecycle.store import Store

from hazardcast.machine import durable
from hazardcast.machine.clock import SystemClock
from hazardcast.testing import ManualClock

CLOCK = SystemClock()
MOMENT_S = 1.0
"""Far more than the patience with a disk, far less than it hangs."""


class Disk:
    """Hangs when told to, in every write, as a frozen file system does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._answers = threading.Event()
        self._answers.set()
        self.reached = threading.Event()
        self.write_s = 0.0
        offer, replace = LineFile.offer, durable.write
        monkeypatch.setattr(LineFile, "offer", self._hangs_in(offer))
        monkeypatch.setattr(durable, "write", self._hangs_in(replace))

    def _hangs_in(self, work: Callable[..., None]) -> Callable[..., None]:
        def hang_or_work(*arguments: Any) -> None:
            self.reached.set()
            assert self._answers.wait(20.0)
            time.sleep(self.write_s)
            work(*arguments)

        return hang_or_work

    def hang(self) -> None:
        self._answers.clear()

    def answer(self) -> None:
        self._answers.set()


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    made = Disk(monkeypatch)
    yield made
    made.answer()


@pytest.fixture
def keeper(disk: Disk, tmp_path: Path) -> Keeper:
    store = Store(tmp_path, CLOCK)
    store.load()
    made = Keeper(store, CLOCK)
    made.patience_s = PATIENCE_S
    return made


def events_of(desk: Any, count: int) -> list[Any]:
    for number in range(count):
        desk.alert(event_id=f"cam-{number}", lat=37 + number, lon=127)
    return list(desk.register.events)


def kept_in(folder: Path) -> set[str]:
    store = Store(folder, CLOCK)
    found = {event.alert.event_id for event in store.load()}
    store.close()
    return found


def took_s(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def test_what_was_put_is_written_when_it_is_settled(keeper: Keeper, desk: Any, tmp_path: Path) -> None:  # fmt: skip
    (event,) = events_of(desk, 1)
    keeper.patience_s = 20.0

    keeper.put(event)
    keeper.settle()

    (journal,) = tmp_path.glob("events-*.jsonl")
    assert event.alert.event_id in journal.read_text()


def test_a_disk_that_hangs_costs_a_moment_once_and_loses_nothing(
    keeper: Keeper, disk: Disk, desk: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    events = events_of(desk, 40)
    disk.hang()

    def note() -> None:
        for event in events:
            keeper.put(event)
            keeper.settle()

    assert took_s(note) < MOMENT_S
    assert took_s(lambda: keeper.keep_short(events)) < MOMENT_S
    assert took_s(lambda: keeper.sync(also=lambda: None)) < MOMENT_S
    assert [record.message for record in caplog.records] == [
        "the disk does not answer: alerts go on, what changes is kept when it does"
    ]

    disk.answer()
    keeper.close()
    assert kept_in(tmp_path) == {event.alert.event_id for event in events}


def test_a_disk_that_is_slow_but_does_not_hang_costs_a_moment_once_until_it_has_caught_up(
    keeper: Keeper, disk: Disk, desk: Any, tmp_path: Path
) -> None:
    """Of two lines a report each is in time, both are not."""
    events = events_of(desk, 31)
    late = events.pop()
    disk.write_s = 0.03

    def note() -> None:
        for event in events:
            keeper.put(event)
            keeper.put(event)
            keeper.settle()

    assert took_s(note) < MOMENT_S < len(events) * PATIENCE_S

    disk.write_s = 0.0
    keeper._lines.do(lambda: None, 20.0)
    keeper.patience_s = 20.0
    disk.hang()
    keeper.put(late)
    threading.Timer(0.1, disk.answer).start()
    keeper.settle()

    (journal,) = tmp_path.glob("events-*.jsonl")
    assert late.alert.event_id in journal.read_text()


@pytest.mark.parametrize(("takes_s", "waited_s"), [(0.045, 1.05), (0.004, 0.8)])
def test_a_disk_that_is_just_quick_enough_each_time_does_not_add_up(
    keeper: Keeper, desk: Any, monkeypatch: pytest.MonkeyPatch, takes_s: float, waited_s: float
) -> None:
    clock, waits = ManualClock(), list[float]()

    def wait(_: object, within_s: float) -> bool:
        waits.append(min(takes_s, within_s))
        clock.advance(waits[-1])
        return within_s >= takes_s

    monkeypatch.setattr(keeper, "_clock", clock)
    monkeypatch.setattr(keeper, "_waited_at", clock.monotonic())
    keeper.put(events_of(desk, 1)[0])
    monkeypatch.setattr(keeper._lines, "wait", wait)
    for _ in range(200):
        monkeypatch.setattr(keeper, "_is_behind", False)  # it has caught up each time
        keeper.settle()

    assert sum(waits) == pytest.approx(waited_s, abs=0.05)


def test_a_wait_that_took_longer_than_there_was_patience_refuses_no_later_change(
    keeper: Keeper, desk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the process was held in the middle of it: the wait is over, and much too late."""
    first, second = events_of(desk, 2)
    clock, acquired = ManualClock(CLOCK.monotonic()), keeper._lines.wait

    def held(done: threading.Lock, within_s: float) -> bool:
        clock.advance(4.9)
        return acquired(done, within_s)

    monkeypatch.setattr(keeper, "_clock", clock)
    monkeypatch.setattr(keeper, "_waited_at", clock.monotonic())
    keeper.put(first)
    with monkeypatch.context() as held_up:
        held_up.setattr(keeper._lines, "wait", held)
        keeper.settle()
    keeper.put(second)
    keeper.settle()

    keeper.close()
    assert kept_in(tmp_path) == {first.alert.event_id, second.alert.event_id}


def test_an_end_on_a_disk_that_hangs_comes_in_time(
    keeper: Keeper, disk: Disk, desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper_module, "UNHURRIED_S", 0.1)
    disk.hang()
    keeper.put(events_of(desk, 1)[0])

    assert took_s(keeper.close) < MOMENT_S


def test_changes_beyond_memory_are_left_out_and_made_good_from_what_is_held(
    keeper: Keeper, disk: Disk, desk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper_module, "MOST_WAITING", 3)
    events = events_of(desk, 20)
    disk.hang()
    for event in events:
        keeper.put(event)
    disk.answer()
    keeper._lines.do(lambda: None, 10.0)

    keeper.keep_short(events)
    keeper.close()

    assert kept_in(tmp_path) == {event.alert.event_id for event in events}


def test_numbers_are_given_while_the_disk_hangs_each_once(keeper: Keeper, disk: Disk) -> None:
    sequence = Sequence(1, keeper.reserve_number)
    disk.hang()
    disk.reached.clear()
    for _ in range(BLOCK * 3 // 4):
        sequence.take()
    keeper.sync(also=sequence.top_up)
    assert disk.reached.wait(10.0)
    given: list[int] = []

    assert took_s(lambda: given.extend(sequence.take() for _ in range(3 * BLOCK))) < MOMENT_S

    assert len(set(given)) == len(given)
    disk.answer()
    keeper._disk.do(lambda: None, 10.0)
    keeper.sync(also=sequence.top_up)
    keeper._disk.do(lambda: None, 10.0)
    assert keeper._store.next_number > max(given)


@pytest.mark.parametrize(
    "tidy", [lambda of: of.top_up(), lambda of: of.at_least(9999, waits=False)]
)
def test_who_takes_a_number_never_waits_for_the_disk_while_the_disk_s_thread_waits_for_it(
    keeper: Keeper, tidy: Callable[[Sequence], object]
) -> None:
    keeper.patience_s = 5.0
    asked, may_tidy = threading.Event(), threading.Event()

    def reserve(end: int) -> None:
        asked.set()
        keeper.reserve_number(end)

    sequence = Sequence(1, reserve)

    def tidy_when_asked() -> None:
        may_tidy.wait(20.0)
        tidy(sequence)

    for _ in range(BLOCK):
        sequence.take()
    asked.clear()
    keeper.sync(also=tidy_when_asked)
    taker = threading.Thread(target=sequence.take)
    taker.start()
    assert asked.wait(10.0)  # the taker reserves: it waits for the disk's thread
    may_tidy.set()

    assert took_s(taker.join) < MOMENT_S


def test_what_changes_while_the_journal_is_written_anew_is_in_it(
    keeper: Keeper, disk: Disk, desk: Any, tmp_path: Path
) -> None:
    """The snapshot is older than the change, and its part of the journal is the newer one."""
    before = events_of(desk, 2)
    keeper._lacks = True
    disk.hang()
    keeper.put(before[0])
    keeper.keep_short(before)
    (late,) = [event for event in events_of(desk, 3) if event not in before]
    keeper.put(late)
    disk.answer()
    keeper.close()

    assert late.alert.event_id in kept_in(tmp_path)
