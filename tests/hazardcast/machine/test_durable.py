"""What a power cut finds: the old file or the new one, never half of it, never an empty one."""

from __future__ import annotations

import errno
import hashlib
import multiprocessing
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alerter.lifecycle.store import Store
from recorder.adoption import TimeNote
from recorder.disk import Shelf
from vehicle_agent.memory import Memory

from hazardcast.machine import durable
from hazardcast.media.archives import Archive, write
from hazardcast.media.segments import Run, Segment, replace_runs
from hazardcast.signing.trust import write_private, write_truststore
from hazardcast.testing import ManualClock
from hazardcast.vision.models.download import fetch

Steps = list[tuple[str, ...]]


def name_of(descriptor: int) -> str:
    return Path(f"/proc/self/fd/{descriptor}").readlink().name


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    """What is asked of the disk, in order; a draft goes by the name `draft`."""
    taken: Steps = []
    fsync, replace = os.fsync, os.replace

    def flushed(descriptor: int) -> None:
        fsync(descriptor)
        taken.append(("flush", _plain(name_of(descriptor))))

    def renamed(old: Path, new: Path) -> None:
        replace(old, new)
        taken.append(("rename", _plain(old.name), new.name))

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(os, "replace", renamed)
    return taken


def _plain(name: str) -> str:
    return "draft" if name.startswith(".") else name


def test_bytes_reach_the_disk_before_the_name_and_the_name_before_it_is_promised(
    tmp_path: Path, steps: Steps
) -> None:
    durable.write(tmp_path / "state.json", "new")

    assert steps == [
        ("flush", "draft"),
        ("rename", "draft", "state.json"),
        ("flush", tmp_path.name),
    ]
    assert (tmp_path / "state.json").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_a_file_made_elsewhere_gets_its_name_in_the_same_order(
    tmp_path: Path, steps: Steps
) -> None:
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "clip.mp4").write_text("video")

    durable.put(tmp_path / "build" / "clip.mp4", tmp_path / "accident.mp4")

    assert steps == [
        ("flush", "clip.mp4"), ("rename", "clip.mp4", "accident.mp4"), ("flush", tmp_path.name),
    ]  # fmt: skip


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_disk_that_refuses_leaves_the_old_file_and_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    durable.write(tmp_path / "state.json", "old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(OSError, match="No space left"):
        durable.write(tmp_path / "state.json", "new")

    assert (tmp_path / "state.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_a_file_system_that_cannot_flush_folders_still_keeps_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync

    def no_folders(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", no_folders)
    durable.write(tmp_path / "state.json", "new")

    assert (tmp_path / "state.json").read_text() == "new"


def test_a_private_file_is_never_readable_by_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []
    fsync = os.fsync

    def seen(descriptor: int) -> None:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", seen)
    durable.write(tmp_path / "key", "secret", mode=0o600)

    assert modes == [0o600]
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def hold_until_told(path: Path, held: Any, end: Any) -> None:
    durable.lock(path)
    held.set()
    end.wait(20.0)


def test_a_lock_is_held_by_one_process_until_that_ends(tmp_path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    held, end = fork.Event(), fork.Event()
    other = fork.Process(target=hold_until_told, args=(tmp_path / "lock", held, end))
    other.start()
    assert held.wait(20.0)

    with pytest.raises(BlockingIOError):
        durable.lock(tmp_path / "lock")

    other.kill()
    other.join()
    os.close(durable.lock(tmp_path / "lock"))


def test_a_holder_that_is_about_to_go_is_waited_for(tmp_path: Path) -> None:
    first, clock = durable.lock(tmp_path / "lock"), ManualClock()
    began = clock.monotonic()
    with pytest.raises(BlockingIOError):
        durable.lock(tmp_path / "lock", within_s=10.0, clock=clock)
    assert clock.monotonic() - began == pytest.approx(10.0, abs=durable.LOCK_AGAIN_S)
    os.close(first)

    os.close(durable.lock(tmp_path / "lock", within_s=10.0, clock=clock))


def test_a_lock_that_is_refused_leaves_no_descriptor_behind(tmp_path: Path) -> None:
    first = durable.lock(tmp_path / "lock")
    before = open_files()
    for _ in range(5):
        with pytest.raises(BlockingIOError):
            durable.lock(tmp_path / "lock")

    assert open_files() == before
    os.close(first)


def test_on_a_disk_that_takes_nothing_the_lock_of_an_earlier_start_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.close(durable.lock(tmp_path / "lock"))
    opened = os.open

    def read_only(path: Any, flags: int, *more: int) -> int:
        if flags & os.O_CREAT:
            raise OSError(errno.EROFS, "Read-only file system")
        return opened(path, flags, *more)

    monkeypatch.setattr(os, "open", read_only)
    os.close(durable.lock(tmp_path / "lock"))
    with pytest.raises(OSError, match="Read-only"):
        durable.lock(tmp_path / "none yet")


def a_segment(folder: Path) -> Segment:
    folder.mkdir(exist_ok=True)
    path = folder / "1800000000000-1800000010000.ts"
    path.write_bytes(b"G" + bytes(187))
    return Segment(1_800_000_000_000, 1_800_000_010_000, path)


def a_shelf(folder: Path) -> Shelf:
    shelf = Shelf(folder, "north")
    shelf.claim()
    return shelf


def close_a_segment(folder: Path) -> None:
    shelf = a_shelf(folder)
    shelf.keep(a_segment(shelf.open_folder).path, 1_800_000_000_000, 1_800_000_010_000)


def fetch_a_model(folder: Path) -> None:
    (folder / "source").write_bytes(b"net")
    digest = hashlib.sha256(b"net").hexdigest()
    fetch((folder / "source").as_uri(), folder / "net.onnx", sha256=digest)


WRITERS: dict[str, Callable[[Path], object]] = {
    "the alerter's numbers": lambda folder: Store(folder, ManualClock()).reserve_number(9),
    "a vehicle's memory": lambda folder: Memory(folder).save_alerts([]),
    "the trust store": lambda folder: write_truststore(folder / "t.json", version=1, entries=[]),
    "a signing key": lambda folder: write_private(folder / "key.jwk", "{}"),
    "the run log": lambda folder: replace_runs(folder.parent, folder.name, [Run(1.0, 2.0, None)]),
    "the times of open files": lambda folder: a_shelf(folder).note("a", TimeNote(1.0)),
    "the live playlist": lambda folder: a_shelf(folder).write_playlist("#EXTM3U"),
    "a recording": close_a_segment,
    "a long recording": lambda folder: write(Archive((a_segment(folder),)), folder, "north"),
    "a model": fetch_a_model,
}
"""Who writes a file that must outlive a power cut → how it is made to."""


@pytest.mark.parametrize("writer", WRITERS)
def test_whoever_writes_what_outlives_the_process_keeps_the_order(
    writer: str, tmp_path: Path, steps: Steps
) -> None:
    WRITERS[writer](tmp_path)

    kinds = [step[0] for step in steps]
    renamed = kinds.index("rename")
    assert steps[renamed - 1] == ("flush", steps[renamed][1]), "the bytes first"
    assert kinds[renamed + 1 :], "the folder's names last"
    assert set(kinds[renamed + 1 :]) == {"flush"}
