"""The first pictures of a connection, set right in their file before it gets its name. Pure.

Over RTSP ffmpeg loses the time at which the first picture is shown, and `command.FIRST_TIMES`
guesses it: the pictures that follow leave a place free for it. And pictures that are decoded after
a key frame but shown before it (leading pictures: ITU-T H.265 3.1; H.264 with open groups) lean on
some from before it. Behind the first key frame of a connection they can never be shown, so nobody
is to count them: they become null packets (ITU-T H.222.0 2.4.3.3), and not a byte moves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise, takewhile
from statistics import median_low

from hazardcast.media import mpegts
from hazardcast.media.mpegts import CLOCK_HZ, HEVC_TYPE, PACKET_BYTES, Video
from recorder import pictures
from recorder.command import DECODED_EARLIER, MOST_DELAYED, REORDERED
from recorder.pictures import Picture

HEAD_BYTES = 1 << 22
"""Enough of a file for its first pictures."""
FIRST_FILE = "-000000.ts"
"""How the name of a connection's first file ends."""
HOLE_STEPS = 1.5
ROUNDED_TICKS = 2
_NULL_PID = (0x1F, 0xFF)
_START_CODE = re.compile(rb"\x00\x00\x01")
_SLICES = frozenset({1, 2, 5})
"""NAL unit types of H.264 that begin with a slice header."""
_B_SLICES = frozenset({1, 6})
_LEADING = {6: False, 7: False, 8: True, 9: True}
"""NAL unit types of H.265, RADL and RASL pictures: whether they lean on what is not there."""
_PICTURES_END = 32
"""NAL unit types of H.265 from which on none is a picture."""


@dataclass(frozen=True)
class Beginning:
    """What is to be changed in a file."""

    later_s: float
    """Its first picture is shown so much later than its stamps say."""
    changes: tuple[tuple[int, bytes], ...]
    """(where, bytes that belong there)."""


def mended(head: bytes) -> Beginning | None:
    """What is wrong with the beginning of a connection's first file; None where nothing is.

    Args:
        head: the first `HEAD_BYTES` of the file, which begins with its first key frame.
    """
    video = mpegts.first_video(head)
    if video is None:
        return None
    found = list(islice(pictures.found_in(head, video.pid), MOST_DELAYED + 2))
    if len(found) <= REORDERED or not found[0].key:
        return None
    first, *rest = found[:-1]  # the last one may be cut short
    ends = [one.start for one in found[1:]]
    leading = list(_leading(head, video, rest, ends[1:]))
    shown = [mpegts.ticks_between(one.shown, first.shown) for one in rest]
    at = _place(shown, len(leading)) if _is_guessed(first, rest[0]) else 0
    lost = [lean and moment < at for lean, moment in zip(leading, shown, strict=False)]
    hidden = len(list(takewhile(bool, lost)))
    is_late = at >= mpegts.ticks_between(first.decoded, first.shown)
    if not (at or hidden) or not is_late or hidden == len(rest):
        return None
    changes = [*_restamped(head, first, at)] if at else []
    if hidden:
        changes += _hidden(head, video.pid, first, rest[0].start, ends[hidden])
    later = min([at, *shown[hidden:]]) - min([0, *shown])
    return Beginning(later / CLOCK_HZ, tuple(changes))


def _is_guessed(first: Picture, following: Picture) -> bool:
    """Whether the first picture's times are those that `FIRST_TIMES` gives where B-frames are."""
    early = mpegts.ticks_between(first.shown, first.decoded)
    step = mpegts.ticks_between(following.shown, first.shown)
    return early > 0 and abs(step - REORDERED // DECODED_EARLIER * early) <= ROUNDED_TICKS


def _place(shown: Sequence[int], leading: int) -> int:
    """When the first picture is shown by those that follow, ticks after where it was guessed."""
    step = median_low(later - earlier for earlier, later in pairwise(sorted(shown)))
    if 0 < leading < len(shown):
        last, following = max(shown[:leading]), min(shown[leading:])
        if following - last >= HOLE_STEPS * step:
            return (last + following) // 2
    return min(shown) - step


def _leading(
    head: bytes, video: Video, pictures: Sequence[Picture], ends: Sequence[int]
) -> Iterator[bool]:
    """The pictures after a key frame that may be leading ones: whether each leans on others."""
    for picture, end in zip(pictures, ends, strict=True):
        leans = _leans(head, video, picture, end)
        if leans is None:
            return
        yield leans


def _leans(head: bytes, video: Video, picture: Picture, end: int) -> bool | None:
    """Whether a leading picture leans on pictures before the key frame; None for another one."""
    data = b"".join(_payloads(head, video.pid, picture.packet, end))
    for mark in _START_CODE.finditer(data):
        unit = data[mark.end() : mark.end() + PACKET_BYTES]
        if len(unit) < 2:
            continue
        if video.stream_type == HEVC_TYPE:
            if (kind := unit[0] >> 1 & 0x3F) < _PICTURES_END:
                return _LEADING.get(kind)
        elif unit[0] & 0x1F in _SLICES:
            return True if _slice_type(unit[1:]) in _B_SLICES else None
    return None


def _payloads(head: bytes, pid: int, begin: int, end: int) -> Iterator[bytes]:
    """What the packets of `pid` carry, the headers of the PES packets included."""
    for at in mpegts.packets_of(head, pid, begin, end):
        yield head[mpegts.payload_at(head, at) : at + PACKET_BYTES]


def _slice_type(header: bytes) -> int:
    """The second of a slice header's numbers (ITU-T H.264 7.3.3, 9.1)."""
    bits = "".join(f"{byte:08b}" for byte in header[:16])
    kind = at = 0
    for _ in range(2):
        zeros = bits.find("1", at) - at
        if zeros < 0:
            return 0
        kind = int(bits[at + zeros : at + 2 * zeros + 1] or "1", 2) - 1
        at += 2 * zeros + 1
    return kind


def _restamped(head: bytes, first: Picture, later: int) -> Iterator[tuple[int, bytes]]:
    """The first picture's presentation time; its decoding time stays."""
    at = mpegts.pts_at(head, first.packet)
    yield at, mpegts.stamp(first.shown + later, like=head[at])


def _hidden(
    head: bytes, pid: int, first: Picture, begin: int, end: int
) -> Iterator[tuple[int, bytes]]:
    """The packets from `begin` to `end` as null packets, those before them counted on by as many.

    So the counter of packets (2.4.3.3) goes on without a step.
    """
    hidden = list(mpegts.packets_of(head, pid, begin, end))
    counted = sum(head[at + 3] >> 4 & 1 for at in hidden)
    for at in mpegts.packets_of(head, pid, first.packet, begin):
        yield at + 3, bytes([head[at + 3] & 0xF0 | (head[at + 3] + counted) & 0x0F])
    for at in hidden:
        yield at + 1, bytes(_NULL_PID)
