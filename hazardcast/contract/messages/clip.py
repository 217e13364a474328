"""Asking for the video around a moment, and what has become of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hazardcast.contract.fields import NUMBER, CameraId, EventId, Probability, Remark, Time
from hazardcast.contract.messages.alert import Alert
from hazardcast.contract.messages.base import Message
from hazardcast.contract.vocabulary import ClipStage, GapCause


class ClipRequest(Message):
    """Please keep the video of `camera` from `pre_s` before `ts` to `post_s` after it."""

    event_id: EventId
    """Names the clip on `v2x/clips/{event_id}`; that of the alert, where one stands behind it."""
    camera: CameraId
    """Whose video."""
    ts: Time
    """The moment, epoch seconds."""
    pre_s: Annotated[float, Field(ge=0, le=3600), NUMBER] = 300.0
    """Video wanted from before the moment, s."""
    post_s: Annotated[float, Field(ge=0, le=3600), NUMBER] = 300.0
    """Video wanted from after the moment, s."""
    reason: Remark = "requested"
    """Why, in words."""
    hold: bool | None = None
    """Keep the clip whatever retention says, until someone removes the file `{clip}.hold`."""
    alert: Alert | None = None
    """The alert that the clip is of, as it stood; it is written into the manifest."""


class Gap(Message):
    """A stretch of a clip's window with no video, and why."""

    start: Time
    """Where it begins, epoch seconds."""
    end: Time
    """Where it ends, epoch seconds."""
    cause: GapCause
    """Why (GapCause); a word of a newer version that is not known is read as `unknown`."""


class Window(Message):
    """A stretch of wall-clock time."""

    start: Time
    """Where it begins, epoch seconds."""
    end: Time
    """Where it ends, epoch seconds."""


class OtherClip(Message):
    """A clip of the same event from another camera, as it stood when this was said."""

    camera: CameraId
    """Whose video."""
    state: ClipStage
    """As in `ClipState`."""
    requested: Window
    """What was asked for."""
    coverage: Probability
    """Share of the requested window for which there is video, 0 to 1."""
    path: str | None = None
    """The clip's file, as the clipper sees it; absent: there is none (yet)."""
    gaps: tuple[Gap, ...] = ()
    """What is missing."""


class ClipState(Message):
    """How far a requested clip is; retained, so that late askers learn it too."""

    event_id: EventId
    """As in the request."""
    camera: CameraId
    """Whose video."""
    state: ClipStage
    """`pending`: no video of the window yet; `recording`: some; `building`; at last `ready`
    (complete), `partial` (something is missing) or `failed` (nothing)."""
    requested: Window
    """What was asked for."""
    updated_at: Time
    """When this was said, epoch seconds."""
    delivered: Window | None = None
    """From the first frame to the end of the last, holes included; absent: no video (yet)."""
    coverage: Probability = 0.0
    """Share of the requested window for which there is video (so far), 0 to 1."""
    gaps: tuple[Gap, ...] = ()
    """What is missing and will stay so."""
    path: str | None = None
    """The clip's file, as the clipper sees it; absent: there is none (yet)."""
    detail: str | None = None
    """What is to be said of it, in words."""
    others: tuple[OtherClip, ...] | None = None
    """The event's other clips: one topic tells one event, so the retained word tells them all."""
