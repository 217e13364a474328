"""The newest picture of a camera as JPEG: of each it is decoded once, and given to all who ask."""

from __future__ import annotations

import logging
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from console.live import video
from console.live.line import Line
from console.live.live import Live
from console.live.ranges import Piece
from hazardcast.machine.refusals import in_words
from hazardcast.media import segments
from hazardcast.media.parts import Part
from hazardcast.service import processes

log = logging.getLogger(__name__)
DECODED_WITHIN_S = 10.0
HEAD_BYTES = 4 << 20
"""Enough of a file for its first key frame."""
JPEG = b"\xff\xd8\xff"
Run = Callable[[tuple[str, ...], float], tuple[int, bytes, str]]


@dataclass(frozen=True)
class Still:
    """A picture, and when it was taken (epoch seconds)."""

    jpeg: bytes
    at: float


@dataclass(frozen=True)
class _Source:
    """Where a key frame lies."""

    key: object
    at: float
    read: Callable[[], bytes]


def _run(command: tuple[str, ...], timeout_s: float) -> tuple[int, bytes, str]:
    return processes.run_captured(command, timeout_s=timeout_s)


class Stills:
    """The newest picture of each camera."""

    def __init__(self, live: Live, recordings_dir: Path, *, program: str, run: Run = _run) -> None:
        self._live = live
        self._recordings_dir = recordings_dir
        self._program = program
        self._run = run
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._made: dict[str, tuple[object, Still | None]] = {}

    def newest(self, camera: str) -> Still | None:
        """The newest picture that can be decoded alone, None where there is none; blocks."""
        source = self._source(camera)
        if source is None:
            return None
        with self._locks[camera]:
            key, still = self._made.get(camera, (None, None))
            if key != source.key:
                still = self._decoded(source)
                self._made[camera] = (source.key, still)
            return still

    def _source(self, camera: str) -> _Source | None:
        return self._live_source(camera, self._live.line(camera)) or self._last_source(camera)

    def _live_source(self, camera: str, line: Line) -> _Source | None:
        for file in reversed(line.files):
            for part in reversed(file.parts):
                if part.key:
                    return self._part_source(camera, file.number, part)
        return None

    def _part_source(self, camera: str, number: int, part: Part) -> _Source:
        piece = Piece(part.offset, part.end - 1)

        def read() -> bytes:
            return self._live.piece(camera, number, piece) or b""

        return _Source((number, part.offset), part.at, read)

    def _last_source(self, camera: str) -> _Source | None:
        stored = segments.list_segments(self._recordings_dir, camera)
        if not stored:
            return None
        path = stored[-1].path
        if not video.is_of(self._recordings_dir / camera, path):
            return None
        return _Source(path.name, stored[-1].start, lambda: _head(path))

    def _decoded(self, source: _Source) -> Still | None:
        with tempfile.NamedTemporaryFile(suffix=".ts") as file:
            file.write(source.read())
            file.flush()
            command = (
                self._program, "-hide_banner", "-nostdin", "-loglevel", "error", "-threads", "1",
                "-f", "mpegts", "-i", file.name, "-map", "0:v:0", "-frames:v", "1", "-q:v", "4",
                "-f", "mjpeg", "pipe:1",
            )  # fmt: skip
            try:
                _, jpeg, _ = self._run(command, DECODED_WITHIN_S)
            except OSError as error:
                log.warning("no picture can be decoded", extra={"why": in_words(error)})
                return None
        return Still(jpeg, source.at) if jpeg.startswith(JPEG) else None


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError:
        return b""
