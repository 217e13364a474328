"""Killed at any step on the disk, the clip still comes, once and whole."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

STEPS = [
    (os, "fsync"), (os, "link"), (shutil, "rmtree"),
    (Path, "mkdir"), (Path, "rename"), (Path, "replace"), (Path, "unlink"), (Path, "write_bytes"),
]  # fmt: skip


class KilledError(BaseException):
    """The process ends here: nothing may catch it."""


class Countdown:
    """Ends the process before the n-th step on the disk."""

    def __init__(self, patch: pytest.MonkeyPatch, steps: int) -> None:
        self.left = steps
        for owner, name in STEPS:
            patch.setattr(owner, name, self._counted(getattr(owner, name)))

    def _counted(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **more: Any) -> Any:
            self.left -= 1
            if self.left <= 0:
                raise KilledError
            return work(*args, **more)

        return run


def live(bench: Any, ts: float) -> None:
    """A life in which everything succeeds: the message comes (again), the work is done."""
    clipper = bench.start()
    bench.ask(ts=ts, pre_s=20, post_s=10)
    for _ in range(3):
        clipper.tick()


def die_after(bench: Any, ts: float, steps: int) -> bool:
    """A life of so many steps; False when it was long enough to finish."""
    with pytest.MonkeyPatch.context() as patch:
        countdown = Countdown(patch, steps)
        try:
            live(bench, ts)
        except KilledError:
            return True
        return countdown.left <= 0  # killed inside a build, which keeps the error


def test_a_crash_at_any_step_neither_loses_nor_doubles_the_clip(bench: Any) -> None:
    bench.record(bench.clock.now() - 60, 60)
    ts, steps = bench.clock.now() - 30, 0
    while True:
        steps += 1
        shutil.rmtree(bench.clips_dir, ignore_errors=True)
        bench.broker.retained.clear()
        died = die_after(bench, ts, steps)
        live(bench, ts)
        stem = f"accident_{int(ts)}_north"
        assert bench.files() == [f"{stem}.jpg", f"{stem}.json", f"{stem}.jws", f"{stem}.mp4"], steps
        assert bench.jobs() == [], steps
        manifest = json.loads((bench.clips_dir / f"{stem}.json").read_text())
        assert manifest["video"]["bytes"] == (bench.clips_dir / f"{stem}.mp4").stat().st_size
        assert json.loads(bench.broker.retained["v2x/clips/4097-1"])["state"] == "ready"
        bench.kill()
        if not died:
            break
    assert steps > 20


def test_crash_after_crash_gets_there_in_the_end(bench: Any) -> None:
    bench.record(bench.clock.now() - 60, 60)
    ts = bench.clock.now() - 30
    for steps in (3, 5, 7, 9, 11, 13, 15, 17, 12, 8):
        die_after(bench, ts, steps)
    live(bench, ts)

    assert len(bench.files()) == 4
    assert bench.jobs() == []


def test_what_a_crash_left_half_written_is_cleared_away(bench: Any) -> None:
    for name in (".new-a", ".old-b"):
        (bench.jobs_dir / name / "segments").mkdir(parents=True)
    (bench.jobs_dir / "broken").mkdir()
    (bench.jobs_dir / "broken" / "job.json").write_text("{")
    bench.start()

    assert bench.jobs() == ["broken"]
