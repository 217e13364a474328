"""What a heartbeat says. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from alerter.air.on_air import HEARTBEAT_S
from alerter.air.transmitter import Totals
from hazardcast.contract.digest import digest
from hazardcast.contract.messages import Alert, Heartbeat

LONGEST_NAMES = 150
"""Characters for the names of cameras of one mode: a datagram is never fragmented."""


def withholding(confirm: Sequence[str], shadow: Sequence[str]) -> dict[str, Any]:
    """The cameras that do not broadcast everything at once, as far as there is room for names."""
    named = {"confirm": _first_names(confirm), "shadow": _first_names(shadow)}
    count = len({*confirm, *shadow})
    facts: dict[str, Any] = {mode: names for mode, names in named.items() if names}
    return {**facts, "withholding_count": count} if count else facts


def _first_names(cameras: Sequence[str]) -> tuple[str, ...]:
    named: list[str] = []
    for camera in cameras:
        if len(",".join([*named, camera])) > LONGEST_NAMES:
            break
        named.append(camera)
    return tuple(named)


def compose(
    totals: Totals,
    in_force: Sequence[Alert],
    *,
    state: Literal["ok", "degraded", "stopping"],
    withheld: dict[str, Any] | None = None,
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
        **(withheld or {}),
    )
