"""Where a file that grows is cut into parts, each to be fetched while the rest is to come. Pure.

A part begins with a picture, or with the tables before it, and ends where another picture begins:
at every key frame, and so that no part lasts longer than half a second unless one picture does. It
is known when that other picture begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hazardcast.media import mpegts
from hazardcast.media.mpegts import PACKET_BYTES
from recorder import pictures
from recorder.pictures import HEAD_BYTES, Picture, elapsed_s

PART_S = 0.5
"""Measured in browsers: 0.3 s stalls, 1 s shows pictures twice as old."""
ROUNDED_S = 0.002
"""Stamps are rounded, as 30 pictures a second to a clock of 1 ms."""
LEAST_S, MOST_S = 0.001, 60.0
"""A camera's clock that jumps tells no duration."""
AGAIN_BYTES = 6 * PACKET_BYTES
"""Tables may have been written before the picture that they belong to."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A part, by the stream's own time."""

    offset: int
    size: int
    duration_s: float
    stamp: int
    """When its first picture is shown, ticks, not unwrapped."""
    key: bool


class Cutter:
    """Follows one file as it grows."""

    def __init__(self) -> None:
        self.read_from = 0
        """Where the bytes begin that are wanted next: always at a packet."""
        self.first: Picture | None = None
        """The file's first picture."""
        self._pid: int | None = None
        self.begin: Picture | None = None
        """Of the part that is not complete yet."""
        self._last: Picture | None = None
        self._seen_to = -1

    def take(self, data: bytes | bytearray, size: int | None = None) -> list[Cut]:
        """The parts that are complete now.

        Args:
            data: what the file holds from `read_from` on, as far as it is written.
            size: how much of `data` that is, bytes; all where it is left out.
        """
        size = len(data) if size is None else size
        if self._pid is None:
            video = mpegts.first_video(data[: min(size, HEAD_BYTES)])
            self._pid = video.pid if video else None
            if self._pid is None:
                return []
        cuts = [cut for picture in self._new(data, self._pid, size) for cut in self._next(picture)]
        end = self.read_from + mpegts.whole_packets(size)
        self.read_from = max(self.read_from, end - AGAIN_BYTES)
        return cuts

    @property
    def lasts_s(self) -> float:
        """From the first picture to the newest one."""
        return _lasts_s(self.first, self._last) if self.first and self._last else 0.0

    def finish(self, size: int, following: Picture) -> Cut | None:
        """The last part of a file to which nothing is added any more.

        Args:
            size: of the file, bytes.
            following: the first picture of the next file.
        """
        end = following._replace(start=mpegts.whole_packets(size))
        if self.begin is None or end.start <= self.begin.start:
            return None
        return _cut(self.begin, end)

    def _new(self, data: bytes | bytearray, pid: int, size: int) -> Iterator[Picture]:
        """The pictures that were not there before, by their place in the file."""
        for picture in pictures.found_in(data, pid, base=self.read_from, size=size):
            if picture.packet > self._seen_to:
                self._seen_to = picture.packet
                yield picture

    def _next(self, picture: Picture) -> Iterator[Cut]:
        begin, last = self.begin, self._last
        self._last = picture
        if begin is None or last is None:
            self.first, self.begin = picture, picture._replace(start=0)
            return
        lasts_s, step_s = _lasts_s(begin, picture), _lasts_s(last, picture)
        if last.start > begin.start and lasts_s > PART_S + ROUNDED_S:
            yield _cut(begin, last)
            begin, lasts_s = last, step_s
        if picture.key or lasts_s + step_s > PART_S + ROUNDED_S:
            yield _cut(begin, picture)
            begin = picture
        self.begin = begin


def _lasts_s(begin: Picture, end: Picture) -> float:
    return elapsed_s(begin.decoded, end.decoded)


def _cut(begin: Picture, end: Picture) -> Cut:
    duration_s = min(max(_lasts_s(begin, end), LEAST_S), MOST_S)
    return Cut(begin.start, end.start - begin.start, duration_s, begin.shown, begin.key)
