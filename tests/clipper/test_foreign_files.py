"""What the system refuses one clip is told in words, and costs no other anything."""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path
from typing import Any, NoReturn

import pytest


def refuse(number: int) -> Any:
    def no(path: object, *_: object, **__: object) -> NoReturn:
        raise OSError(number, os.strerror(number), str(path))

    return no


def finish(bench: Any, clipper: Any, seconds: float = 60.0) -> None:
    for _ in range(round(seconds / 0.5)):
        clipper.tick()
        bench.clock.advance(0.5)


def test_a_segment_that_cannot_be_read_is_left_out_of_its_clip_alone(
    bench: Any, caplog: pytest.LogCaptureFixture
) -> None:
    paths = bench.record(bench.clock.now() - 60, 60)
    paths[1].unlink()
    paths[1].mkdir()
    paths[2].unlink()
    paths[2].symlink_to(paths[2].name)
    clipper = bench.start()
    bench.ask(ts=bench.clock.now() - 30, pre_s=25, post_s=25)

    finish(bench, clipper)

    assert bench.words()[-1] == "partial"
    assert "Traceback" not in caplog.text


def test_an_hour_and_a_run_log_that_cannot_be_read_hold_up_no_clip(
    bench: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bench.record(bench.clock.now() - 60, 60)
    (bench.recordings_dir / "north" / "runs.jsonl").mkdir()
    clipper = bench.start()
    bench.ask(ts=bench.clock.now() - 30, pre_s=20, post_s=10)
    clipper.tick()
    clipper.tick()
    assert bench.words()[-1] == "ready"

    monkeypatch.setattr(Path, "iterdir", _not_into_hours(Path.iterdir))
    bench.ask("4097-2", ts=bench.clock.now() - 30, pre_s=20, post_s=10)
    finish(bench, clipper)

    assert bench.words("4097-2")[-1] == "failed"
    assert caplog.text.count("passed over") == 2, "said once, not at each look"


def _not_into_hours(whole: Any) -> Any:
    def iterdir(path: Path) -> Any:
        if path.name[8:9] == "T":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return whole(path)

    return iterdir


def test_another_users_leftovers_among_the_jobs_keep_the_clipper_from_no_start(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bench.jobs_dir / ".new-4097-9" / "segments").mkdir(parents=True)
    (bench.jobs_dir / "4097-8" / "job.json").mkdir(parents=True)
    monkeypatch.setattr("clipper.store.shutil.rmtree", refuse(errno.EACCES))

    bench.start()

    assert bench.jobs() == [".new-4097-9", "4097-8"]


def test_a_job_that_cannot_be_removed_does_not_undo_its_clip(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.record(bench.clock.now() - 60, 60)
    clipper = bench.start()
    monkeypatch.setattr("clipper.store.shutil.rmtree", refuse(errno.EACCES))
    bench.ask(ts=bench.clock.now() - 30, pre_s=10, post_s=10)

    finish(bench, clipper, 3)

    assert bench.words()[-1] == "ready"
    assert bench.builder.built == 1


def test_a_clip_that_cannot_be_removed_holds_up_no_other(bench: Any) -> None:
    bench.longest_s = 60.0
    bench.record(bench.clock.now() - 60, 60)
    clipper = bench.start()
    for number in (1, 2):
        bench.ask(f"4097-{number}", ts=bench.clock.now() - 20 * number, pre_s=5, post_s=5)
        finish(bench, clipper, 2)
    blocked, other = sorted(bench.clips_dir.glob("*.mp4"))
    blocked.unlink()
    blocked.mkdir()
    for path in bench.clips_dir.glob("accident_*"):
        os.utime(path, (bench.clock.now() - 1000,) * 2)

    clipper.clear_old()

    assert not other.exists()
    assert blocked.is_dir()


def test_a_request_that_finds_no_folder_is_kept_in_memory(bench: Any) -> None:
    bench.record(bench.clock.now() - 60, 60)
    clipper = bench.start()
    os.rename(bench.jobs_dir, bench.data_dir / "away")  # noqa: PTH104

    bench.ask(ts=bench.clock.now() - 30, pre_s=10, post_s=10)
    os.rename(bench.data_dir / "away", bench.jobs_dir)  # noqa: PTH104
    finish(bench, clipper, 2)

    assert bench.words()[-1] == "ready"


def test_why_segments_cannot_be_kept_is_told_in_words_and_once(
    bench: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bench.record(bench.clock.now() - 60, 60)
    clipper = bench.start()
    monkeypatch.setattr("clipper.store.os.link", refuse(errno.EROFS))
    bench.ask(ts=bench.clock.now() - 30, pre_s=10, post_s=10)

    finish(bench, clipper, 5)

    assert "mounted for reading only; mount it for writing" in str(bench.states()[-1].detail)
    errors = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert all(one.exc_info is None for one in errors)
