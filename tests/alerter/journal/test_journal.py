"""Every version is in the journal; what is missing is said to be missing."""

from __future__ import annotations

import errno
import itertools
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from alerter.journal import files, holes
from alerter.journal import journal as journal_module
from alerter.journal.files import Part
from alerter.journal.journal import Journal
from alerter.journal.replay import Replayer
from alerter.lifecycle.line_file import LineFile

from hazardcast.contract.messages import Alert, JournalEntry, ReplayRequest
from hazardcast.contract.topics import ACTIVE, JOURNAL
from hazardcast.testing import ManualClock, MemoryBroker


class AtOnce:
    def also(self, work: Any) -> bool:
        work()
        return True


def journal_in(folder: Path, *, epoch: int = 7, **limits: float) -> Journal:
    return Journal(
        folder, station=4097, epoch=epoch, turn=AtOnce(), clock=ManualClock(),
        say=lambda entry: None, **{"most_bytes": 1e9, "most_age_s": 1e9, **limits},
    )  # fmt: skip


def kept(journal: Journal) -> list[JournalEntry]:
    return list(files.read(files.parts(journal.folder), first=1, last=10**9))


def wanted(journal: Journal, first: int, last: int, epoch: int = 7) -> list[tuple[Any, ...]]:
    replayer = Replayer(journal, MemoryBroker().bus(), has_room=lambda: True, clock=ManualClock())
    request = ReplayRequest.parse({"epoch": epoch, "from": first, "to": last})
    return [
        (entry.kind, entry.sequence, *((entry.to, entry.cause) if entry.to else ()))
        for entry in replayer.wanted(request)
    ]


def note(journal: Journal, alert: Alert, times: int = 1) -> None:
    for _ in range(times):
        journal.alert(alert, confidence=0.9, reporter="camera:north")


def test_every_version_is_an_entry_and_none_has_anothers_number(station: Any) -> None:
    station.hears(event_id="a", severity="low", camera="north", confidence=0.5)
    station.hears(event_id="a", severity="high", status="update", camera="north")
    station.hears(event_id="a", status="update", severity="high", camera="north")  # no news
    station.hears(event_id="a", status="cancel", camera="north")

    said = [(one.epoch, one.sequence, one.alert.status) for one in kept(station.journal)]  # type: ignore[union-attr]

    assert said == [(1, 1, "new"), (1, 2, "update"), (1, 3, "cancel")]


def test_an_entry_tells_how_sure_the_report_was_and_whose_it_is(station: Any) -> None:
    station.hears(event_id="a", camera="north", confidence=0.5)

    (entry,) = kept(station.journal)

    assert (entry.confidence, entry.reporter) == (0.5, "camera:north")


def test_the_datagram_comes_first_and_the_journal_before_the_retained_alert(
    station: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    announce, write, publish = station.air.announce, Journal._write, station.bus.publish

    def published(topic: Any, *rest: Any, **parameters: str) -> Any:
        order.append(topic.template)
        return publish(topic, *rest, **parameters)

    def announced(*rest: Any, **parameters: Any) -> Any:
        order.append("air")
        return announce(*rest, **parameters)

    def written(*rest: Any) -> Any:
        order.append("journal")
        return write(*rest)

    monkeypatch.setattr(station.air, "announce", announced)
    monkeypatch.setattr(Journal, "_write", written)
    monkeypatch.setattr(station.bus, "publish", published)

    station.hears(camera="north")

    assert order[:3] == ["air", "journal", ACTIVE.template]
    assert order[-1] == JOURNAL.template


def test_a_new_start_numbers_anew_in_its_own_epoch(station: Any) -> None:
    station.hears(event_id="a")
    station.start()
    station.passes(40)
    station.hears(event_id="b", lat=37.5, lon=127.5)

    assert [(one.epoch, one.sequence) for one in kept(station.journal)] == [(1, 1), (2, 1)]


def test_what_a_full_disk_does_not_take_is_written_when_there_is_room(
    tmp_path: Path, alert: Alert, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = journal_in(tmp_path / "journal")
    note(journal, alert)
    with monkeypatch.context() as full:
        full.setattr(os, "write", _no_space)
        note(journal, alert, times=3)
    journal.sync()

    assert [one.sequence for one in kept(journal)] == [1, 2, 3, 4]


def test_what_is_lost_to_the_disk_is_marked_as_a_hole(
    tmp_path: Path, alert: Alert, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "MOST_WAITING_BYTES", 10)
    journal = journal_in(tmp_path / "journal")
    note(journal, alert)
    with monkeypatch.context() as full:
        full.setattr(os, "write", _no_space)
        note(journal, alert, times=4)  # the first waits, three are lost
    journal.sync()
    note(journal, alert)

    assert wanted(journal, 1, 6) == [
        ("alert", 1), ("alert", 2), ("hole", 3, 5, "disk"), ("alert", 6),
    ]  # fmt: skip


def test_a_hole_is_never_said_before_what_was_written_in_time(tmp_path: Path, alert: Alert) -> None:
    waiting: list[Any] = []

    class Full:
        """Takes what comes first, and no more until it is done."""

        def also(self, work: Any) -> bool:
            if len(waiting) == 2:
                return False
            waiting.append(work)
            return True

    journal = journal_in(tmp_path / "journal")
    journal._turn = Full()
    note(journal, alert, times=3)
    first, second = waiting
    waiting.clear()
    first()
    second()
    note(journal, alert)
    waiting[0]()

    assert wanted(journal, 1, 4) == [
        ("alert", 1), ("alert", 2), ("hole", 3, 3, "disk"), ("alert", 4),
    ]  # fmt: skip


def _no_space(*_: Any) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_line_cut_off_by_a_power_cut_is_a_hole_and_the_rest_is_said(
    tmp_path: Path, alert: Alert
) -> None:
    journal = journal_in(tmp_path / "journal")
    note(journal, alert, times=3)
    (part,) = files.parts(journal.folder)
    part.path.write_bytes(part.path.read_bytes()[:-20])

    assert wanted(journal, 2, 3) == [("alert", 2), ("hole", 3, 3, "never")]


def test_nothing_is_said_of_what_is_yet_to_come(tmp_path: Path, alert: Alert) -> None:
    journal = journal_in(tmp_path / "journal")
    note(journal, alert, times=2)

    assert wanted(journal, 2, 500) == [("alert", 2)]
    assert wanted(journal, 3, 500) == []


def test_what_is_only_not_yet_written_is_no_hole(
    tmp_path: Path, alert: Alert, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: list[Any] = []

    class Later:
        def also(self, work: Any) -> bool:
            waiting.append(work)
            return True

    journal = journal_in(tmp_path / "journal")
    note(journal, alert)
    journal._turn = Later()
    note(journal, alert, times=2)
    assert wanted(journal, 1, 9) == [("alert", 1)]
    assert wanted(journal, 2, 9) == []
    with monkeypatch.context() as full:
        full.setattr(os, "write", _no_space)
        for work in waiting:
            work()
        assert wanted(journal, 1, 9) == [("alert", 1)]
    journal.sync()

    assert wanted(journal, 1, 9) == [("alert", 1), ("alert", 2), ("alert", 3)]


def test_what_no_disk_took_is_said_though_no_line_marks_it_yet(
    tmp_path: Path, alert: Alert
) -> None:
    class Full:
        def also(self, work: Any) -> bool:
            return False

    journal = journal_in(tmp_path / "journal")
    note(journal, alert)
    journal._turn = Full()
    note(journal, alert, times=3)

    assert wanted(journal, 1, 9) == [("alert", 1), ("hole", 2, 4, "disk")]
    assert wanted(journal, 3, 3) == [("hole", 2, 3, "disk")]


def test_what_was_removed_is_said_to_be(tmp_path: Path, alert: Alert) -> None:
    journal = journal_in(tmp_path / "journal")

    assert wanted(journal, 1, 9, epoch=3) == [("hole", 1, 9, "removed")]


def test_files_are_short_and_the_oldest_go_first(
    tmp_path: Path, alert: Alert, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "PART_BYTES", 2000)
    journal = journal_in(tmp_path / "journal", most_bytes=6000)
    note(journal, alert, times=40)
    journal._prune_at = float("-inf")
    journal._dirty = True
    journal.sync()

    there = files.parts(journal.folder)
    assert sum(part.size_bytes for part in there) <= 6000
    assert there[0].first > 1
    assert wanted(journal, 1, 40)[0] == ("hole", 1, there[0].first - 1, "removed")
    assert wanted(journal, 1, 40)[-1] == ("alert", 40)


@pytest.mark.parametrize(
    ("most_bytes", "most_age_s", "going"),
    [(1e9, 1e9, 0), (250, 1e9, 1), (0, 1e9, 2), (1e9, 15, 2), (1e9, 25, 1), (1e9, 0, 2)],
)
def test_what_has_to_go(most_bytes: float, most_age_s: float, going: int) -> None:
    there = [Part(Path("x"), 1, n, 100, changed_at=n * 10.0) for n in range(3)]

    gone = files.removable(there, now=30.0, most_bytes=most_bytes, most_age_s=most_age_s)

    assert gone == there[:going]


def test_holes_fill_what_is_between(alert: Alert) -> None:
    def entry(sequence: int) -> JournalEntry:
        return JournalEntry(
            station=1, epoch=1, sequence=sequence, kind="alert", ts=1.0, alert=alert
        )

    range_ = holes.Range(1, 1, first=1, last=9, oldest=3)
    said = holes.filled(range_, map(entry, (4, 4, 6)), now=2.0)

    assert [(one.sequence, one.to, one.cause) for one in said] == [
        (1, 2, "removed"), (3, 3, "never"), (4, None, None), (5, 5, "never"), (6, None, None),
        (7, 9, "never"),
    ]  # fmt: skip


def test_a_request_is_answered_on_the_journals_topic_and_another_stations_is_not(
    tmp_path: Path, alert: Alert
) -> None:
    journal = journal_in(tmp_path / "journal")
    note(journal, alert, times=120)
    broker, clock, stop = MemoryBroker(), ManualClock(), threading.Event()
    bus = broker.bus(clock)
    rooms = itertools.chain([False], itertools.repeat(True))
    said_between: list[int] = []

    def has_room() -> bool:
        said_between.append(len(broker.messages(JOURNAL)))
        return next(rooms)

    replayer = Replayer(journal, bus, has_room=has_room, clock=clock)
    replayer.hear(ReplayRequest.parse({"epoch": 7, "from": 1, "to": 120, "station": 9}), None)  # type: ignore[arg-type]
    assert replayer._requests.empty()

    replayer._answer(ReplayRequest.parse({"epoch": 7, "from": 11, "to": 120}), stop)

    assert [one.sequence for one in broker.messages(JOURNAL)] == list(range(11, 121))
    assert max(b - a for a, b in itertools.pairwise(said_between)) <= 10


def test_a_disk_that_hangs_holds_up_neither_datagram_nor_the_retained_alert(
    tmp_path: Path, alert: Alert, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    from alerter.lifecycle.keeper import PATIENCE_S, Keeper
    from alerter.lifecycle.store import Store

    from hazardcast.machine.clock import SystemClock

    clock = SystemClock()
    store = Store(tmp_path / "state", clock)
    store.load()
    keeper = Keeper(store, clock)
    keeper.patience_s = PATIENCE_S
    journal = journal_in(tmp_path / "journal")
    journal._turn = keeper
    answers, offer = threading.Event(), LineFile.offer

    def hangs(file: LineFile) -> None:
        assert answers.wait(20.0)
        offer(file)

    monkeypatch.setattr(LineFile, "offer", hangs)
    began = time.monotonic()
    for _ in range(50):
        note(journal, alert)
        keeper.settle()
    took_s = time.monotonic() - began
    answers.set()
    keeper.close()

    assert took_s < PATIENCE_S + 1.0
    assert [one.sequence for one in kept(journal)] == list(range(1, 51))
