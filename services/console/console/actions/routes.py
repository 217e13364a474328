"""What operators do, over HTTP."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from console.actions.desk import Desk, Wish
from console.actions.requests import Requests
from console.doors.asking import Deciding
from console.problems import RefusedError
from hazardcast.contract.fields import (
    EVENT_ID_LENGTH,
    NAME_PATTERN,
    CameraId,
    Latitude,
    Longitude,
    Note,
    Remark,
    ReportedText,
    Time,
)
from hazardcast.contract.incident_types import IncidentType, Severity
from hazardcast.contract.messages import ClipRequest, Incident
from hazardcast.contract.messages.decision import Action
from hazardcast.machine.clock import Clock

REVISION = re.compile(r'(?:W/)?"(\d{1,9})"')
Id = Annotated[str, Path(pattern=NAME_PATTERN, max_length=EVENT_ID_LENGTH)]


def _filled(text: object) -> object:
    """A field that was left empty is none."""
    return None if isinstance(text, str) and not text.strip() else text


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class WantedDecision(_Body):
    """What a person decides."""

    action: Action
    reason: Annotated[ReportedText | None, BeforeValidator(_filled)] = None
    note: Annotated[Note | None, BeforeValidator(_filled)] = None


class WantedIncident(_Body):
    """What a person saw, and where: on the map, or in a camera's picture."""

    type: IncidentType
    severity: Severity = Severity.HIGH
    lat: Latitude | None = None
    lon: Longitude | None = None
    camera: CameraId | None = None
    test: bool = False


class WantedClip(_Body):
    """The video that a person wants kept."""

    camera: CameraId
    ts: Time
    pre_s: Annotated[float, Field(ge=0, le=3600)] = 300.0
    post_s: Annotated[float, Field(ge=0, le=3600)] = 300.0
    reason: Remark = "requested"


class DecisionFacts(BaseModel):
    """What became of a decision; `sent`: the alerter has not answered yet."""

    event_id: str
    action: str
    result: str
    effect: str | None = None
    revision: int | None = None


class IncidentFacts(BaseModel):
    """What became of a report; without an id the alert was not heard within a second."""

    event_id: str | None
    ts: float
    clip: bool | None = None
    """Whether its video was asked for; None: it was raised in no camera's picture."""


class ClipFacts(BaseModel):
    """Under which id the clip is told of."""

    event_id: str


def router(desk: Desk, requests: Requests, clock: Clock) -> APIRouter:
    """The routes of what reaches beyond the console; each needs an account that decides."""
    routes = APIRouter(prefix="/api/v1", tags=["actions"])
    _add_decision(routes, desk)
    _add_incident(routes, requests, clock)
    _add_clips(routes, requests)
    return routes


def _add_decision(routes: APIRouter, desk: Desk) -> None:
    @routes.post("/alerts/{event_id}/decision", status_code=HTTPStatus.ACCEPTED)
    def decide(
        viewer: Deciding,
        event_id: Id,
        wanted: WantedDecision,
        if_match: Annotated[str | None, Header()] = None,
    ) -> DecisionFacts:
        """Confirm, clear or negate an alert, approve or reject what waits; needs `If-Match`."""
        wish = Wish(event_id, wanted.action, _revision(if_match), wanted.reason, wanted.note)
        decided = desk.decide(viewer, wish)
        if decided is None:
            return DecisionFacts(event_id=event_id, action=wanted.action, result="sent")
        return DecisionFacts(
            event_id=event_id,
            action=wanted.action,
            result=decided.result,
            effect=decided.effect,
            revision=decided.revision,
        )


def _add_incident(routes: APIRouter, requests: Requests, clock: Clock) -> None:
    @routes.post("/incidents", status_code=HTTPStatus.ACCEPTED)
    def raise_incident(viewer: Deciding, wanted: WantedIncident) -> IncidentFacts:
        """Report an incident as a person; in a camera's picture its video is kept too."""
        if wanted.camera is not None:
            requests.check_camera(viewer, wanted.camera)
        if (wanted.lat is None) != (wanted.lon is None):
            detail = "lat and lon belong together"
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, field="lat")
        told: dict[str, Any] = wanted.model_dump(exclude={"camera"}, exclude_none=True)
        hint = wanted.camera is None
        incident = Incident.parse({**told, "ts": clock.now(), "clip_hint": hint})
        raised = requests.raise_incident(viewer.name or "", incident, wanted.camera)
        assert incident.ts is not None
        event_id = raised.alert.event_id if raised.alert else None
        return IncidentFacts(event_id=event_id, ts=incident.ts, clip=raised.clip)


def _add_clips(routes: APIRouter, requests: Requests) -> None:
    @routes.post("/clip-requests", status_code=HTTPStatus.ACCEPTED)
    def ask_clip(viewer: Deciding, wanted: WantedClip) -> ClipFacts:
        """Have the video of a camera and a window kept."""
        asked = ClipRequest(event_id=requests.own_id(), **wanted.model_dump())
        return ClipFacts(event_id=requests.clip_of(viewer, asked).event_id)

    @routes.post("/clips/{event_id}/hold", status_code=HTTPStatus.ACCEPTED)
    def hold(viewer: Deciding, event_id: Id) -> ClipFacts:
        """Keep a clip whatever retention says."""
        return ClipFacts(event_id=requests.hold(viewer, event_id).event_id)


def _revision(if_match: str | None) -> int:
    """The revision that a person saw.

    Raises:
        RefusedError: 428, none is named; 400, it is none.
    """
    if if_match is None:
        detail = 'send the revision that was seen: If-Match: "3"'
        raise RefusedError(HTTPStatus.PRECONDITION_REQUIRED, detail, field="If-Match")
    match = REVISION.fullmatch(if_match.strip())
    if match is None:
        detail = 'If-Match: expected a revision in quotes, such as "3"'
        raise RefusedError(HTTPStatus.BAD_REQUEST, detail, field="If-Match")
    return int(match[1])
