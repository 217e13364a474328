"""The kinds of value that messages and configuration share, each judged where it comes in."""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

MILLISECONDS_FROM = 1e11
"""A timestamp of at least this is milliseconds: as seconds it would lie in the year 5138."""

CAMERA_ID_PATTERN = r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"
NAME_PATTERN = r"^[A-Za-z0-9_.:-]+$"

EVENT_ID_LENGTH = 48
TEXT_LENGTH = 64
REMARK_LENGTH = 200
NOTE_LENGTH = 1000


def parse_time(value: object) -> object:
    """Epoch seconds from seconds, milliseconds, a numeric string or RFC 3339 text with a zone.

    A leap second (`23:59:60`) is the first moment of the next minute, as in POSIX time.

    Raises:
        ValueError: the value is none of these, or not finite.
    """
    if isinstance(value, bool):
        raise ValueError("expected seconds, milliseconds or RFC 3339, got a boolean")
    if isinstance(value, str):
        value = _seconds_from_text(value.strip())
    if not isinstance(value, int | float):
        return value
    try:
        seconds = float(value)
    except OverflowError:
        raise ValueError("expected a finite time") from None
    if not math.isfinite(seconds):
        raise ValueError("expected a finite time")
    return seconds / 1000.0 if abs(seconds) >= MILLISECONDS_FROM else seconds


def _seconds_from_text(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        pass
    usual, leap = _LEAP_SECOND.subn(r"\g<1>59", text.upper(), count=1)
    try:
        moment = datetime.fromisoformat(usual)
    except ValueError:
        raise ValueError("expected seconds, milliseconds or RFC 3339") from None
    if moment.tzinfo is None:
        raise ValueError("RFC 3339 time needs a zone, such as Z or +09:00")
    return moment.timestamp() + leap


_LEAP_SECOND = re.compile(r"(?<=[T ])(\d\d:\d\d:|\d{4})60(?![\d:])")


def not_boolean(value: object) -> object:
    """Refuse `true` where a number belongs: it would be taken for 1.

    Raises:
        ValueError: the value is a boolean.
    """
    if value is True or value is False:
        raise ValueError("expected a number, got a boolean")
    return value


def _single_line(text: str) -> str:
    """Refuse what steers a console or turns the reading direction: these texts end up there."""
    if any(_steers(one) for one in text):
        raise ValueError("control characters are not allowed")
    return text


def _steers(one: str) -> bool:
    return unicodedata.category(one) in _STEERING or one in _BIDI_CONTROLS


_STEERING = frozenset({"Cc", "Cs", "Zl", "Zp"})
_BIDI_CONTROLS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _is_noncharacter(one: str) -> bool:
    """U+FDD0 … U+FDEF and the last two of every plane: no XML document may hold U+FFFE."""
    return 0xFDD0 <= ord(one) <= 0xFDEF or ord(one) & 0xFFFE == 0xFFFE


def _printable_line(text: str) -> str:
    if any(_is_noncharacter(one) for one in text):
        raise ValueError("characters that are none are not allowed")
    return _single_line(text)


def line(text: str, *, length: int = TEXT_LENGTH) -> str:
    """`text` as one line that steers nothing, at most `length` characters of it."""
    readable = "".join(" " if _steers(one) or _is_noncharacter(one) else one for one in text)
    spaced = " ".join(readable.split())
    return spaced if len(spaced) <= length else spaced[: length - 1] + "…"


def _shortened(value: object) -> object:
    if isinstance(value, str) and len(value) > REMARK_LENGTH:
        return value[: REMARK_LENGTH - 1] + "…"
    return value


Time = Annotated[float, BeforeValidator(parse_time), Field(ge=0, lt=MILLISECONDS_FROM)]
NUMBER = BeforeValidator(not_boolean)
"""Stands last: what stands before it is judged by pydantic's core, and seen in the JSON Schema."""
Real = Annotated[float, NUMBER]
Whole = Annotated[int, NUMBER]
Latitude = Annotated[float, Field(ge=-90, le=90), NUMBER]
Longitude = Annotated[float, Field(ge=-180, le=180), NUMBER]
Heading = Annotated[float, Field(ge=0, lt=360), NUMBER]
Probability = Annotated[float, Field(ge=0, le=1), NUMBER]
CameraId = Annotated[str, Field(pattern=CAMERA_ID_PATTERN)]
Name = Annotated[str, Field(min_length=1, max_length=48, pattern=NAME_PATTERN)]
EventId = Annotated[str, Field(min_length=1, max_length=EVENT_ID_LENGTH, pattern=NAME_PATTERN)]
StationId = Annotated[int, Field(ge=0, le=4_294_967_295), NUMBER]
Text = Annotated[str, Field(max_length=TEXT_LENGTH), AfterValidator(_single_line)]
ReportedText = Annotated[str, Field(max_length=TEXT_LENGTH), AfterValidator(_printable_line)]
"""As `Text`, and such as any document can hold: reports are told on in other formats."""
Remark = Annotated[str, BeforeValidator(_shortened), Field(max_length=REMARK_LENGTH)]
"""What is told to people: too long a remark is cut, never a reason to fail."""
Note = Annotated[str, Field(max_length=NOTE_LENGTH), AfterValidator(_printable_line)]
"""What a person writes beside a decision: one line, as long as a person may want it."""
