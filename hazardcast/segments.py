"""How recordings lie on disk: the directory is the index.

`recordings/{camera}/{YYYYMMDDTHH}/{start_ms}-{end_ms}.ts`: UTC wall clock of the first and the last
frame. The hour is that of the first frame. Beside the hours, `runs.jsonl` tells when a stretch of
continuous recording began and why it ended, so that a gap can be explained.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

RUNS_FILE = "runs.jsonl"
_NAME = re.compile(r"(\d{1,15})-(\d{1,15})\.ts")
_HOUR = re.compile(r"\d{8}T\d{2}")
LONGEST_SEGMENT = timedelta(hours=1)


@dataclass(frozen=True, order=True)
class Segment:
    """A closed piece of recording."""

    start_ms: int
    end_ms: int
    path: Path

    @property
    def start(self) -> float:
        """Wall clock of the first frame, epoch seconds."""
        return self.start_ms / 1000.0

    @property
    def end(self) -> float:
        """Wall clock of the last frame, epoch seconds."""
        return self.end_ms / 1000.0


@dataclass(frozen=True)
class Run:
    """A stretch of recording on one connection and one time base."""

    started_at: float
    """Wall clock of the first frame."""
    ended_at: float | None
    """Wall clock of the last frame; None while it goes on or when the recorder was killed."""
    cause: str | None
    """Why it ended: camera_down, stalled, recorder_stopped, recorder_killed, format_changed,
    clock_stepped or disk_full."""
    codec: str | None = None
    clock_error_ms: float | None = None
    """Bound on the wall-clock error of this run's segment names."""


def hour_name(moment: float) -> str:
    """The hour directory that holds segments starting at `moment` (epoch seconds)."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y%m%dT%H")


def segment_path(recordings_dir: Path, camera: str, start_ms: int, end_ms: int) -> Path:
    """Where a closed segment belongs."""
    hour = hour_name(start_ms / 1000.0)
    return recordings_dir / camera / hour / f"{start_ms}-{end_ms}.ts"


def parse_segment(path: Path) -> Segment | None:
    """The segment of this name, None when the name is not a segment's."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    start_ms, end_ms = int(match[1]), int(match[2])
    return Segment(start_ms, end_ms, path) if start_ms <= end_ms else None


def list_segments(
    recordings_dir: Path, camera: str, *, start: float | None = None, end: float | None = None
) -> list[Segment]:
    """The closed segments of `camera` that touch [start, end] (epoch seconds), oldest first."""
    found = (
        segment
        for hour in _hours(recordings_dir / camera, start, end)
        for path in hour.iterdir()
        if (segment := parse_segment(path))
    )
    return sorted(
        segment
        for segment in found
        if (start is None or segment.end >= start) and (end is None or segment.start <= end)
    )


def _hours(camera_dir: Path, start: float | None, end: float | None) -> Iterator[Path]:
    first = hour_name(start - LONGEST_SEGMENT.total_seconds()) if start is not None else ""
    last = hour_name(end) if end is not None else "~"
    if not camera_dir.is_dir():
        return
    for hour in sorted(camera_dir.iterdir()):
        if _HOUR.fullmatch(hour.name) and first <= hour.name <= last and hour.is_dir():
            yield hour


def append_run(recordings_dir: Path, camera: str, run: Run) -> None:
    """Write one line of `runs.jsonl`; a line that a crash cut short before it stays apart."""
    path = recordings_dir / camera / RUNS_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 1))
        start = b"" if file.read(1) in (b"", b"\n") else b"\n"
        file.write(start + json.dumps(asdict(run)).encode() + b"\n")


def read_runs(recordings_dir: Path, camera: str) -> list[Run]:
    """What `runs.jsonl` tells; a line cut short by a crash is left out.

    A run has a line from its beginning and one from its end, told apart by nothing but what they
    know: the later line of the same start counts.
    """
    path = recordings_dir / camera / RUNS_FILE
    if not path.exists():
        return []
    runs: dict[float, Run] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            run = Run(**json.loads(line))
            runs[float(run.started_at)] = run
        except (ValueError, TypeError):
            continue
    return list(runs.values())


def replace_runs(recordings_dir: Path, camera: str, runs: Iterable[Run]) -> None:
    """Write `runs.jsonl` anew in one step, so that it does not grow for ever."""
    path = recordings_dir / camera / RUNS_FILE
    draft = path.with_suffix(".draft")
    draft.write_text("".join(json.dumps(asdict(run)) + "\n" for run in runs), encoding="utf-8")
    draft.replace(path)
