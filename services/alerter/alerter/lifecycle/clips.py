"""Which clip an alert calls for. Pure."""

from __future__ import annotations

from hazardcast.contract.messages import Alert, ClipRequest

ONSET_MARGIN_S = 2.0
"""The onset is an estimate: the detector needs some frames to be sure."""
MAX_SIDE_S = 3600.0


def request(
    alert: Alert, camera: str | None, *, pre_s: float, post_s: float, at: float | None = None
) -> ClipRequest | None:
    """The clip to ask for, None when nobody wants one or no camera could have seen it.

    Args:
        alert: what it is of.
        camera: which one.
        pre_s: how much before.
        post_s: how much after.
        at: the moment, where it is another than the alert's own.
    """
    if not alert.clip_hint or camera is None:
        return None
    return ClipRequest(
        event_id=alert.event_id,
        camera=camera,
        ts=alert.ts if at is None else at,
        pre_s=min(MAX_SIDE_S, pre_s + ONSET_MARGIN_S),
        post_s=min(MAX_SIDE_S, post_s + ONSET_MARGIN_S),
        reason=f"{alert.type} ({alert.severity})",
        alert=alert,
    )
