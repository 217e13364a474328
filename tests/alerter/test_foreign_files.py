"""What the system refuses the alerter is told in words; alerts go out all the same."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
from pathlib import Path
from typing import Any, NoReturn

import pytest
from alerter.doors.answers import Answer, Door
from alerter.doors.drop_folder import DropFolder
from alerter.ingest.refusal import Reason, Refusal
from alerter.lifecycle.store import Store

from hazardcast.testing import ManualClock


def test_a_volume_without_locks_blames_no_other_alerter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(fcntl, "flock", refuse)

    Store(tmp_path, ManualClock()).close()

    assert "keeps no locks" in caplog.text


def test_foreign_parts_of_the_journal_hold_up_no_start_and_stay(tmp_path: Path, desk: Any) -> None:
    desk.alert(lat=37, lon=127)
    (event,) = desk.register.events
    store = Store(tmp_path, ManualClock())
    store.load()
    store.put(event)
    store.close()
    (tmp_path / "events-old.jsonl").write_text('{"gone": "4097-1"}\n')
    (tmp_path / "events-7.jsonl").mkdir()

    again = Store(tmp_path, ManualClock())
    events = again.load()
    again.sync()
    again.close()

    assert [one.alert.event_id for one in events] == [event.alert.event_id]
    assert (tmp_path / "events-old.jsonl").exists()
    assert (tmp_path / "events-8.jsonl").stat().st_size


class Stops:
    """An event that is set after so many looks."""

    def __init__(self, looks: int) -> None:
        self._looks = looks

    def is_set(self) -> bool:
        self._looks -= 1
        return self._looks < 0

    def wait(self, _: float) -> bool:
        return False


def refused(*_: object) -> Answer:
    return Answer(Refusal(Reason.SCHEMA, "no", None))


def looks(drop: DropFolder, times: int) -> None:
    drop.run(Stops(times))  # type: ignore[arg-type]


def test_a_drop_folder_that_cannot_be_used_says_so_once_and_is_used_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    folder = tmp_path / "events"
    folder.mkdir()
    (folder / "done").write_text("")
    drop = DropFolder(folder, refused, ManualClock())

    looks(drop, 5)
    assert "a file where a folder is expected; move it away" in str(drop.problem)
    assert caplog.text.count("dropped files are not taken") == 1

    (folder / "done").unlink()
    looks(drop, 1)
    assert drop.problem is None
    assert "put away again" in caplog.text


def test_a_drop_folder_that_vanished_is_made_again(tmp_path: Path) -> None:
    drop = DropFolder(tmp_path / "events", refused, ManualClock())
    looks(drop, 1)
    os.rename(tmp_path / "events", tmp_path / "gone")  # noqa: PTH104

    looks(drop, 1)

    assert sorted(path.name for path in (tmp_path / "events").iterdir()) == ["done", "rejected"]


def test_a_dropped_file_whose_name_is_no_text_is_taken(tmp_path: Path) -> None:
    doors: list[Door] = []

    def accept(_: bytes, door: Door) -> Answer:
        doors.append(door)
        return refused()

    clock = ManualClock()
    drop = DropFolder(tmp_path, accept, clock)
    drop.look()
    (tmp_path / os.fsdecode(b"\xff.json")).write_text("{}")
    for _ in range(5):
        drop.look()
        clock.advance(0.2)

    assert [door.sender for door in doors] == ["\\xff.json"]
    assert len(list((tmp_path / "rejected").iterdir())) == 2, "the file and why"
