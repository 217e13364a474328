"""What a person starts: an incident on the map or in a picture, a clip, a clip that stays."""

from __future__ import annotations

import logging
import secrets
import threading
from dataclasses import dataclass

from console.actions.board import Board
from console.actions.desk import SAID_WITHIN_S, broker_away
from console.actions.entries import Keep, of_clip, of_incident
from console.doors.viewer import Viewer
from console.problems import RefusedError, no_camera, not_found
from hazardcast.config.site import SiteConfig
from hazardcast.contract.messages import Alert, ClipRequest, Incident
from hazardcast.contract.topics import CLIP_REQUESTS, INCIDENTS
from hazardcast.machine.clock import Clock
from hazardcast.mqtt.bus import Bus

log = logging.getLogger(__name__)
ON_AIR_WITHIN_S = 1.0
LOOK_EVERY_S = 0.02


@dataclass(frozen=True)
class Raised:
    """What became of a report."""

    alert: Alert | None
    """That came of it; None: none was seen in time."""
    clip: bool | None
    """Whether its video was asked for; None: there is none to ask for."""


@dataclass(frozen=True)
class Requests:
    """Says what people ask for, now or never."""

    board: Board
    bus: Bus
    clock: Clock
    config: SiteConfig
    keep: Keep

    def check_camera(self, viewer: Viewer, camera: str) -> None:
        """Refuse a camera that is unknown or not theirs, both in the same words."""
        if camera not in self.config.cameras or not viewer.may_see(camera):
            raise no_camera()

    def raise_incident(self, by: str, incident: Incident, camera: str | None) -> Raised:
        """Report an incident; from then on it is out, whatever becomes of the clip.

        It is a person's report: no camera stands in it, so no camera's silence ends it and no
        policy of a camera withholds it. Of the camera in whose picture it was seen it has the
        place, where none is given, and its video is kept.
        """
        place = self.config.cameras[camera].position if camera else None
        if place and incident.lat is None:
            at = {"lat": place.lat_deg, "lon": place.lon_deg}
            incident = incident.model_copy(update=at)
        self._need_broker()
        self.keep(of_incident(by, incident, camera, self.own_id()))
        if not self.bus.publish_now(INCIDENTS, incident, within_s=SAID_WITHIN_S):
            raise broker_away()
        assert incident.ts is not None
        alert = self._seen(incident.ts)
        if camera is None:
            return Raised(alert, None)
        event_id = alert.event_id if alert else self.own_id()
        request = ClipRequest(event_id=event_id, camera=camera, ts=incident.ts, alert=alert)
        try:
            self.ask_clip(by, request)
        except RefusedError as error:
            about = {"event_id": event_id, "camera": camera, "reason": str(error)}
            log.warning("an incident is said, its clip is not asked for", extra=about)
            return Raised(alert, clip=False)
        return Raised(alert, clip=True)

    def _need_broker(self) -> None:
        """Nothing is kept as done that cannot even be tried."""
        if not self.bus.connected:
            raise broker_away()

    def _seen(self, ts: float) -> Alert | None:
        """The alert of the report that carried this time, as soon as it is on the air."""
        never, deadline = threading.Event(), self.clock.monotonic() + ON_AIR_WITHIN_S
        while (alert := self.board.alert_reported_at(ts)) is None:
            if self.clock.monotonic() >= deadline:
                return None
            self.clock.wait(never, LOOK_EVERY_S)
        return alert

    def ask_clip(self, by: str, request: ClipRequest) -> None:
        """Have the video around a moment kept.

        Raises:
            RefusedError: 503, the broker is away.
        """
        self._need_broker()
        self.keep(of_clip(by, request, self.clock.now(), self.own_id()))
        if not self.bus.publish_now(CLIP_REQUESTS, request, within_s=SAID_WITHIN_S):
            raise broker_away()

    def clip_of(self, viewer: Viewer, wanted: ClipRequest) -> ClipRequest:
        """Ask for the video of a camera and a window of one's own.

        Raises:
            RefusedError: 404, no such camera, or not theirs; 503, the broker is away.
        """
        self.check_camera(viewer, wanted.camera)
        self.ask_clip(viewer.name or "", wanted)
        return wanted

    def hold(self, viewer: Viewer, event_id: str) -> ClipRequest:
        """Keep a clip whatever retention says.

        Raises:
            RefusedError: 404, there is no such clip, or not theirs; 503, the broker is away.
        """
        clip = self.board.clip(event_id)
        if clip is None or not viewer.may_see(clip.camera):
            raise not_found("there is no such clip")
        window = clip.requested
        request = ClipRequest(
            event_id=event_id, camera=clip.camera, ts=window.start, pre_s=0.0,
            post_s=window.end - window.start, reason="held", hold=True,
        )  # fmt: skip
        self.ask_clip(viewer.name or "", request)
        return request

    def own_id(self) -> str:
        """A name that no station gives."""
        return f"console-{secrets.token_hex(8)}"
