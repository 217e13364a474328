"""What the recorder's playlist tells: numbers, names and times of the newest closed files. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

_URI = re.compile(r"\d{8}T\d{2}/\d{1,15}-\d{1,15}\.ts")
_NUMBER = re.compile(r"#EXT-X-(MEDIA|DISCONTINUITY)-SEQUENCE:(\d{1,15})")
_LENGTH = re.compile(r"#EXTINF:(\d{1,6}(?:\.\d{1,9})?),.*")
_MOMENT = re.compile(r"#EXT-X-PROGRAM-DATE-TIME:(\S{1,40})")


@dataclass(frozen=True)
class ClosedFile:
    """A file that grows no more."""

    number: int
    start: float
    """Wall clock of its first picture, epoch seconds."""
    duration_s: float
    begins_run: bool
    """Its time stamps or format do not go on from the file before."""
    name: str
    """Below the camera's folder."""


@dataclass(frozen=True)
class Closed:
    """The newest closed files, oldest first, and how many discontinuities came before them."""

    files: tuple[ClosedFile, ...] = ()
    discontinuities: int = 0


def read(text: str) -> Closed:
    """What `live.m3u8` of the recorder tells; a file without a time or a length is not told of."""
    counts = {kind: int(number) for kind, number in _NUMBER.findall(text)}
    first = counts.get("MEDIA", 0)
    files, start, length_s, begins_run, place = [], None, None, False, 0
    for line in text.splitlines():
        if moment := _MOMENT.fullmatch(line):
            start = _epoch(moment[1])
        elif length := _LENGTH.fullmatch(line):
            length_s = float(length[1])
        elif line == "#EXT-X-DISCONTINUITY":
            begins_run = True
        elif line and not line.startswith("#"):
            if _URI.fullmatch(line) and start is not None and length_s is not None:
                files.append(ClosedFile(first + place, start, length_s, begins_run, line))
            place, start, length_s, begins_run = place + 1, None, None, False
    return Closed(tuple(files), counts.get("DISCONTINUITY", 0))


def _epoch(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
