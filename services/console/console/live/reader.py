"""Follows one camera's files: reads what the recorder has told, and their bytes by number.

A file keeps its number when it is closed and renamed; one that is open here is read to its end even
when retention takes it away meanwhile.
"""

from __future__ import annotations

import os
import threading
from io import FileIO
from pathlib import Path

from console.live import closed, line, video
from console.live.closed import Closed
from console.live.line import Indexed, Line
from console.live.video import Video
from hazardcast.media import parts
from hazardcast.media.parts import Head, Part

PLAYLIST = "live.m3u8"
LONGEST_INDEX_BYTES = 8 << 20
AGAIN = 3
"""Looks into folders after a change: a second one in the same tick shows nowhere else."""


class _Index:
    """One index file, read as it grows."""

    def __init__(self, path: Path, found: int) -> None:
        self.found = found
        """In which look into the folder."""
        self.file = FileIO(path)
        self.video = video.opened(path.with_suffix(".ts"))
        self.head: Head | None = None
        self.parts: list[Part] = []
        self._rest = b""
        self._refused = False

    def look(self) -> None:
        """Take the lines that are whole by now."""
        while data := self.file.read(1 << 20):
            *lines, self._rest = (self._rest + data)[-LONGEST_INDEX_BYTES:].split(b"\n")
            for text in lines:
                self._take(text.decode("utf-8", "replace"))

    def _take(self, text: str) -> None:
        if self.head is None and not self._refused:
            self.head = parts.read_head(text)
            self._refused = self.head is None
            return
        part = parts.read_part(text)
        expected = self.parts[-1].end if self.parts else 0
        if part is not None and part.offset == expected:  # others were told twice
            self.parts.append(part)

    def counts_anew_after(self, gone: _Index) -> bool:
        """Whether it is of a later file than one that was taken away, with no higher number."""
        if self.head is None or gone.head is None or not self.parts:
            return False
        return self.found > gone.found and self.head.number <= gone.head.number

    @property
    def indexed(self) -> Indexed | None:
        """None for one that is not understood."""
        return Indexed(self.head, tuple(self.parts)) if self.head else None


class CameraReader:
    """What is known of one camera's newest files; used by several threads."""

    def __init__(self, recordings_dir: Path, camera: str, *, segment_s: float) -> None:
        self._folder = recordings_dir / camera
        self._lock = threading.Lock()
        wanted_s = max(1, round(segment_s))
        self._line = Line(wanted_s=wanted_s, target_s=wanted_s)
        self._closed = Closed()
        self._indexes: dict[str, _Index] = {}
        self._seen: tuple[int, int] = (-1, -1)
        self._again = AGAIN
        self._looks = 0
        self._gone: str | None = None
        """The index of the file that players see last, where the recorder has taken it away."""
        self._counts = 0

    @property
    def counts(self) -> int:
        """How often the recorder has counted anew: a number is of another file then."""
        return self._counts

    @property
    def line(self) -> Line:
        """As it was at the last look."""
        return self._line

    def look(self) -> bool:
        """Read what is new; True when the line has changed."""
        with self._lock:
            self._find()
            # The newest first: when it has a part, all parts of the one before are told.
            for _, index in sorted(self._indexes.items(), reverse=True):
                index.look()
            self._leave_gone()
            told = [one for index in self._indexes.values() if (one := index.indexed)]
            before, self._line = self._line, line.advanced(self._line, self._closed, told)
            return self._line != before

    def _leave_gone(self) -> None:
        """A file that was taken away is not the newest any more once a later one has a part.

        Its number may be the higher one: the recorder counts anew where nothing was kept.
        """
        gone = self._indexes.get(self._gone or "")
        if gone is None or not any(
            index.counts_anew_after(gone) for index in self._indexes.values()
        ):
            return
        self._indexes = {name: one for name, one in self._indexes.items() if one is not gone}
        self._closed = closed.read(_text(self._folder / PLAYLIST))
        self._counts += 1

    def _find(self) -> None:
        seen = (_changed(self._folder / parts.OPEN), _changed(self._folder / PLAYLIST))
        self._again = AGAIN if seen != self._seen else self._again - 1
        if self._again < 0:
            return
        self._seen = seen
        if text := _text(self._folder / PLAYLIST):
            self._closed = closed.read(text)
        there = {path.name: path for path in _indexes(self._folder / parts.OPEN)}
        for name in self._indexes.keys() - there.keys():
            if self._is_newest(name):
                self._gone = name
            else:
                del self._indexes[name]
        self._looks += 1
        for name in there.keys() - self._indexes.keys():
            try:
                self._indexes[name] = _Index(there[name], self._looks)
            except OSError:
                self._again = AGAIN

    def _is_newest(self, name: str) -> bool:
        """Whether it is of the file that players see last: its end may still be fetched."""
        head, newest = self._indexes[name].head, self._line.newest
        return head is not None and newest is not None and head.number == newest.number

    def video(self, number: int) -> Video | None:
        """The file of this number, None where there is none (any more).

        Args:
            number: as in the line.
        """
        with self._lock:
            file = self._line.file(number)
            if file is None:
                return None
            opened = self._open_video(number) or self._closed_video(number)
            if opened is None:
                return None
            grows = file.duration_s is None
            size = file.parts[-1].end if grows else os.fstat(opened.fileno()).st_size
            return Video(opened, size, self._counts)

    def _open_video(self, number: int) -> FileIO | None:
        for index in self._indexes.values():
            if index.head is not None and index.head.number == number:
                return index.video
        return None

    def _closed_video(self, number: int) -> FileIO | None:
        name = line.names(self._closed).get(number)
        return video.opened(self._folder / name) if name else None


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _indexes(folder: Path) -> list[Path]:
    try:
        return list(folder.glob(f"*{parts.SUFFIX}"))
    except OSError:
        return []
