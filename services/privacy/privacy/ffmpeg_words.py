"""What ffmpeg tells of a file, read: its pictures' times and size, its packets and tracks; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from privacy.matroska import TICKS_PER_S, WRAP

_TIME_BASE = re.compile(r"showinfo.*config in time_base: (\d+)/(\d+)")
_SHOWN = re.compile(r"showinfo.*\bn: *(\d+) pts: *(-?\d+|NOPTS) .*?sar:(\d+)/(\d+) s:(\d+)x(\d+) ")
_TRACK = re.compile(r"^#media_type (\d+): (\w+)", re.MULTILINE)
_CODEC = re.compile(r"^#codec_id (\d+): (\w+)", re.MULTILINE)
_UNIT = re.compile(rb"\x00\x00\x01(.)", re.DOTALL)
SEI = 6
"""NAL unit type of supplemental information (ITU-T H.264 table 7-1)."""


class UnreadableError(Exception):
    """A file cannot be read as is needed; the message says why."""


@dataclass(frozen=True)
class Shown:
    """A decoded picture."""

    number: int
    pts: int
    """Ticks of 90 kHz, within 33 bits as in the stream."""
    width: int
    height: int
    aspect: Fraction
    """Of a pixel."""


def shown(line: str) -> Shown | None:
    """The picture of a line of the showinfo filter; None where the line tells of none.

    Raises:
        UnreadableError: its times are not those of a transport stream, or it has none.
    """
    if base := _TIME_BASE.search(line):
        if (int(base[1]), int(base[2])) != (1, TICKS_PER_S):
            raise UnreadableError(f"times in {base[1]}/{base[2]} s, not a transport stream's")
        return None
    found = _SHOWN.search(line)
    if found is None:
        return None
    if found[2] == "NOPTS":
        raise UnreadableError(f"picture {found[1]} has no time")
    aspect = Fraction(int(found[3]), int(found[4])) if int(found[3]) and int(found[4]) else 1
    return Shown(
        int(found[1]), int(found[2]) % WRAP, int(found[5]), int(found[6]), Fraction(aspect)
    )


@dataclass(frozen=True)
class Packets:
    """A file's tracks, and the times of its first video track's packets."""

    tracks: tuple[str, ...]
    """Kind of each, such as `video`, `audio`, `data`."""
    codec: str
    """Of the first video track."""
    pts: tuple[int, ...]
    """In the order in which the pictures are shown, ticks of 90 kHz within 33 bits."""


def packets(listing: str) -> Packets:
    """What the framecrc muxer lists of a file whose tracks are copied.

    Raises:
        UnreadableError: there is no video in it, or a packet of it has no time.
    """
    kinds = {int(number): kind for number, kind in _TRACK.findall(listing)}
    codecs = {int(number): codec for number, codec in _CODEC.findall(listing)}
    videos = sorted(number for number, kind in kinds.items() if kind == "video")
    if not videos:
        raise UnreadableError("no video in it")
    rows = (line.split(",") for line in listing.splitlines() if line[:1].isdigit())
    times = [row[2].strip() for row in rows if int(row[0]) == videos[0]]
    if not times:
        raise UnreadableError("no picture in it")
    if any(not time.lstrip("-").isdigit() for time in times):
        raise UnreadableError("a packet without a time")
    pts = tuple(time % WRAP for time in sorted(map(int, times)))
    return Packets(tuple(kinds[number] for number in sorted(kinds)), codecs[videos[0]], pts)


def holds_sei(elementary: bytes) -> bool:
    """Whether an H.264 elementary stream carries supplemental information: of any kind."""
    return any(found[1][0] & 0x1F == SEI for found in _UNIT.finditer(elementary))
