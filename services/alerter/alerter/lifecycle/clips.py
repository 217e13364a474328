"""Which clips an alert calls for, and that each is asked for once."""

from __future__ import annotations

from alerter import metrics
from hazardcast.contract.messages import Alert, ClipRequest
from hazardcast.contract.topics import CLIP_REQUESTS
from hazardcast.mqtt.bus import Bus

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


class ClipRequests:
    """Asks for clips, once for each camera of an event; to be called under the alerter's lock."""

    def __init__(self, bus: Bus, *, pre_s: float, post_s: float) -> None:
        self._bus, self._pre_s, self._post_s = bus, pre_s, post_s
        self._asked: dict[str, dict[str, ClipRequest]] = {}

    def ask(
        self, alert: Alert, camera: str | None, *, at: float | None, broadcast: bool = True
    ) -> None:
        """Ask for a camera's video; `at` where it is not the alert's own moment.

        What is not broadcast is no alert, and none is written into the clip's manifest.
        """
        wanted = request(alert, camera, pre_s=self._pre_s, post_s=self._post_s, at=at)
        asked = self._asked.setdefault(alert.event_id, {})
        if wanted and wanted.camera not in asked:
            if not broadcast:
                wanted = wanted.model_copy(update={"alert": None})
            asked[wanted.camera] = wanted
            self._bus.publish(CLIP_REQUESTS, wanted)
            metrics.CLIPS_REQUESTED.inc()

    def all(self) -> list[ClipRequest]:
        """Every request of what is still remembered."""
        return [one for asked in self._asked.values() for one in asked.values()]

    def forget(self, event_id: str) -> None:
        """The event is over and forgotten."""
        self._asked.pop(event_id, None)
