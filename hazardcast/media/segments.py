"""How recordings lie on disk: the directory is the index.

`recordings/{camera}/{YYYYMMDDTHH}/{start_ms}-{end_ms}.ts`: UTC wall clock of the first and the last
frame. The hour is that of the first frame. Beside the hours, `runs.jsonl` tells when a stretch of
continuous recording began and why it ended, so that a gap can be explained.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from hazardcast.contract.vocabulary import RunCause
from hazardcast.machine import durable, passed_over
from hazardcast.machine.state_version import Format, as_it_is, version_of

log = logging.getLogger(__name__)
RUNS_FILE = "runs.jsonl"
RUNS = Format((as_it_is,))
"""Of its lines: what a key means. One of before does not say its version."""
MOST = 1e15
"""Greater numbers are no times."""
LONGEST_SHOWN = 120
_NAME = re.compile(r"(\d{1,15})-(\d{1,15})\.ts")
_HOUR = re.compile(r"\d{8}T\d{2}")
LONGEST_SEGMENT = timedelta(hours=1)
LONGEST_BELIEVED_MS = 65_000
"""A longer name is compared with when its file was written: no recorder can know the future."""
LONGEST_OPEN_MS = 900_000
"""No recorder keeps a file open for longer."""
LEEWAY_MS = 5_000
"""Of the clocks of disk and recorder."""
EARLIEST_MS = 1_000_000_000_000
"""September 2001: a file dated earlier was written by a machine whose clock had not been set."""


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
    cause: RunCause | None
    """Why it ended."""
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


def believed(segment: Segment) -> Segment | None:
    """`segment` as far as its name can be true; None where it tells no time that can be.

    No frame was taken after the file was written, and none is written for a quarter of an hour: a
    name that claims more was made from a camera's wild time stamp.
    """
    if segment.end_ms - segment.start_ms <= LONGEST_BELIEVED_MS:
        return segment
    written_ms = _written_ms(segment.path)
    if written_ms is None:
        return None
    end_ms = max(segment.start_ms, min(segment.end_ms, written_ms + LEEWAY_MS))
    return replace(segment, end_ms=end_ms) if end_ms - segment.start_ms <= LONGEST_OPEN_MS else None


def _written_ms(path: Path) -> int | None:
    """When a file was last written; None where nothing tells: it is gone, or no clock ran."""
    try:
        moment_ms = path.stat().st_mtime_ns // 1_000_000
    except OSError:
        return None
    return moment_ms if moment_ms >= EARLIEST_MS else None


def list_segments(
    recordings_dir: Path, camera: str, *, start: float | None = None, end: float | None = None
) -> list[Segment]:
    """The closed segments of `camera` that touch [start, end] (epoch seconds), oldest first.

    Their times are those of their names, as far as those can be true.
    """

    def touches(segment: Segment) -> bool:
        return (start is None or segment.end >= start) and (end is None or segment.start <= end)

    named = filter(touches, _named(recordings_dir, camera, start, end))
    return sorted(true for one in named if (true := believed(one)) and touches(true))


def list_stored(recordings_dir: Path, camera: str) -> list[Segment]:
    """All that takes space, oldest first; what tells no true time counts as of its writing."""
    return sorted(believed(one) or _written(one) for one in _named(recordings_dir, camera))


def _written(segment: Segment) -> Segment:
    moment_ms = _written_ms(segment.path)
    if moment_ms is None:
        return replace(segment, end_ms=segment.start_ms)
    return replace(segment, start_ms=moment_ms, end_ms=moment_ms)


def _named(
    recordings_dir: Path, camera: str, start: float | None = None, end: float | None = None
) -> Iterator[Segment]:
    for hour in _hours(recordings_dir / camera, start, end):
        for path in _files(hour):
            if segment := parse_segment(path):
                yield segment


def _files(hour: Path) -> list[Path]:
    """Of an hour's directory, which retention may take away at any moment."""
    try:
        return list(hour.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        passed_over.tell(hour, error)
        return []


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
        file.write(start + _line(run).encode())


def read_runs(recordings_dir: Path, camera: str) -> list[Run]:
    """What `runs.jsonl` tells; a line that cannot be read is left out and named in the log, once.

    A run has a line from its beginning and one from its end, told apart by nothing but what they
    know: the later line of the same start counts. Keys that this version does not know are passed
    over: a newer recorder may have more to tell.
    """
    path = recordings_dir / camera / RUNS_FILE
    runs: dict[float, Run] = {}
    for line in _lines_of(path):
        try:
            if line.strip():
                run = _run(line)
                runs[run.started_at] = run
        except ValueError as error:
            _tell_unread(str(path), line, str(error))
    return list(runs.values())


def _lines_of(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        passed_over.tell(path, error)
        return []


def _run(line: str) -> Run:
    """The run of one line.

    Raises:
        ValueError: it is none, or of a newer version; the message says why.
    """
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("cut short or not JSON") from None
    if not isinstance(data, dict):
        raise ValueError("not a mapping")
    version = version_of(data)
    if version > RUNS.version:
        raise ValueError(f"version {version}, this Hazardcast reads version {RUNS.version}")
    started_at = _number(data, "started_at")
    if started_at is None:
        raise ValueError("no started_at")
    return Run(
        started_at,
        _number(data, "ended_at"),
        RunCause(cause) if (cause := _text(data, "cause")) else None,
        _text(data, "codec"),
        _number(data, "clock_error_ms"),
    )


def _number(data: dict[str, object], key: str) -> float | None:
    value = data.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < MOST:
        raise ValueError(f"{key}: not a number: {value!r}")
    return float(value)


def _text(data: dict[str, object], key: str) -> str | None:
    value = data.get(key)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{key}: not a text: {value!r}")
    return value


@lru_cache(maxsize=1000)
def _tell_unread(path: str, line: str, problem: str) -> None:
    """Once for each line, however often the file is read."""
    facts = {"file": path, "why": problem, "line": line[:LONGEST_SHOWN]}
    log.warning("line of the run log left out", extra=facts)


def replace_runs(recordings_dir: Path, camera: str, runs: Iterable[Run]) -> None:
    """Write `runs.jsonl` anew in one step, so that it does not grow for ever."""
    path = recordings_dir / camera / RUNS_FILE
    durable.write(path, "".join(map(_line, runs)))


def _line(run: Run) -> str:
    return json.dumps(RUNS.stamped(asdict(run))) + "\n"
