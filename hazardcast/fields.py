"""The kinds of value that messages and configuration share, each judged where it comes in."""

from __future__ import annotations

import math
import unicodedata
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

MILLISECONDS_FROM = 1e11
"""A timestamp of at least this is milliseconds: as seconds it would lie in the year 5138."""

CAMERA_ID_PATTERN = r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"
NAME_PATTERN = r"^[A-Za-z0-9_.:-]+$"

REMARK_LENGTH = 200


def parse_time(value: object) -> object:
    """Epoch seconds from seconds, milliseconds, a numeric string or RFC 3339 text with a zone.

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
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("expected seconds, milliseconds or RFC 3339") from None
    if moment.tzinfo is None:
        raise ValueError("RFC 3339 time needs a zone, such as Z or +09:00")
    return moment.timestamp()


def _single_line(text: str) -> str:
    """Refuse what steers a console or turns the reading direction: these texts end up there."""
    if any(unicodedata.category(one) in _STEERING or one in _BIDI_CONTROLS for one in text):
        raise ValueError("control characters are not allowed")
    return text


_STEERING = frozenset({"Cc", "Cs", "Zl", "Zp"})
_BIDI_CONTROLS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _shortened(value: object) -> object:
    if isinstance(value, str) and len(value) > REMARK_LENGTH:
        return value[: REMARK_LENGTH - 1] + "…"
    return value


Time = Annotated[float, BeforeValidator(parse_time), Field(ge=0, lt=MILLISECONDS_FROM)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Heading = Annotated[float, Field(ge=0, lt=360)]
Probability = Annotated[float, Field(ge=0, le=1)]
CameraId = Annotated[str, Field(pattern=CAMERA_ID_PATTERN)]
Name = Annotated[str, Field(min_length=1, max_length=48, pattern=NAME_PATTERN)]
EventId = Annotated[str, Field(min_length=1, max_length=48, pattern=NAME_PATTERN)]
StationId = Annotated[int, Field(ge=0, le=4_294_967_295)]
Text = Annotated[str, Field(max_length=64), AfterValidator(_single_line)]
Remark = Annotated[str, BeforeValidator(_shortened), Field(max_length=REMARK_LENGTH)]
"""What a service tells people about itself: too long a remark is cut, never a reason to fail."""
