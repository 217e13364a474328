"""Which clip gives way when more are waited for than there may be. Pure.

Never simply the newest: a camera that asks for more than its tenth does so first, then what could
not be built, then what nobody holds, what no alert stands behind, the slight, the oldest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping

from clipper.jobs import Identity
from hazardcast.contract.incident_types import Severity
from hazardcast.contract.messages import ClipRequest

SEVERITIES = tuple(Severity)


def least_first(
    waiting: Mapping[Identity, ClipRequest], *, given_up: Container[Identity], most: int
) -> list[Identity]:
    """What gives way first, in order, of what waits (oldest first, the newcomer last)."""
    shares = Counter(request.camera for request in waiting.values())
    tenth = max(1, most // 10)

    def weight(key: Identity) -> tuple[bool, bool, bool, int]:
        request = waiting[key]
        within = shares[request.camera] <= tenth
        return within, key not in given_up, bool(request.hold), gravity(request)

    return sorted(waiting, key=weight)


def gravity(request: ClipRequest) -> int:
    """0 where no alert stands behind it, or a rehearsal; else the more, the graver the alert."""
    alert = request.alert
    return 0 if alert is None or alert.test else 1 + SEVERITIES.index(alert.severity)


def reason(most: int, newcomer: ClipRequest | None = None) -> str:
    """Why a clip gave way, in words."""
    full = f"{most} clips are waited for"
    if newcomer is None:
        return f"{full}, and each of the others matters more"
    return f"{full}: this one gave way to {newcomer.event_id} of {newcomer.camera}"
