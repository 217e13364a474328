"""The pictures that a file holds, without ffmpeg: when they are shown, in which format. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from hazardcast.media import mpegts, nal
from hazardcast.media.mpegts import CLOCK_HZ, PACKET_BYTES, WRAP

WRAP_S = WRAP / CLOCK_HZ
"""Stamps begin anew every 26.5 hours."""
HEAD_BYTES = 65_536
"""Enough of a file's beginning to hold tables and the parameter sets of its key frame."""
STILL_TICKS = 2
STILL_PICTURES = 8


@dataclass(frozen=True)
class Times:
    """Stream time of a file's pictures in seconds, not unwrapped."""

    opened_s: float
    """Of the picture that is decoded first."""
    first_s: float
    last_s: float
    pictures: int


class Picture(NamedTuple):
    """One picture of a file, as its first packet tells it."""

    packet: int
    """Where its first packet lies, bytes."""
    start: int
    """The same, or of a key frame where the tables right before it begin."""
    shown: int
    """When it is shown, ticks, not unwrapped."""
    decoded: int
    """When it is decoded, ticks, not unwrapped."""
    key: bool
    """Decoding can begin with it."""


def times(data: bytes) -> Times | None:
    """When the first and last picture of a file are shown; None when there is none to be found.

    Stamps count from the first picture's, so that a file across the 33-bit wrap stays in order.
    """
    shown = [pts for _, pts in _shown(data)]
    if not shown:
        return None
    first = shown[0]
    after = [mpegts.ticks_between(pts, first) for pts in shown]
    return Times(
        first / CLOCK_HZ,
        (first + min(after)) / CLOCK_HZ,
        (first + max(after)) / CLOCK_HZ,
        len(shown),
    )


def found_in(
    data: bytes | bytearray, pid: int, *, base: int = 0, size: int | None = None
) -> Iterator[Picture]:
    """The pictures that begin in `data`, which begins with a packet.

    Args:
        data: a piece of a file.
        pid: number of its video stream.
        base: where in the file `data` begins.
        size: how much of `data` counts, bytes; all where it is left out.
    """
    for start in mpegts.unit_starts(data, pid, size):
        stamps = mpegts.stamps_at(data, start)
        if stamps is None:
            continue
        key = mpegts.is_random_access(data, start)
        begin = _tables_before(data, start) if key else start
        yield Picture(base + start, base + begin, *stamps, key)


def elapsed_s(earlier: int, later: int) -> float:
    """Seconds from one stamp to another, across a wrap."""
    return mpegts.ticks_between(later, earlier) / CLOCK_HZ


def before_leap(data: bytes, *, most_s: float) -> int:
    """Bytes before the first picture whose stamp no time that passed explains; all without one.

    That is one shown more than `most_s` after the first picture, or as much before it, and the
    first of many that stand still: ffmpeg lets no stamp go back.
    """
    most = most_s * CLOCK_HZ
    first: int | None = None
    still: list[int] = []
    latest = -WRAP
    for start, shown in _shown(data):
        first = shown if first is None else first
        after = mpegts.ticks_between(shown, first)
        if abs(after) > most:
            return start
        still = [*still, start] if 0 <= after - latest <= STILL_TICKS else []
        if len(still) > STILL_PICTURES:
            return still[0]
        latest = max(latest, after)
    return len(data)


def picture_format(head: bytes) -> bytes | None:
    """The sequence parameter sets of the first picture: equal ones mean an equal picture format.

    Args:
        head: the first `HEAD_BYTES` of a file.
    """
    video = mpegts.first_video(head)
    start = None if video is None else next(mpegts.unit_starts(head, video.pid), None)
    if video is None or start is None:
        return None
    beginning = mpegts.picture_beginning(head, start, video.pid, nal.PARAMETER_BYTES)
    return b"".join(nal.sequence_sets(video.codec, beginning)) or None


def _shown(data: bytes) -> Iterator[tuple[int, int]]:
    """(where its first packet lies, when it is shown) of each picture."""
    video = mpegts.first_video(data)
    if video is None:
        return
    for start in mpegts.unit_starts(data, video.pid):
        stamps = mpegts.stamps_at(data, start)
        if stamps is not None:
            yield start, stamps[0]


def _tables_before(data: bytes | bytearray, start: int) -> int:
    """Where the tables begin that stand right before a packet; `start` where none do."""
    while start >= PACKET_BYTES and _is_table(data, start - PACKET_BYTES):
        start -= PACKET_BYTES
    return start


def _is_table(data: bytes | bytearray, start: int) -> bool:
    return bool(data[start + 1] & 0x40) and not mpegts.begins_pes(data, start)
