"""Alerts as they stand, what waits, and how true the alarms were."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, select

from console.api import clip_files
from console.api.answers import after, asking, tagged
from console.api.clip_files import ClipFiles
from console.api.parameters import Between, OnePart, Span
from console.doors.asking import Looking
from console.doors.viewer import Viewer
from console.problems import not_found
from console.store import report
from console.store.paging import Order, read, sifted_out
from console.store.store import Store
from console.store.tables import (
    AlertState,
    Clip,
    EvidencePicture,
    Pending,
    Reached,
    RealtimeEvent,
)
from console.store.visible import visible
from hazardcast.machine.clock import Clock

ORDER = Order(AlertState.detected_at, AlertState.event_id)
EVIDENCE_WITHIN_S = 60.0
"""A detector names an incident in its own way: its picture is the nearest of the camera's."""
NAMES = (
    "event_id",
    "revision",
    "camera",
    "type",
    "severity",
    "status",
    "state",
    "disposition",
    "verdict",
    "confidence",
    "detected_at",
    "updated_at",
    "valid_until",
    "ended_at",
    "lat",
    "lon",
    "decided_by",
    "reason",
    "note",
)
REPORT_S = 30 * 86_400.0
EventId = Annotated[str, Path(max_length=64)]


class AlertPage(BaseModel):
    """Some alerts, newest first."""

    alerts: list[dict[str, Any]]
    next: str | None


class PendingList(BaseModel):
    """All that waits for a person."""

    pending: list[dict[str, Any]]


def router(store: Store, files: ClipFiles, clock: Clock) -> APIRouter:
    """The routes of alerts."""
    routes = APIRouter(prefix="/api/v1", tags=["alerts"])

    @routes.get("/alerts", response_model=AlertPage)
    def alerts(
        request: Request,
        viewer: Looking,
        span: Between,
        part: OnePart,
        state: Literal["open", "ended", "pending", "dropped"] | None = None,
        camera: Annotated[str | None, Query(max_length=64)] = None,
    ) -> Response:
        """Alerts by when they were detected, newest first; also what waits and what was dropped."""
        found = [AlertState.site == store.site, *_between(span)]
        found += [AlertState.state == state] if state else []
        found += [AlertState.camera == camera] if camera else []
        with asking(store) as connection:
            page = read(
                connection,
                _what(),
                ORDER,
                found=found,
                sifted=visible(AlertState.camera, viewer.cameras),
                after=after(part.cursor, key=str),
                limit=part.limit,
            )
        return tagged(request, {"alerts": [_told(row) for row in page.rows], "next": page.next})

    _add_one(routes, store, files)
    _add_pending(routes, store)
    _add_report(routes, store, clock)
    return routes


def _add_one(routes: APIRouter, store: Store, files: ClipFiles) -> None:
    @routes.get("/alerts/{event_id}", response_model=dict[str, Any])
    def alert(request: Request, viewer: Looking, event_id: EventId) -> Response:
        """One alert, with its clips."""
        with asking(store) as connection:
            row = _one(connection, store, viewer, event_id)
            told = _told(row)
            told["seen_by"] = _seen_by(connection, store, viewer, row)
            told["clips"] = _clips(connection, store, viewer, event_id, files)
        return tagged(request, told)


def _add_pending(routes: APIRouter, store: Store) -> None:
    @routes.get("/pending", response_model=PendingList)
    def pending(request: Request, viewer: Looking) -> Response:
        """What waits for a person, or is only looked at (shadow), oldest first."""
        statement = (
            select(Pending.body)
            .where(Pending.site == store.site, *visible(Pending.camera, viewer.cameras))
            .order_by(Pending.ts, Pending.event_id)
        )
        with asking(store) as connection:
            waiting = [json.loads(body) for body in connection.execute(statement).scalars()]
        return tagged(request, {"pending": waiting})


def _add_report(routes: APIRouter, store: Store, clock: Clock) -> None:
    @routes.get("/report", response_model=dict[str, Any])
    def verdicts(
        request: Request,
        viewer: Looking,
        span: Between,
        camera: Annotated[str | None, Query(max_length=64)] = None,
    ) -> Response:
        """How true the alarms were, by camera and day, and the precision at each confidence."""
        last = clock.now() if span.until is None else span.until
        first = last - REPORT_S if span.since is None else span.since
        found = [AlertState.site == store.site, *_between(Span(first, last)), AlertState.test == 0]
        found += [AlertState.camera == camera] if camera else []
        found += visible(AlertState.camera, viewer.cameras)
        with asking(store) as connection:
            rows = connection.execute(select(AlertState.__table__).where(*found)).mappings()
            told = report.told([report.alarm(dict(row)) for row in rows], store.zone)
        return tagged(request, {"from": first, "to": last} | told)


def _between(span: Span) -> list[ColumnElement[bool]]:
    found = [] if span.since is None else [AlertState.detected_at >= span.since]
    return found if span.until is None else [*found, AlertState.detected_at < span.until]


def _what() -> Select[Any]:
    reached = (
        select(func.count())
        .where(Reached.site == AlertState.site, Reached.event_id == AlertState.event_id)
        .scalar_subquery()
    )
    picture = exists().where(
        EvidencePicture.site == AlertState.site,
        EvidencePicture.camera == AlertState.camera,
        EvidencePicture.ts >= AlertState.detected_at - EVIDENCE_WITHIN_S,
        EvidencePicture.ts <= AlertState.detected_at + EVIDENCE_WITHIN_S,
    )
    return select(
        *AlertState.__table__.columns, reached.label("vehicles"), picture.label("picture")
    )


def _told(row: Any) -> dict[str, Any]:
    """The alert as it was broadcast, and what is known of it here."""
    told = json.loads(row["body"])
    told = told if row["state"] in ("open", "ended") else {"pending": told}
    return told | {
        **{name: row[name] for name in NAMES},
        "test": bool(row["test"]),
        "seen_by": [row["camera"]] if row["camera"] else [],
        "vehicles_reached": int(row["vehicles"]),
        "evidence": bool(row["picture"]),
        "clips": [],
    }


def _one(connection: Connection, store: Store, viewer: Viewer, event_id: str) -> Any:
    same = and_(AlertState.site == store.site, AlertState.event_id == event_id)
    row = connection.execute(_what().where(same)).mappings().first()
    if row is None or not viewer.may_see(row["camera"]):
        raise not_found("there is no such alert")
    return row


def _seen_by(connection: Connection, store: Store, viewer: Viewer, row: Any) -> list[str]:
    # DISTINCT would have SQLite go through all the site's rows, camera by camera.
    statement = select(RealtimeEvent.camera).where(
        RealtimeEvent.event_id == row["event_id"],
        RealtimeEvent.site == store.site,
        sifted_out(RealtimeEvent.kind) == "alert",
    )
    cameras = set(connection.execute(statement).scalars())
    return sorted(one for one in cameras if one and viewer.may_see(one))


def _clips(
    connection: Connection, store: Store, viewer: Viewer, event_id: str, files: ClipFiles
) -> list[dict[str, Any]]:
    statement = select(Clip.__table__).where(
        Clip.site == store.site, Clip.event_id == event_id, *visible(Clip.camera, viewer.cameras)
    )
    rows = connection.execute(statement.order_by(Clip.camera, Clip.start_ms)).mappings()
    return [clip_files.told(dict(row), files) for row in rows]
