"""Writes down which parts of the files that grow are there: one thread for all cameras.

It reads what ffmpeg has written and adds lines beside it. Nothing waits for it: a disk that takes
no line takes it later, and a recording does not know that it is looked at.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hazardcast.machine import refusals
from hazardcast.machine.clock import Clock
from hazardcast.media import parts
from hazardcast.media.mpegts import CLOCK_HZ
from hazardcast.media.stream_time import StreamTime
from recorder import pictures
from recorder.command import STAMP_LEAD_S
from recorder.parts import PART_S, Cut, Cutter
from recorder.pictures import HEAD_BYTES, WRAP_S
from recorder.timeline import Timeline

log = logging.getLogger(__name__)
LOOK_S = 0.25
READ_BYTES = 1 << 20
IN_FLIGHT_S = 0.1
"""A picture is written so long after it was taken, when the next ones have come."""
NEARLY_S = 1.0
"""A file may end so much earlier than it should, and the clock of looks is coarse."""
KEPT = 2
"""Indexes that stay, that of the file that grows among them: players may still be in the others."""


@dataclass(frozen=True)
class OpenRun:
    """A connection whose files grow."""

    folder: Path
    """Where they lie."""
    prefix: str
    """Files are named `{prefix}-{000000…}.ts`."""
    timeline: Timeline
    """Read only."""
    first_number: int
    """Of its first file among all the camera's."""
    codec: Callable[[], str | None]
    segment_s: float
    """A file lasts about so long: nothing is looked for behind a younger one that grows."""
    size: Callable[[], tuple[int, int] | None] = lambda: None
    """Width and height of the pictures, pixels."""


class PartIndex:
    """The runs that go on; cameras' threads say which, and never wait."""

    def __init__(self) -> None:
        self._runs: dict[str, _Run] = {}
        self._held = bytearray(READ_BYTES)

    def follow(self, camera: str, run: OpenRun) -> None:
        """A connection has begun."""
        self._runs[camera] = _Run(run, self._held)

    def leave(self, camera: str) -> None:
        """It is over; its files are put away by whoever recorded them."""
        self._runs.pop(camera, None)

    def look(self, now: float | None = None) -> None:
        """Write down what is new, of every camera that may have a part more by now."""
        for run in list(self._runs.values()):
            if now is None or run.is_due(now):
                run.look()

    def run(self, clock: Clock, stop: threading.Event) -> None:
        """Look until stopped."""
        while not clock.wait(stop, LOOK_S):
            self.look(clock.now())


class _Run:
    def __init__(self, run: OpenRun, held: bytearray) -> None:
        self._run = run
        self._held = held
        self._file: _File | None = None
        self._told: deque[Path] = deque()
        """Indexes of files that grow no more."""
        self._format: bytes | None = None
        self._time: StreamTime | None = None
        self._refused = False
        self._due: float | None = None

    def is_due(self, now: float) -> bool:
        """Whether the part that grows can be complete; a clock that was set back asks anew."""
        return self._due is None or not 0 < self._due - now < 2 * PART_S

    def look(self) -> None:
        """No failure here is worth anything to a recording; it is said once."""
        try:
            self._file = self._file or self._after(-1)
            # At a frame in two seconds the wall clock is trusted before any frame tells it.
            if self._run.timeline.trusted and self._run.timeline.offset_s is not None:
                self._look()
        except OSError as error:
            if not self._refused:
                facts = {"folder": str(self._run.folder), "why": refusals.in_words(error)}
                log.warning("parts are not written down", extra=facts)
            self._refused = True

    def _look(self) -> None:
        while self._file is not None and (following := self._following(self._file)):
            if not self._go_on(self._file, following):
                return
        if self._file is not None:
            self._add(self._file, self._file.grown())

    def _opened(self, place: int) -> _File | None:
        path = self._run.folder / f"{self._run.prefix}-{place:06d}.ts"
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        return _File(path, place, descriptor, self._held)

    def _following(self, file: _File) -> _File | None:
        """The file after this one; past those that were put away before they were looked at."""
        if file.grows and file.cutter.lasts_s < self._run.segment_s - NEARLY_S:
            return None
        if following := file.following or self._opened(file.place + 1):
            return following
        if file.grows or file.path.exists():
            return None
        return self._after(file.place)

    def _after(self, place: int) -> _File | None:
        """The first file behind a place that has not been put away yet."""
        there = self._run.folder.glob(f"{self._run.prefix}-*.ts")
        later = [found for path in there if (found := int(path.stem[-6:])) > place]
        return self._opened(min(later)) if later else None

    def _go_on(self, file: _File, following: _File) -> bool:
        """Leave `file` for the next one; False while that has no picture."""
        file.following = following
        cuts = file.grown()
        ahead = following.grown()
        first = following.cutter.first
        if first is None:
            self._add(file, cuts)
            return False
        last = file.cutter.finish(file.size, first) if following.place == file.place + 1 else None
        self._add(file, [*cuts, last] if last else cuts)
        file.close()
        self._file = following
        self._told.append(file.path.with_suffix(parts.SUFFIX))
        while len(self._told) >= KEPT:
            with contextlib.suppress(OSError):
                self._told.popleft().unlink()
        self._add(following, ahead)
        return True

    def _add(self, file: _File, cuts: list[Cut]) -> None:
        first = file.cutter.first
        if first is None:
            return
        if file.time is None:
            file.time = self._run.timeline.mapping(self._stream_s(first.shown))
            file.lines.append(self._head(file, file.time).encode())
        for cut in cuts:
            at = file.time.wall(self._stream_s(cut.stamp))
            part = parts.Part(cut.offset, cut.size, cut.duration_s, at, cut.key)
            file.lines.append(part.encode())
        begin = file.cutter.begin
        assert begin is not None, "a file with a first picture has a part that grows"
        self._due = file.time.wall(self._stream_s(begin.shown)) + PART_S + IN_FLIGHT_S
        file.write()

    def _head(self, file: _File, time: StreamTime) -> parts.Head:
        picture_format = pictures.picture_format(file.read(0, HEAD_BYTES))
        changed = None not in {self._format, picture_format} and picture_format != self._format
        stepped = time is not self._time  # the clock was set; or this is the first file
        self._format, self._time = picture_format or self._format, time
        number = self._run.first_number + file.place
        width, height = self._run.size() or (None, None)
        return parts.Head(number, changed or stepped, self._run.codec(), width, height)

    def _stream_s(self, stamp: int) -> float:
        """Stream time of a stamp: whichever of its turns is nearest to the frames of now."""
        stream_s = stamp / CLOCK_HZ - STAMP_LEAD_S
        newest_s = self._run.timeline.newest_s or 0.0
        return stream_s + round((newest_s - stream_s) / WRAP_S) * WRAP_S


@dataclass
class _File:
    """A file that is read as it grows, and the lines about it that the disk has not taken yet."""

    path: Path
    place: int
    """Among the files of its run."""
    descriptor: int
    held: bytearray
    """To read into: one for all, as to make one costs more than to fill it."""
    cutter: Cutter = field(default_factory=Cutter)
    following: _File | None = None
    lines: list[str] = field(default_factory=list)
    time: StreamTime | None = None
    """What tells its wall clock."""
    grows: bool = True
    """Whether the last look found more."""
    _read_to: int = 0
    _index: int | None = None
    _torn: bool = False

    def __del__(self) -> None:
        self.close()

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return os.fstat(self.descriptor).st_size

    def read(self, offset: int, most: int) -> bytes:
        """What is there from `offset` on."""
        return os.pread(self.descriptor, most, offset)

    def grown(self) -> list[Cut]:
        """The parts that are complete since the last look."""
        cuts: list[Cut] = []
        size, self.grows = self.size, False
        while size > self._read_to:
            before = self.cutter.read_from
            room = memoryview(self.held)[: min(size - before, READ_BYTES)]
            got = os.preadv(self.descriptor, [room], before)
            if not got:
                break
            cuts += self.cutter.take(self.held, got)
            self._read_to, self.grows = before + got, True
            if self.cutter.read_from == before:
                break  # nothing to be made of what is held: more of it would be read for ever
        return cuts

    def write(self) -> None:
        """Hand the lines to the disk; those that it does not take stay.

        Raises:
            OSError: it takes none.
        """
        if not self.lines:
            return
        if self._index is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            self._index = os.open(self.path.with_suffix(parts.SUFFIX), flags, 0o666)
        text = ("\n" if self._torn else "") + "".join(self.lines)
        self._torn = os.write(self._index, text.encode()) < len(text)
        if not self._torn:
            self.lines.clear()

    def close(self) -> None:
        """Nothing more is read or written."""
        for descriptor in (self.descriptor, self._index):
            if descriptor is not None and descriptor >= 0:
                os.close(descriptor)
        self.descriptor, self._index = -1, None
