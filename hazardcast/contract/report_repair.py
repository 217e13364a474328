"""What can still be made of one field of a report that is not as the contract has it.

Each repair takes the value as it came and returns the one to use, or None to leave the field out.
Nothing is guessed: a value is used only where there is no doubt what it means.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

from hazardcast.contract.fields import CAMERA_ID_PATTERN, EVENT_ID_LENGTH, NAME_PATTERN, line
from hazardcast.contract.incident_types import Severity

STATUSES = ("new", "update", "cancel")
_YES = frozenset(
    "true t yes y on test drill exercise simulation 예 네 참 시험 훈련 모의 모의훈련".split()  # noqa: SIM905 - as read
)
_NO = frozenset("false f no n off 아니요 아니오 거짓".split())  # noqa: SIM905 - as read
_CAMERA_ID = re.compile(CAMERA_ID_PATTERN)
_NAME = re.compile(NAME_PATTERN)
_UNITS = ((1e14, 1e6), (1e17, 1e9))
"""From which number on it is micro- and nanoseconds: as the unit before it would be year 5138."""
_LAST_ZONE = timezone(timedelta(hours=-12))
"""Where a day ends last (Baker Island)."""
_DAY_S = 86_400.0
_ODD_ID = "odd-{digest}"


def word(known: Iterable[str], value: object) -> str | None:
    """The word of `known` that `value` is but for case and blanks around it."""
    said = value.strip().casefold() if isinstance(value, str) else None
    return next((one for one in known if one == said), None)


def severity(value: object) -> str | None:
    """`High` → `high`."""
    return word((one.value for one in Severity), value)


def status(value: object) -> str | None:
    """`Cancel` → `cancel`; no other word is taken for one."""
    return word(STATUSES, value)


def truth(value: object) -> bool | None:
    """` TRUE ` → True; a number, also as text, is true unless it is zero."""
    if isinstance(value, int):
        return value != 0
    if not isinstance(value, float | str):
        return None
    said = unicodedata.normalize("NFC", "".join(str(value).split()).casefold())
    if said in _YES or said in _NO:
        return said in _YES
    with contextlib.suppress(ValueError):
        number = float(value)
        return number != 0.0 if math.isfinite(number) else None
    return None


def agreed(marks: Iterable[object]) -> bool | None:
    """What several truths say together; None: they differ, or one of them cannot be read."""
    said = {truth(one) for one in marks if one is not None}
    return said.pop() if len(said) == 1 else None


def text(value: object) -> str | None:
    """One line of at most 64 characters; a number is its digits."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)[:100]
    return line(value) or None if isinstance(value, str) else None


def camera(value: object) -> str | None:
    """`North-1` → `north-1`, where that is an id that a camera can have."""
    said = value.strip().casefold() if isinstance(value, str) else ""
    return said if _CAMERA_ID.fullmatch(said) else None


def event_id(value: object) -> str | None:
    """A name by which later reports find the same event: the same text gets the same name."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)[:100]
    said = value.strip() if isinstance(value, str) else ""
    if not said:
        return None
    if _NAME.fullmatch(said) and len(said) <= EVENT_ID_LENGTH:
        return said
    digest = hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return _ODD_ID.format(digest=digest)


def confidence(value: object) -> float | None:
    """A whole percentage from 2 to 100, with or without its sign, as a share."""
    if isinstance(value, bool):
        return None
    said = str(value)[:20].strip() if isinstance(value, str | int | float) else ""
    percent = re.fullmatch(r"(\d{1,3})(\.0+)?\s*(%?)", said, re.ASCII)
    if percent is None:
        return None
    number = int(percent[1])
    return number / 100 if (0 if percent[3] else 2) <= number <= 100 else None


def moment(value: object) -> float | None:
    """Micro- and nanoseconds as seconds; a time without a zone as the latest that it can be.

    That is ahead of its receipt, and so counts as just now, unless it is too old in every zone:
    what waited for days is not news for want of a zone.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    with contextlib.suppress(ValueError, OverflowError):
        number = float(value)
        seconds = (number / unit for low, unit in _UNITS if low <= number < 1e3 * low)
        return next((round(one, 3) for one in seconds), None)
    with contextlib.suppress(ValueError, OverflowError):
        latest = datetime.fromisoformat(str(value).strip()).replace(tzinfo=_LAST_ZONE)
        return latest.timestamp() + (0.0 if ":" in str(value) else _DAY_S)
    return None


def left_out(_value: object) -> None:
    """For what is right or is nothing."""


REPAIRS: dict[str, Callable[[object], Any]] = {
    "severity": severity,
    "road": text,
    "reported_type": text,
    "report_id": text,
    "camera": camera,
    "event_id": event_id,
    "confidence": confidence,
    "ts": moment,
    "test": truth,
    "clip_hint": truth,
}
"""Field → its repair; every other field is right or left out."""
