from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from alerter.lifecycle import store as store_module
from alerter.lifecycle.sequence import Sequence
from alerter.lifecycle.store import Store
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.contract.errors import ConfigError
from hazardcast.testing import ManualClock


@given(plan=st.lists(st.sampled_from(["take", "top_up", "crash", "close"]), max_size=300))
def test_no_number_is_ever_given_twice_whatever_crashes(plan: list[str]) -> None:
    kept = {"next": 1}
    sequence = Sequence(1, lambda end: kept.update(next=end), block=4)
    given_out: list[int] = []
    for deed in plan:
        if deed == "take":
            given_out.append(sequence.take())
        elif deed == "top_up":
            sequence.top_up()
        else:
            if deed == "close":
                sequence.close()
            sequence = Sequence(kept["next"], lambda end: kept.update(next=end), block=4)
    assert given_out == sorted(set(given_out))


def test_a_clean_stop_leaves_no_gap() -> None:
    kept: list[int] = []
    sequence = Sequence(5, kept.append)
    assert [sequence.take(), sequence.take()] == [5, 6]
    sequence.close()
    assert kept[-1] == 7


def test_taking_does_not_wait_for_the_disk_while_it_is_topped_up() -> None:
    kept: list[int] = []
    sequence = Sequence(1, kept.append, block=8)
    for _ in range(10):
        for _ in range(4):
            before = len(kept)
            sequence.take()
            assert len(kept) == before
        sequence.top_up()


def test_taking_does_not_wait_for_a_slow_disk() -> None:
    disk, slow = threading.Event(), threading.Event()

    def reserve(end: int) -> None:
        if slow.is_set():
            assert disk.wait(10)

    sequence = Sequence(1, reserve, block=8)
    for _ in range(4):
        sequence.take()
    slow.set()
    keeper = threading.Thread(target=sequence.top_up)
    keeper.start()
    assert [sequence.take() for _ in range(4)] == [5, 6, 7, 8]
    disk.set()
    keeper.join()
    assert sequence.take() == 9


def test_numbers_are_unique_across_threads() -> None:
    sequence = Sequence(1, lambda _end: None, block=8)
    taken: list[int] = []
    threads = [
        threading.Thread(target=lambda: taken.extend(sequence.take() for _ in range(500)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(1, 2001))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_the_epoch_grows_at_every_start_even_if_the_clock_goes_back(folder: Path) -> None:
    epochs = []
    for now in (1000.0, 1000.0, 50.0, 2000.0):
        store = Store(folder, ManualClock())
        epochs.append(store.next_epoch(now))
        store.load()
        store.close()
    assert epochs == [1000, 1001, 1002, 2000]


def test_what_was_put_is_there_after_a_crash(folder: Path, desk: Any) -> None:
    store = Store(folder, ManualClock())
    store.load()
    desk.alert(event_id="cam-1", camera="north")
    desk.alert(event_id="cam-2", lat=38, lon=127)
    for event in desk.register.events:
        store.put(event)
    store.remove("4097-2")
    store.close()
    with (folder / "events-1.jsonl").open("ab") as journal:
        journal.write(b'{"alert":{"event_id":"4097-3"')
    again = Store(folder, ManualClock())
    assert again.load() == [desk.register.events[0]]
    again.close()


def test_a_long_journal_is_written_anew(folder: Path, desk: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(store_module, "COMPACT_FROM_LINES", 5)
    store = Store(folder, ManualClock())
    store.load()
    desk.alert()
    event = desk.register.events[0]
    for _ in range(5):
        store.put(event)
    assert store.long
    store.compact([event])
    assert not store.long
    store.put(event)
    assert len((folder / "events-2.jsonl").read_text().splitlines()) == 3, "the version, two events"
    assert (folder / "events-1.jsonl").exists(), "until the new part is on disk"
    store.sync()
    assert [path.name for path in folder.glob("events-*")] == ["events-2.jsonl"]
    store.close()


def test_a_crash_between_two_parts_of_the_journal_loses_nothing(folder: Path, desk: Any) -> None:
    store = Store(folder, ManualClock())
    store.load()
    first, second = desk.alert(lat=30, lon=127), desk.alert(lat=31, lon=127)
    events = {event.alert.event_id: event for event in desk.register.events}
    for event in events.values():
        store.put(event)
    store.remove(first.event_id)
    store.compact([events[second.event_id]])
    desk.alert(event_id=second.event_id, status="update", severity="low")
    newest = desk.register.find(second.event_id)
    store.put(newest)
    store.close()
    (folder / "events-1.jsonl").write_text("{torn\n")
    again = Store(folder, ManualClock())
    assert again.load() == [newest]
    again.close()


def test_an_unreadable_state_never_leads_to_a_number_given_before(folder: Path) -> None:
    folder.mkdir()
    (folder / "station.json").write_text("{")
    store = Store(folder, ManualClock(now=1_800_000_000.0))
    assert store.next_number == 1_800_000_000
    store.load()
    store.close()


@given(garbage=st.binary(max_size=300))
def test_a_journal_of_garbage_is_left_out(garbage: bytes, tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.mktemp("state")
    (folder / "events-7.jsonl").write_bytes(garbage)
    store = Store(folder, ManualClock())
    assert store.load() == []
    store.close()


def test_a_second_alerter_on_the_same_state_is_refused(folder: Path) -> None:
    store = Store(folder, ManualClock())
    with pytest.raises(ConfigError, match="another alerter"):
        Store(folder, ManualClock())
    store.load()
    store.close()


def test_the_station_file_is_replaced_whole(folder: Path) -> None:
    store = Store(folder, ManualClock())
    store.reserve_number(33)
    store.next_epoch(5.0)
    assert json.loads((folder / "station.json").read_text()) == {
        "version": 1,
        "epoch": 5,
        "next_number": 33,
    }
    store.load()
    store.close()
