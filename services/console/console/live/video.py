"""The bytes of recorded files, read to the end even when they are renamed or removed meanwhile."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from console.live.ranges import Piece
from hazardcast.media import segments

MEDIA_TYPE = "video/mp2t"
BLOCK_BYTES = 256 << 10


@dataclass(frozen=True)
class Video:
    """A file that is held open."""

    file: FileIO
    size: int
    """As far as players may have it, bytes."""
    counts: int = 0
    """How often the recorder had counted its files anew when it was found by its number."""

    def read(self, piece: Piece) -> bytes:
        """Bytes of it; fewer where the file was cut meanwhile."""
        return b"".join(self.blocks(piece))

    def blocks(self, piece: Piece) -> Iterator[bytes]:
        """The same, a block at a time."""
        at = piece.first
        while at <= piece.last:
            block = os.pread(self.file.fileno(), min(BLOCK_BYTES, piece.last + 1 - at), at)
            if not block:
                return
            yield block
            at += len(block)


def opened(path: Path) -> FileIO | None:
    """A regular file that is none other's by a link, opened to read; None where it cannot be."""
    try:
        file = FileIO(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK))
    except OSError:
        return None
    return file if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None


def held(path: Path) -> Video | None:
    """A file of the console's own, None where there is none."""
    file = opened(path)
    return Video(file, os.fstat(file.fileno()).st_size) if file else None


def recorded(recordings_dir: Path, camera: str, start_ms: int, end_ms: int) -> Video | None:
    """A closed segment by its times, None where there is none (any more).

    The path is made of numbers, and must lie in the camera's own folder once links are followed.
    """
    if start_ms > segments.MOST or end_ms > segments.MOST:
        return None
    try:
        path = segments.segment_path(recordings_dir, camera, start_ms, end_ms)
    except (ValueError, OverflowError):
        return None
    return held(path) if is_of(recordings_dir / camera, path) else None


def is_of(folder: Path, path: Path) -> bool:
    """Whether a file lies in a folder once links are followed."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError):
        return False
