from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from alerter.doors.answers import Answer, Door
from alerter.doors.drop_folder import DropFolder
from alerter.doors.drop_watch import DropWatch, Seen, is_candidate
from alerter.ingest.refusal import Reason, Refusal
from alerter.lifecycle.events import Event
from alerter.lifecycle.register import Outcome

from hazardcast.contract import reports
from hazardcast.contract.messages import Incident
from hazardcast.contract.reports import Unreadable
from hazardcast.machine.clock import SystemClock
from hazardcast.testing import ManualClock, SignedStation, eventually

TAKEN = Event(SignedStation().alert(), began_at=0.0, life_s=900, evidence_at=0.0, source="")


class Box:
    """A drop folder by hand: look, let time pass, look again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.taken: list[Incident] = []
        self.doors: list[Door] = []
        self.refuse = False
        self.clock = ManualClock()
        self.drop = DropFolder(folder, self.accept, self.clock)

    def accept(self, payload: bytes, door: Door) -> Answer:
        reading = reports.read(payload)
        if isinstance(reading, Unreadable):
            problem = reading.problem
            return Answer(Refusal(Reason.SCHEMA, problem.reason, problem.field))
        self.taken.append(reading.incident)
        self.doors.append(door)
        if self.refuse:
            return Answer(Refusal(Reason.STALE, "90.0 s old", "ts"))
        return Answer(Outcome("new", TAKEN), reading.warnings)

    def look(self, times: int = 4) -> None:
        for _ in range(times):
            self.drop.look()
            self.clock.advance(0.2)

    def names(self, child: str) -> list[str]:
        return sorted(path.name for path in (self.folder / child).iterdir())


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "events")


def test_a_good_file_is_taken_once_and_kept_as_done(box: Box) -> None:
    (box.folder / "a.json").write_text('{"type":"fire","road":"세종로"}', encoding="utf-8")
    box.look(8)
    assert [incident.road for incident in box.taken] == ["세종로"]
    assert box.names("done") == ["a.json"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "not JSON"),
        (b"", "not JSON"),
        (b"[1]", "expected a JSON object"),
        (b'{"type":"fire","status":"gone"}', "status: "),
        (b'{"severity":"high"}', "type: "),
        (b"\xff\xfe\x00", "not JSON"),
        (b'{"type":"fire","road":"' + b"x" * 70_000 + b'"}', "at most 65536"),
    ],
)
def test_a_bad_file_is_put_aside_with_the_reason(box: Box, content: bytes, reason: str) -> None:
    (box.folder / "b.json").write_bytes(content)
    box.look()
    assert box.names("rejected") == ["b.json", "b.json.reason.txt"]
    assert reason in (box.folder / "rejected" / "b.json.reason.txt").read_text()
    assert (box.folder / "rejected" / "b.json").read_bytes() == content
    assert box.taken == []


def test_what_could_not_be_used_lies_beside_the_file(box: Box) -> None:
    (box.folder / "a.json").write_text('{"type":"fire","distance_m":NaN,"severity":"High"}')
    box.look()
    assert box.names("done") == ["a.json", "a.json.warnings.txt"]
    lines = (box.folder / "done" / "a.json.warnings.txt").read_text().splitlines()
    assert [line.split(":")[0] for line in lines] == ["severity", "distance_m"]
    assert "(used high)" in lines[0]
    assert [(door.kind, door.sender) for door in box.doors] == [("file", "a.json")]


def test_an_incident_that_is_refused_is_a_bad_file(box: Box) -> None:
    box.refuse = True
    (box.folder / "old.json").write_text('{"type":"fire"}')
    box.look()
    assert (box.folder / "rejected" / "old.json.reason.txt").read_text() == "ts: 90.0 s old\n"


def test_files_are_taken_in_the_order_they_were_written(box: Box) -> None:
    for age, name in ((1, "z"), (3, "a"), (2, "m")):
        path = box.folder / f"{name}.json"
        path.write_text(f'{{"type":"fire","road":"{name}"}}')
        os.utime(path, (1000 - age, 1000 - age))
    box.look()
    assert [incident.road for incident in box.taken] == ["a", "m", "z"]


def test_a_name_that_was_used_before_overwrites_nothing(box: Box) -> None:
    for _ in range(2):
        (box.folder / "a.json").write_text('{"type":"fire"}')
        box.look()
    assert box.names("done") == ["a-1.json", "a.json"]


def test_links_pipes_folders_and_unfinished_names_are_no_incidents(
    box: Box, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text('{"type":"fire"}')
    (box.folder / "link.json").symlink_to(secret)
    os.mkfifo(box.folder / "pipe.json")
    (box.folder / "folder.json").mkdir()
    (box.folder / ".hidden.json").write_text('{"type":"fire"}')
    (box.folder / "later.json.part").write_text('{"type":"fire"}')
    box.look()
    assert box.taken == []
    assert box.names("rejected") == [
        "link.json", "link.json.reason.txt", "pipe.json", "pipe.json.reason.txt",
    ]  # fmt: skip
    assert secret.exists()
    assert (box.folder / "later.json.part").exists()


def test_a_file_that_cannot_be_moved_is_not_taken_again_and_again(box: Box) -> None:
    (box.folder / "a.json").write_text('{"type":"fire"}')
    (box.folder / "done").rmdir()
    (box.folder / "done").write_text("in the way")
    box.look(10)
    assert len(box.taken) == 1


def test_a_file_that_could_not_be_moved_is_put_away_when_it_can_be_and_not_told_at_the_next_start(
    box: Box,
) -> None:
    (box.folder / "a.json").write_text('{"type":"fire","status":"mistyped"}')
    (box.folder / "b.json").write_text('{"type":"fire"}')
    for child in ("done", "rejected"):
        (box.folder / child).rename(box.folder / f".{child}")
    box.look(10)
    assert (box.folder / "a.json").exists()
    assert (box.folder / "b.json").exists()

    for child in ("done", "rejected"):
        (box.folder / f".{child}").rename(box.folder / child)
    box.look(1)
    restarted = Box(box.folder)
    restarted.look(10)

    assert box.names("done") == ["b.json"]
    assert box.names("rejected") == ["a.json", "a.json.reason.txt"]
    assert not restarted.taken


def test_a_file_that_breaks_its_reader_is_put_aside_and_holds_up_no_other(box: Box) -> None:
    accept = box.accept

    def breaks(payload: bytes, door: Door) -> Answer:
        if b"fire" in payload:
            raise RuntimeError("an error of ours")
        return accept(payload, door)

    box.drop = DropFolder(box.folder, breaks, box.clock)
    (box.folder / "a.json").write_text('{"type":"fire"}')
    (box.folder / "b.json").write_text('{"type":"collision"}')
    box.look()

    assert box.names("rejected") == ["a.json", "a.json.reason.txt"]
    assert box.names("done") == ["b.json"]


def test_what_was_written_over_a_file_that_could_not_be_moved_is_taken_too(box: Box) -> None:
    (box.folder / "a.json").write_text('{"type":"fire"}')
    (box.folder / "done").rename(box.folder / ".done")
    box.look(10)
    (box.folder / "a.json").write_text('{"type":"collision"}')
    (box.folder / ".done").rename(box.folder / "done")
    box.look(10)

    assert [incident.type for incident in box.taken] == ["fire", "collision"]
    assert box.names("done") == ["a.json"]


@pytest.mark.parametrize("name", [".x", "x.tmp", "x.part", "x~", ".x.swp"])
def test_names_of_unfinished_files(name: str) -> None:
    assert not is_candidate(name)


def test_a_file_settles_only_when_size_and_time_rest() -> None:
    watch = DropWatch()
    grown = [Seen("a", size, size, 1) for size in (1, 2, 3)]
    assert [watch.settled([seen], 0.4 * at) for at, seen in enumerate(grown)] == [[], [], []]
    assert watch.settled([grown[-1]], 1.2) == []
    assert watch.settled([grown[-1]], 1.3) == [grown[-1]]


def test_a_file_written_slowly_is_read_whole(tmp_path: Path) -> None:
    """In real time: half of it is there for longer than a poll, but never at rest for 0.5 s."""
    taken: list[bytes] = []
    folder, stop = tmp_path / "events", threading.Event()

    def accept(payload: bytes, _door: Door) -> Answer:
        taken.append(payload)
        return Answer(Outcome("new", TAKEN))

    drop = DropFolder(folder, accept, SystemClock())
    thread = threading.Thread(target=drop.run, args=(stop,))
    thread.start()
    try:
        with (folder / "slow.json").open("w") as file:
            for part in ('{"type":', '"fire",', '"road":', '"A1"', "}"):
                file.write(part)
                file.flush()
                time.sleep(0.25)
        eventually(lambda: taken, what="the file is taken")
        eventually((folder / "done" / "slow.json").exists)
    finally:
        stop.set()
        thread.join()
    assert taken == [b'{"type":"fire","road":"A1"}']
    assert not list((folder / "rejected").iterdir())


def test_a_file_that_lay_here_before_the_start_says_for_how_long(box: Box) -> None:
    path = box.folder / "night.json"
    path.write_text('{"type":"collision"}')
    box.clock.step(path.stat().st_ctime + 7200 - box.clock.now())
    box.look()

    assert box.doors[0].waited_s == pytest.approx(7200, abs=2)


@pytest.mark.parametrize("gone", ["taken", "removed"])
def test_a_name_that_comes_again_while_we_look_is_a_new_file(box: Box, gone: str) -> None:
    path = box.folder / "alarm.json"
    path.write_text('{"type":"collision"}')
    if gone == "removed":
        box.look(1)
        path.unlink()
    box.look()
    path.write_text('{"type":"fire"}')
    box.clock.step(path.stat().st_ctime + 7200 - box.clock.now())
    box.look()

    assert (box.taken[-1].type, box.doors[-1].waited_s) == ("fire", 0.0)


def test_a_name_that_is_written_anew_before_the_next_look_is_a_new_file(box: Box) -> None:
    (box.folder / "done").rmdir()
    (box.folder / "done").write_text("in the way")
    path = box.folder / "alarm.json"
    for kind in ("collision", "fire and more"):
        path.write_text(f'{{"type":"{kind}"}}')
        box.clock.step(path.stat().st_ctime + 7200 - box.clock.now())
        box.look()

    assert [door.waited_s > 0.0 for door in box.doors] == [True, False]


def test_a_file_that_comes_while_we_look_has_not_waited_whatever_its_disk_s_clock_says(
    box: Box,
) -> None:
    box.look(1)
    path = box.folder / "now.json"
    path.write_text('{"type":"collision"}')
    box.clock.step(path.stat().st_ctime + 7200 - box.clock.now())
    box.look()

    assert box.doors[0].waited_s == 0.0
