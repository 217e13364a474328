"""Who holds a file is where it lies: claims, locks, turns, and what the poller takes."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from privacy import folders as shelf
from privacy.claiming import Slot, free_the_dead, in_turn
from privacy.folders import Folders, Name
from privacy.poller import Poller

from hazardcast.machine.clock import SystemClock
from hazardcast.media.segments import segment_path
from hazardcast.testing import ManualClock

START = 1_800_000_000_000


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    made = Folders(tmp_path / "privacy")
    made.make()
    return made


def name(camera: str, number: int = 0) -> Name:
    start = START + number * 30_000
    return Name(start, camera, f"{start}-{start + 30_000}.ts")


def waits(folders: Folders, *names: Name) -> None:
    for one in names:
        path = shelf.place(folders.inbox, one)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"{one}".encode())


def test_cameras_take_turns_and_each_gives_its_oldest() -> None:
    waiting = [*(name("north", n) for n in range(1000)), name("south", 5), name("west", 3)]

    first = in_turn(waiting, after=None, busy=frozenset())
    second = in_turn(waiting, after="north", busy=frozenset())

    assert first[0] == name("north")
    assert second == [name("south", 5), name("west", 3), name("north")]


def test_a_camera_that_another_worker_serves_comes_last() -> None:
    order = in_turn([name("north"), name("south", 9)], after=None, busy=frozenset({"north"}))

    assert [one.camera for one in order] == ["south", "north"]


def test_a_file_is_claimed_by_one_of_many(folders: Folders) -> None:
    names = [name(f"camera-{n % 3}", n) for n in range(30)]
    waits(folders, *names)
    claimed: list[Name] = []

    def claim_all(number: int) -> None:
        slot = Slot(folders, number, clock=SystemClock())
        while one := slot.claim():
            claimed.append(one)
        slot.close()

    threads = [threading.Thread(target=claim_all, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(claimed) == sorted(names)
    assert not shelf.listed(folders.inbox)
    assert sorted(shelf.held_elsewhere(folders)) == sorted(names)


def test_a_slot_has_one_holder(folders: Folders) -> None:
    slot = Slot(folders, 1, clock=ManualClock())

    with pytest.raises(BlockingIOError):
        Slot(folders, 1, clock=ManualClock())
    slot.close()
    Slot(folders, 1, clock=ManualClock()).close()


def test_what_the_dead_held_waits_again_and_what_the_living_hold_does_not(folders: Folders) -> None:
    waits(folders, name("north"), name("south"))
    dead, alive = (Slot(folders, number, clock=ManualClock()) for number in (1, 2))
    lost, kept = dead.claim(), alive.claim()
    dead.close()

    assert free_the_dead(folders) == [lost]
    assert shelf.listed(folders.inbox) == [lost]
    assert alive.held() == [kept]
    alive.close()


def test_half_written_files_of_before_are_cleared(folders: Folders) -> None:
    (folders.tmp / "1").mkdir()
    (folders.tmp / "1" / "half.ts").write_bytes(b"half")

    slot = Slot(folders, 1, clock=ManualClock())

    assert not list(slot.tmp.iterdir())
    slot.close()


def test_a_move_onto_a_link_to_the_same_file_leaves_one(folders: Folders) -> None:
    waits(folders, name("north"))
    waiting = shelf.place(folders.inbox, name("north"))
    held = shelf.place(folders.work / "1", name("north"))
    held.parent.mkdir(parents=True)
    os.link(waiting, held)

    shelf.put_in(held, folders.inbox, name("north"))

    assert not held.exists()
    assert waiting.exists()


class TestPolling:
    """What of the recorder's folder is taken."""

    @pytest.fixture
    def recordings(self, tmp_path: Path) -> Path:
        return tmp_path / "recordings"

    def record(self, recordings: Path, camera: str, number: int, content: bytes = b"ts") -> Path:
        start = START + number * 30_000
        path = segment_path(recordings, camera, start, start + 30_000)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def test_a_finished_segment_is_linked_once(self, recordings: Path, folders: Folders) -> None:
        path = self.record(recordings, "north", 0)
        poller = Poller(recordings, folders, ["north"])

        assert poller.poll() == []
        assert poller.poll() == [name("north")]
        assert poller.poll() == []
        assert shelf.place(folders.inbox, name("north")).samefile(path)

    def test_a_growing_one_is_taken_once_it_has_grown(
        self, recordings: Path, folders: Folders
    ) -> None:
        poller = Poller(recordings, folders, ["north"])
        for length in range(1, 4):
            self.record(recordings, "north", 0, b"t" * length)
            assert poller.poll() == []

        assert poller.poll() == [name("north")]

    def test_retention_may_take_the_recording(self, recordings: Path, folders: Folders) -> None:
        path = self.record(recordings, "north", 0, b"pictures")
        poller = Poller(recordings, folders, ["north"])
        poller.poll()
        poller.poll()

        path.unlink()

        assert shelf.place(folders.inbox, name("north")).read_bytes() == b"pictures"

    @pytest.mark.parametrize("where", ["inbox", "work", "out", "quarantine"])
    def test_what_is_known_is_not_taken_again(
        self, where: str, recordings: Path, folders: Folders
    ) -> None:
        self.record(recordings, "north", 0)
        root = folders.work / "1" if where == "work" else getattr(folders, where)
        path = shelf.place(root, name("north"))
        path.parent.mkdir(parents=True)
        path.write_bytes(b"known")
        poller = Poller(recordings, folders, ["north"])

        assert [poller.poll() for _ in range(3)] == [[], [], []]

    def test_nothing_is_written_where_the_recorder_writes(
        self, recordings: Path, folders: Folders
    ) -> None:
        for number in range(3):
            self.record(recordings, "north", number)
        before = sorted(recordings.rglob("*"))
        poller = Poller(recordings, folders, ["north", "not recorded yet"])

        assert len([*poller.poll(), *poller.poll()]) == 3
        assert sorted(recordings.rglob("*")) == before

    def test_what_is_too_old_is_left(self, recordings: Path, folders: Folders) -> None:
        for number in range(3):
            self.record(recordings, "north", number)
        poller = Poller(recordings, folders, ["north"])
        since = (START + 70_000) / 1000

        assert [*poller.poll(since=since), *poller.poll(since=since)] == [name("north", 2)]

    def test_where_no_link_can_be_made_the_bytes_are_copied(
        self, recordings: Path, folders: Folders, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refused(*_: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        path = self.record(recordings, "north", 0, b"pictures")
        poller = Poller(recordings, folders, ["north"])
        poller.poll()
        monkeypatch.setattr(os, "link", refused)

        assert poller.poll() == [name("north")]
        taken = shelf.place(folders.inbox, name("north"))
        assert taken.read_bytes() == b"pictures"
        assert not taken.samefile(path)
