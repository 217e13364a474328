"""What a heartbeat says of the alerts in force, so that a vehicle finds out what it has not heard.

A rule of the wire: station and vehicle must come to the same text (docs/design/alert-path.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from hazardcast.contract.messages import Alert

HEX_DIGITS = 16


def digest(in_force: Iterable[Alert]) -> str:
    """First 16 hex digits of SHA-256 over the sorted lines `event_id reference_time_ms status`."""
    lines = sorted(
        f"{alert.event_id} {round(alert.reference_time * 1000)} {alert.status}\n"
        for alert in in_force
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:HEX_DIGITS]
