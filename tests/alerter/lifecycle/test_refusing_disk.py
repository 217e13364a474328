"""The alerter's state on a disk that is full or refuses for a while: no alert and no number waits for it."""

from __future__ import annotations

import contextlib
import errno
import resource
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alerter.lifecycle import line_file
from alerter.lifecycle import store as store_module
from alerter.lifecycle.sequence import Sequence
from alerter.lifecycle.store import Store

from hazardcast.testing import ManualClock


def events_of(desk: Any, count: int) -> list[Any]:
    """Accidents of their own."""
    for number in range(count):
        desk.alert(event_id=f"cam-{number}", lat=37 + number, lon=127)
    return list(desk.register.events)


@contextlib.contextmanager
def full_disk(room_bytes: int) -> Iterator[None]:
    """No file of this process may grow beyond so much: the kernel takes a part, then nothing."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def journal_of(folder: Path) -> Path:
    (path,) = folder.glob("events-*.jsonl")
    return path


def test_what_a_full_disk_did_not_take_is_there_once_it_has_room(tmp_path: Path, desk: Any) -> None:
    store = Store(tmp_path, ManualClock())
    store.load()
    events = events_of(desk, 4)
    store.put(events[0])

    with full_disk(journal_of(tmp_path).stat().st_size * 3 // 2):
        for event in events[1:]:
            store.put(event)
        store.sync()
    torn = journal_of(tmp_path).read_bytes()
    store.sync()
    store.close()

    assert not torn.endswith(b"\n")
    again = Store(tmp_path, ManualClock())
    assert again.load() == events
    again.close()


def test_a_full_disk_keeps_the_old_part_of_the_journal(
    tmp_path: Path, desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "COMPACT_FROM_LINES", 2)
    clock = ManualClock()
    store = Store(tmp_path, clock)
    store.load()
    events = events_of(desk, 3)
    for event in events:
        store.put(event)

    with full_disk(100):
        store.keep_short(events)
    assert store.long
    store.keep_short(events)
    assert store.long, "it is not asked again at once"
    clock.advance(store_module.COMPACT_AGAIN_S)
    store.keep_short(events)
    assert not store.long
    store.close()

    again = Store(tmp_path, clock)
    assert again.load() == events
    again.close()


def test_what_is_given_up_in_a_long_failure_is_written_anew(
    tmp_path: Path, desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_file, "MOST_PENDING_BYTES", 2000)
    store = Store(tmp_path, ManualClock())
    store.load()
    events = events_of(desk, 9)
    with full_disk(10):
        for event in events:
            store.put(event)
    store.keep_short(events)
    store.close()

    again = Store(tmp_path, ManualClock())
    assert again.load() == events
    again.close()


def test_a_start_on_a_full_disk_goes_on_with_what_is_there_and_keeps_the_rest_later(
    tmp_path: Path, desk: Any
) -> None:
    before = Store(tmp_path, ManualClock())
    before.load()
    events = events_of(desk, 4)
    for event in events[:3]:
        before.put(event)
    first_epoch = before.next_epoch(1000.0)
    before.close()

    with full_disk(0):
        store = Store(tmp_path, ManualClock())
        assert store.load() == events[:3]
        epoch = store.next_epoch(1000.0)
        assert epoch > first_epoch
        sequence = Sequence(store.next_number, store.reserve_number)
        store.put(events[3])
        store.sync()
    sequence.top_up()
    store.sync()
    store.close()

    again = Store(tmp_path, ManualClock())
    assert again.load() == events
    assert again.next_epoch(1000.0) > epoch
    assert len(list(tmp_path.glob("events-*.jsonl"))) == 1
    again.close()


def test_a_full_disk_at_the_start_costs_nothing_even_if_the_process_dies_on_it(
    tmp_path: Path, desk: Any
) -> None:
    before = Store(tmp_path, ManualClock())
    before.load()
    events = events_of(desk, 3)
    for event in events:
        before.put(event)
    before.close()

    with full_disk(0):
        Store(tmp_path, ManualClock()).load()
        journals = sorted(tmp_path.glob("events-*.jsonl"))
    held = b"".join(path.read_bytes() for path in journals)

    assert all(event.alert.event_id.encode() in held for event in events)


def test_numbers_go_on_while_the_disk_refuses_and_are_kept_as_soon_as_it_does_not() -> None:
    kept, refusing = [1], threading.Event()

    def reserve(end: int) -> None:
        if refusing.is_set():
            raise OSError(errno.ENOSPC, "No space left on device")
        kept.append(end)

    sequence = Sequence(1, reserve, block=4)
    refusing.set()

    given = [sequence.take() for _ in range(10)]
    sequence.top_up()

    assert given == list(range(1, 11))
    refusing.clear()
    sequence.top_up()
    assert kept[-1] > 10
