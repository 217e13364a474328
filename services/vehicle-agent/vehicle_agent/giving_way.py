"""What gives way at a limit: what is over, then the slight before the grave. Pure.

Never simply the newest: a source that floods the vehicle, or calls all it says critical, must not
keep another's accident from the driver. Who holds more than a tenth of the room gives way first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeVar

from hazardcast.contract.incident_types import Severity
from hazardcast.contract.messages import Alert

QUOTA_SHARE = 10
"""One source may hold a tenth of the room for its own, once there is no room left."""
AT_ONCE_SHARE = 50
_GRAVITY = (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
REHEARSAL = 0
BEYOND_ALERTS = len(_GRAVITY) + 1

Source = tuple[int, str | None]
"""A station, and the camera whose alert it tells; None: reported otherwise."""


def source_of(station: int, alert: Alert) -> Source:
    """Whose quota an alert counts against."""
    return station, alert.camera


def gravity(alert: Alert) -> int:
    """How grave an alert is: a rehearsal 0, low 1 … critical 4."""
    return REHEARSAL if alert.test else 1 + _GRAVITY.index(alert.severity)


@dataclass
class Claim:
    """What speaks for keeping something where there is no more room."""

    source: Source | None
    """None: nobody's, such as a line about the link."""
    gravity: int
    over: bool = False
    """It has ended, or something newer says the same."""


C = TypeVar("C", bound=Claim)


def first_to_go(claims: Collection[C], most: int) -> list[C]:
    """Which of `claims`, in the order they came, give way where there is room for `most`.

    What is over before all else; then what a source holds beyond its quota; then the slight before
    the grave, and of equals the one that came first, as the newest says how things stand. One, or
    several of those that are over, so that a flood need not be sorted anew for each that comes.
    """
    held = Counter(claim.source for claim in claims)
    quota = max(1, most // QUOTA_SHARE)

    def keep(claim: C) -> tuple[bool, bool, int]:
        modest = claim.source is None or held[claim.source] <= quota
        return not claim.over, modest, claim.gravity

    order = sorted(claims, key=keep)
    return [claim for claim in order[: max(1, most // AT_ONCE_SHARE)] if claim.over] or order[:1]
