"""The index of parts beside a file that is being recorded: what of it can be shown already.

`recordings/{camera}/.open/{prefix}.parts` stands beside `{prefix}.ts` as long as that grows, and a
file longer. Its first line tells what file it is, each further one a part: a range of bytes that
begins with tables or a picture and ends where another picture begins. Lines are only ever added.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass

from hazardcast.machine.state_version import Format, as_it_is, version_of

OPEN = ".open"
SUFFIX = ".parts"
PARTS = Format((as_it_is,))
"""Of the first line: what the keys of all lines mean."""
MOST_BYTES = 1 << 40
MOST_S = 1e11
MOST_PIXELS = 1 << 16


@dataclass(frozen=True, slots=True)
class Head:
    """What file the parts are of."""

    number: int
    """The file's number among the camera's files, as in `live.m3u8` once it is closed."""
    begins_run: bool
    """Its time stamps or format do not go on from the file before."""
    codec: str | None = None
    width: int | None = None
    """Of its pictures, pixels; None where that is not known."""
    height: int | None = None

    def encode(self) -> str:
        """As the first line."""
        return json.dumps(PARTS.stamped(asdict(self))) + "\n"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the file that can be played on from what stands before it."""

    offset: int
    """Where it begins, bytes."""
    size: int
    """How long it is, bytes."""
    duration_s: float
    at: float
    """Wall clock of its first picture, epoch seconds."""
    key: bool
    """It begins with a key frame."""

    @property
    def end(self) -> int:
        """Where the next part begins, bytes."""
        return self.offset + self.size

    def encode(self) -> str:
        """As one line."""
        return (
            f'{{"offset": {self.offset}, "size": {self.size}, "duration_s": {self.duration_s:.4f}, '
            f'"at": {self.at:.3f}, "key": {"true" if self.key else "false"}}}\n'
        )


def read_head(line: str) -> Head | None:
    """The head of `Head.encode`; None when it is none, or of a newer version."""
    try:
        data = json.loads(line)
        if version_of(data) > PARTS.version:
            return None
        number, codec = int(data["number"]), data.get("codec")
        begins_run = data["begins_run"] is True
        width, height = _pixels(data.get("width")), _pixels(data.get("height"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        return None
    codec = codec if isinstance(codec, str) else None
    return Head(number, begins_run, codec, width, height)


def _pixels(value: object) -> int | None:
    return value if type(value) is int and 0 < value <= MOST_PIXELS else None


def read_part(line: str) -> Part | None:
    """The part of `Part.encode`; None when it is none, as a line that a full disk cut short."""
    try:
        data = json.loads(line)
        part = Part(
            int(data["offset"]), int(data["size"]), float(data["duration_s"]), float(data["at"]),
            data["key"] is True,
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        return None
    is_place = 0 <= part.offset < MOST_BYTES and 0 < part.size < MOST_BYTES
    is_time = 0 < part.duration_s < MOST_S and 0 < part.at < MOST_S
    finite = math.isfinite(part.duration_s) and math.isfinite(part.at)
    return part if is_place and is_time and finite else None
