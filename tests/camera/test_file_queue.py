"""Whose turn it is among the files of a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from camera import queue_folder
from camera.file_queue import SETTLED_S, FileQueue, Look, takes


def look(size: int = 100, changed_ns: int = 1) -> Look:
    return Look(size, changed_ns, inode=7)


def settled(queue: FileQueue, *names: str, at_s: float = 0.0) -> None:
    """These lie there, have come to rest, and can be played."""
    found = {name: look() for name in names}
    queue.look(found, at_s)
    for name in queue.look(found, at_s + SETTLED_S):
        queue.admit(name, width=640, height=360)


def test_together_come_by_name_and_numbers_count_as_numbers() -> None:
    queue = FileQueue(loop=False)
    settled(queue, "cam-10.mp4", "cam-2.mp4", "cam-1.mp4")

    assert [queue.take() for _ in range(4)] == ["cam-1.mp4", "cam-2.mp4", "cam-10.mp4", None]


def test_who_comes_later_waits_behind_though_the_name_is_earlier() -> None:
    queue = FileQueue(loop=False)
    settled(queue, "b.mp4", "c.mp4")
    settled(queue, "a.mp4", "b.mp4", "c.mp4", at_s=10)

    assert [queue.take() for _ in range(3)] == ["b.mp4", "c.mp4", "a.mp4"]


def test_a_file_that_grows_or_is_empty_is_not_ready() -> None:
    queue = FileQueue(loop=False)
    for second in range(10):
        assert queue.look({"a.mp4": look(size=second + 1), "e.mp4": look(size=0)}, second) == []

    assert queue.look({"a.mp4": look(size=10)}, 9 + SETTLED_S) == ["a.mp4"]
    assert queue.arriving == 1


def test_a_file_that_somebody_writes_is_waited_for_anew() -> None:
    queue = FileQueue(loop=False)
    queue.look({"a.mp4": look()}, 0)
    queue.is_written("a.mp4", 5)

    assert queue.look({"a.mp4": look()}, 5 + SETTLED_S - 0.1) == []
    assert queue.look({"a.mp4": look()}, 5 + SETTLED_S) == ["a.mp4"]


def test_a_loop_goes_round_and_a_new_file_comes_next() -> None:
    queue = FileQueue(loop=True)
    settled(queue, "a.mp4", "b.mp4")
    first = [queue.take() for _ in range(3)]
    settled(queue, "a.mp4", "b.mp4", "new.mp4", at_s=10)

    assert first == ["a.mp4", "b.mp4", "a.mp4"]
    assert [queue.take() for _ in range(5)] == ["new.mp4", "b.mp4", "a.mp4", "b.mp4", "new.mp4"]


def test_what_was_played_and_changed_is_a_new_file() -> None:
    queue = FileQueue(loop=False)
    settled(queue, "a.mp4")
    queue.take()
    queue.look({"a.mp4": look(changed_ns=2)}, 10)

    assert not queue.has_played("a.mp4")
    assert queue.take() is None, "it is being written"
    assert queue.look({"a.mp4": look(changed_ns=2)}, 10 + SETTLED_S) == ["a.mp4"]


def test_a_refused_file_tells_why_until_it_changes() -> None:
    queue = FileQueue(loop=True)
    settled(queue, "a.mp4")
    queue.refuse("a.mp4", "no index")

    assert queue.take() is None
    assert queue.refused == {"a.mp4": "no index"}
    queue.look({"a.mp4": look(size=200)}, 10)
    assert queue.refused == {}


def test_what_was_not_played_to_its_end_comes_first_again() -> None:
    queue = FileQueue(loop=False)
    settled(queue, "a.mp4", "b.mp4", "c.mp4")
    taken = [queue.take(), queue.take()]
    queue.put_back([name for name in taken if name])

    assert [queue.take() for _ in range(4)] == ["a.mp4", "b.mp4", "c.mp4", None]


def test_a_file_that_is_gone_is_forgotten() -> None:
    queue = FileQueue(loop=True)
    settled(queue, "a.mp4", "b.mp4")
    queue.take()
    queue.look({}, 20)

    assert queue.take() is None
    assert queue.waiting == 0


@pytest.mark.parametrize("name", [".a.mp4.Xy12", "a.mp4.part", "a.MP4.TMP", "b.crdownload", "a~"])
def test_names_of_files_that_are_being_written_are_passed_over(name: str) -> None:
    assert not takes(name)
    assert takes("a.mp4")


def test_only_plain_files_are_seen(tmp_path: Path) -> None:
    (tmp_path / "done").mkdir()
    (tmp_path / "a.mp4").write_bytes(b"1")
    (tmp_path / "gone.mp4").symlink_to(tmp_path / "nowhere")

    assert list(queue_folder.looks(tmp_path)) == ["a.mp4"]


def test_a_file_that_a_process_has_open_for_writing_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with path.open("wb") as writer:
        writer.write(b"half")
        writer.flush()
        assert queue_folder.is_being_written(path)
    assert not queue_folder.is_being_written(path)


def test_a_finished_file_takes_no_other_files_place(tmp_path: Path) -> None:
    for text in ("one", "two"):
        (tmp_path / "a.mp4").write_text(text)
        queue_folder.move_to_done(tmp_path, "a.mp4")

    kept = {path.name: path.read_text() for path in (tmp_path / "done").iterdir()}
    assert kept == {"a.mp4": "one", "a-2.mp4": "two"}
