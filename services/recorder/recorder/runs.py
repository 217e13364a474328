"""The log of runs: when continuous recording began, why it ended, and the gaps between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hazardcast.contract.vocabulary import RunCause
from hazardcast.media import segments
from hazardcast.media.coverage import FRAME_TOLERANCE_S
from hazardcast.media.segments import Run
from recorder import metrics


@dataclass
class RunLog:
    """Runs of one camera; a line when one begins, another when it ends."""

    recordings_dir: Path
    camera: str
    _run: Run | None = None
    _last_end: float | None = None
    _last_cause: RunCause = RunCause.RECORDER_KILLED

    def resume(self, newest_end: float | None) -> None:
        """Go on after a restart: close the run that a crash left open.

        Args:
            newest_end: wall clock of the newest recorded frame, None if there is none.
        """
        runs = segments.read_runs(self.recordings_dir, self.camera)
        self._last_end = newest_end
        if not runs:
            return
        last = runs[-1]
        if last.ended_at is None and newest_end is not None and newest_end >= last.started_at:
            last = replace(last, ended_at=newest_end, cause=RunCause.RECORDER_KILLED)
            segments.append_run(self.recordings_dir, self.camera, last)
        self._last_cause = last.cause or RunCause.RECORDER_KILLED

    @property
    def is_open(self) -> bool:
        """Whether a run goes on."""
        return self._run is not None

    def segment(self, start: float, end: float, *, codec: str | None, error_s: float) -> None:
        """A segment was closed; the first of a run begins it."""
        if self._run is None:
            self._count_gap(start)
            self._run = Run(start, None, None, codec, round(error_s * 1000, 1))
            segments.append_run(self.recordings_dir, self.camera, self._run)
        worst_ms = max(self._run.clock_error_ms or 0.0, round(error_s * 1000, 1))
        self._run = replace(self._run, clock_error_ms=worst_ms)
        self._last_end = end

    def end(self, cause: RunCause) -> None:
        """The run is over."""
        if self._run is None:
            return
        segments.append_run(
            self.recordings_dir,
            self.camera,
            replace(self._run, ended_at=self._last_end, cause=cause),
        )
        self._run, self._last_cause = None, cause

    def _count_gap(self, start: float) -> None:
        if self._last_end is None or start - self._last_end <= FRAME_TOLERANCE_S:
            return
        metrics.GAPS.labels(camera=self.camera, reason=self._last_cause).inc()
        metrics.GAP_SECONDS.labels(camera=self.camera, reason=self._last_cause).inc(
            start - self._last_end
        )


def bounded(runs: Sequence[Run], *, oldest_start: float | None, most: int) -> list[Run]:
    """The runs worth keeping: those that touch what is still recorded, at most `most`."""
    kept = [
        run
        for run in runs
        if run.ended_at is None or oldest_start is None or run.ended_at >= oldest_start
    ]
    return kept[-most:]
