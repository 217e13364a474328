"""What a camera's traffic was: statistics, ten-minute analyses, and tracks to draw."""

from __future__ import annotations

import json
import zlib
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel
from sqlalchemy import Connection, func, select

from console.api.answers import after, asking, seen_camera, tagged
from console.api.parameters import Between, OnePart, Part, Span
from console.doors.asking import Looking
from console.problems import RefusedError
from console.store import statistics
from console.store.events import iso
from console.store.paging import Place
from console.store.store import Store
from console.store.tables import AlertState, HourCount, SegmentAnalysis, TrackBlock
from hazardcast.machine.clock import Clock

DAY_S = 86_400.0
WINDOW_S = 600
BLOCK_S = 10
MOST_BUCKETS = 2000
LONGEST_STATS_S = 31 * DAY_S
LONGEST_TRACKS_S = 900.0
OWN_PROVIDER = "detections"
Bucket = Annotated[int, Query(ge=60, le=86_400, multiple_of=60)]


class AnalysisPage(BaseModel):
    """Ten-minute windows, newest first, one row each."""

    segment_analyses: list[dict[str, Any]]
    next: str | None


class Traffic:
    """Answers about one camera."""

    def __init__(self, store: Store, cameras: frozenset[str], clock: Clock) -> None:
        self.store = store
        self.cameras = cameras
        self.clock = clock

    def stats(self, camera: str, span: Span, bucket: int) -> Any:
        """Counts by class, speeds, incidents and coverage, stretch by stretch."""
        end = self.clock.now() if span.until is None else span.until
        start = end - DAY_S if span.since is None else span.since
        if not 0 < end - start <= min(LONGEST_STATS_S, MOST_BUCKETS * bucket):
            raise RefusedError(
                HTTPStatus.BAD_REQUEST,
                f"from, to: at most {MOST_BUCKETS} stretches of `bucket` seconds, and 31 days",
                field="from",
            )
        with asking(self.store) as connection:
            segments = self._segments(connection, camera, start, end)
            incidents = self._incidents(connection, camera, start, end)
            events = self._events(connection, camera, start, end)
        made = statistics.buckets(
            segments, (ts for ts, _ in incidents), start=start, end=end, length_s=bucket
        )
        kinds: dict[str, int] = {}
        for _, disposition in incidents:
            kinds[disposition] = kinds.get(disposition, 0) + 1
        return {
            "camera": camera,
            "from": start,
            "to": end,
            "bucket_s": bucket,
            "buckets": made,
            "dispositions": kinds,
            "events": events,
        }

    def _segments(
        self, connection: Connection, camera: str, start: float, end: float
    ) -> list[tuple[int, dict[str, Any]]]:
        found = select(SegmentAnalysis.start, SegmentAnalysis.analysis_result).where(
            SegmentAnalysis.site == self.store.site,
            SegmentAnalysis.camera == camera,
            SegmentAnalysis.provider == OWN_PROVIDER,
            SegmentAnalysis.start > start - WINDOW_S,
            SegmentAnalysis.start < end,
        )
        return [(row[0], json.loads(row[1])) for row in connection.execute(found)]

    def _incidents(
        self, connection: Connection, camera: str, start: float, end: float
    ) -> list[tuple[float, str]]:
        found = select(AlertState.detected_at, AlertState.disposition).where(
            AlertState.site == self.store.site,
            AlertState.camera == camera,
            AlertState.detected_at >= start,
            AlertState.detected_at < end,
            AlertState.test == 0,
        )
        return [(row[0], row[1]) for row in connection.execute(found)]

    def _events(
        self, connection: Connection, camera: str, start: float, end: float
    ) -> dict[str, int]:
        """By kind, from the hours that the time asked for touches."""
        found = (
            select(HourCount.kind, func.sum(HourCount.events))
            .where(
                HourCount.site == self.store.site,
                HourCount.camera == camera,
                HourCount.hour > start - 3600,
                HourCount.hour < end,
            )
            .group_by(HourCount.kind)
        )
        return {row[0]: int(row[1]) for row in connection.execute(found)}

    def analyses(self, camera: str, span: Span, part: Part) -> Any:
        """Windows with what every provider says of them, newest first."""
        table = SegmentAnalysis
        found = [table.site == self.store.site, table.camera == camera]
        found += [] if span.since is None else [table.start >= span.since]
        found += [] if span.until is None else [table.start < span.until]
        at, limit = after(part.cursor), part.limit
        found += [] if at is None else [table.start < at.time]
        starts = select(table.start).distinct().where(*found).order_by(table.start.desc())
        with asking(self.store) as connection:
            wanted = list(connection.execute(starts.limit(limit + 1)).scalars())
            more, wanted = len(wanted) > limit, wanted[:limit]
            statement = select(table.__table__).where(*found, table.start.in_(wanted))
            rows = connection.execute(statement).mappings().all() if wanted else []
        windows = [self._window([row for row in rows if row["start"] == one]) for one in wanted]
        end = Place(float(wanted[-1]), 0).cursor() if more else None
        return {"segment_analyses": windows, "next": end}

    def _window(self, rows: list[Any]) -> dict[str, Any]:
        """One row a window: who looks with more understanding gives the score."""
        rows.sort(key=lambda row: (row["provider"] == OWN_PROVIDER, row["provider"]))
        first = rows[0]
        scores = [row["safety_score"] for row in rows if row["safety_score"] is not None]
        return {
            "camera": first["camera"],
            "start": first["start"],
            "start_iso": iso(first["start"], self.store.zone),
            "end": first["end"],
            "safety_score": scores[0] if scores else None,
            "incident_count": max(row["incident_count"] for row in rows),
            "providers": [row["provider"] for row in rows],
            "analysis_result": {row["provider"]: _shown(row["analysis_result"]) for row in rows},
            "updated_at": max(row["updated_at"] for row in rows),
        }

    def tracks(self, camera: str, since: float, until: float) -> Any:
        """Detections as they were said, oldest first."""
        if not 0 < until - since <= LONGEST_TRACKS_S:
            raise RefusedError(
                HTTPStatus.BAD_REQUEST, f"from, to: at most {LONGEST_TRACKS_S:g} s", field="to"
            )
        found = select(TrackBlock.frames).where(
            TrackBlock.site == self.store.site,
            TrackBlock.camera == camera,
            TrackBlock.start > since - BLOCK_S,
            TrackBlock.start < until,
        )
        with asking(self.store) as connection:
            blocks = list(connection.execute(found.order_by(TrackBlock.start)).scalars())
        frames = [one for block in blocks for one in json.loads(zlib.decompress(block))]
        seen = [_detections(camera, one) for one in frames if since <= one[0] < until]
        return {"camera": camera, "from": since, "to": until, "detections": seen}


def _shown(result: str) -> Any:
    """Without what only statistics need."""
    told = json.loads(result)
    if isinstance(told, dict):
        told.pop("minutes", None)
    return told


def _detections(camera: str, frame: list[Any]) -> dict[str, Any]:
    ts, width, height, objects = frame
    return {
        "camera": camera,
        "ts": ts,
        "width": width,
        "height": height,
        "objects": [
            {"track_id": one[0], "label": one[1], "score": one[2], "box": one[3:7]}
            | ({} if one[7] is None else {"speed_mps": one[7]})
            for one in objects
        ],
    }


def router(traffic: Traffic) -> APIRouter:
    """The routes of traffic."""
    routes = APIRouter(prefix="/api/v1", tags=["traffic"])

    @routes.get("/stats/{camera}", response_model=dict[str, Any])
    def stats(
        request: Request,
        viewer: Looking,
        camera: str,
        span: Between,
        bucket: Bucket = 600,
    ) -> Response:
        """Traffic by stretches of `bucket` seconds; the last day's when no time is given."""
        seen_camera(viewer, camera, traffic.cameras)
        return tagged(request, traffic.stats(camera, span, bucket))

    @routes.get("/segment-analyses/{camera}", response_model=AnalysisPage)
    def analyses(
        request: Request,
        viewer: Looking,
        camera: str,
        span: Between,
        part: OnePart,
    ) -> Response:
        """Ten-minute windows, newest first."""
        seen_camera(viewer, camera, traffic.cameras)
        return tagged(request, traffic.analyses(camera, span, part))

    @routes.get("/tracks/{camera}", response_model=dict[str, Any])
    def tracks(
        request: Request,
        viewer: Looking,
        camera: str,
        since: Annotated[float, Query(alias="from", ge=0, lt=1e11, allow_inf_nan=False)],
        until: Annotated[float, Query(alias="to", ge=0, lt=1e11, allow_inf_nan=False)],
    ) -> Response:
        """What was detected, frame by frame, to draw over a recording."""
        seen_camera(viewer, camera, traffic.cameras)
        return tagged(request, traffic.tracks(camera, since, until))

    return routes
