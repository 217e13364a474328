"""The routes under `api/live-monitoring`: events, the newest, statistics and analyses by camera."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from console.api.answers import after, asking, seen_camera, tagged
from console.api.event_query import EventQuery, as_told, page
from console.api.events import EventPage
from console.api.parameters import Between, OnePart
from console.api.traffic import AnalysisPage, Bucket, Traffic
from console.doors.asking import Looking
from hazardcast.contract.messages import RealtimeEvent as EventWord


def router(traffic: Traffic) -> APIRouter:
    """The routes that answer by camera."""
    routes = APIRouter(prefix="/api/live-monitoring", tags=["live monitoring"])
    _add_events(routes, traffic)

    @routes.get("/stats/{camera_id}", response_model=dict[str, Any])
    def stats(
        request: Request,
        viewer: Looking,
        camera_id: str,
        span: Between,
        bucket: Bucket = 3600,
    ) -> Response:
        """Traffic by the hour; the last day's when no time is given."""
        seen_camera(viewer, camera_id, traffic.cameras)
        return tagged(request, traffic.stats(camera_id, span, bucket))

    @routes.get("/segment-analyses/{camera_id}", response_model=AnalysisPage)
    def analyses(
        request: Request,
        viewer: Looking,
        camera_id: str,
        span: Between,
        part: OnePart,
    ) -> Response:
        """Ten-minute windows, newest first, one row each."""
        seen_camera(viewer, camera_id, traffic.cameras)
        return tagged(request, traffic.analyses(camera_id, span, part))

    return routes


def _add_events(routes: APIRouter, traffic: Traffic) -> None:
    store = traffic.store

    @routes.get("/events/{camera_id}", response_model=EventPage)
    def events(
        request: Request,
        viewer: Looking,
        camera_id: str,
        span: Between,
        part: OnePart,
    ) -> Response:
        """Events of a camera, newest first."""
        seen_camera(viewer, camera_id, traffic.cameras)
        asked = EventQuery({"camera": [camera_id]}, span.since, span.until)
        with asking(store) as connection:
            found = page(
                connection, store.site, viewer, asked, at=after(part.cursor), limit=part.limit
            )
        return tagged(request, {"events": as_told(store, found), "next": found.next})

    @routes.get(
        "/events/{camera_id}/latest",
        response_model=EventWord,
        responses={204: {"description": "nothing yet"}},
    )
    def latest(request: Request, viewer: Looking, camera_id: str) -> Response:
        """The newest event of a camera; 204 while there is none, 304 while it is the same."""
        seen_camera(viewer, camera_id, traffic.cameras)
        asked = EventQuery({"camera": [camera_id]})
        with asking(store) as connection:
            found = as_told(store, page(connection, store.site, viewer, asked, at=None, limit=1))
        if not found:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return tagged(request, found[0])
