"""What a heartbeat says. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from alerter.air.on_air import HEARTBEAT_S
from alerter.air.transmitter import Totals
from hazardcast.contract.digest import digest
from hazardcast.contract.messages import Alert, Heartbeat


def compose(
    totals: Totals, in_force: Sequence[Alert], *, state: Literal["ok", "degraded", "stopping"]
) -> Heartbeat:
    """Totals of this epoch, the heartbeat itself included, and what is in force now."""
    return Heartbeat(
        state=state,
        interval_s=HEARTBEAT_S,
        last_alert_seq=totals.last_alert_seq,
        sent_alert_datagrams=totals.alerts,
        sent_heartbeats=totals.heartbeats,
        active_count=len(in_force),
        active_digest=digest(in_force),
    )
