"""Clips: lists, video by ranges, manifest, and the picture that decided."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Connection, and_, func, select

from console.api.answers import ASKED_AGAIN, after, asking, tagged
from console.api.clip_files import ClipFiles, told
from console.api.parameters import OnePart
from console.doors.asking import Exporting, Looking
from console.doors.viewer import Viewer
from console.problems import not_found
from console.store.paging import Order, read
from console.store.store import Store
from console.store.tables import AlertState, Clip, EvidencePicture
from console.store.visible import visible
from hazardcast.signing.clip_seal import MANIFEST

ORDER = Order(Clip.start_ms, Clip.id)
EVIDENCE_WITHIN_S = 60.0
WHAT = select(*Clip.__table__.columns, AlertState.type, AlertState.severity).outerjoin(
    AlertState, and_(AlertState.site == Clip.site, AlertState.event_id == Clip.event_id)
)
ClipId = Annotated[int, Path(ge=1, le=2**62)]


class ClipPage(BaseModel):
    """Some clips, newest first."""

    clips: list[dict[str, Any]]
    next: str | None


def router(store: Store, files: ClipFiles) -> APIRouter:
    """The routes of clips and evidence."""
    routes = APIRouter(prefix="/api/v1", tags=["clips"])

    @routes.get("/clips", response_model=ClipPage)
    def clips(
        request: Request,
        viewer: Looking,
        part: OnePart,
        camera: Annotated[str | None, Query(max_length=64)] = None,
        event_id: Annotated[str | None, Query(max_length=64)] = None,
    ) -> Response:
        """Clips by the beginning of their windows, newest first; those that went are left out."""
        found: list[ColumnElement[bool]] = [Clip.site == store.site]
        found += [Clip.camera == camera] if camera else []
        found += [Clip.event_id == event_id] if event_id else []
        sifted = [Clip.state != "removed", *visible(Clip.camera, viewer.cameras)]
        with asking(store) as connection:
            page = read(
                connection,
                WHAT,
                ORDER,
                found=found,
                sifted=sifted,
                after=after(part.cursor),
                limit=part.limit,
            )
        clips = [told(dict(row), files) for row in page.rows]
        return tagged(request, {"clips": clips, "next": page.next})

    _add_one(routes, store, files)
    _add_evidence(routes, store)
    return routes


def _add_one(routes: APIRouter, store: Store, files: ClipFiles) -> None:
    @routes.get("/clips/{clip_id}", response_model=dict[str, Any])
    def clip(request: Request, viewer: Looking, clip_id: ClipId) -> Response:
        """One clip, with the judgement of its signature: every byte of it is read for that."""
        return tagged(request, told(_row(store, viewer, clip_id), files, judge=True))

    @routes.get("/clips/{clip_id}/video.mp4", response_class=FileResponse)
    def video(viewer: Exporting, clip_id: ClipId) -> Response:
        """The video; ranges are served, also to the end of one that is removed meanwhile."""
        path = files.video(_row(store, viewer, clip_id)["file"])
        if path is None:
            raise not_found("there is no video of this clip")
        return FileResponse(path, media_type="video/mp4", headers={"cache-control": ASKED_AGAIN})

    @routes.get("/clips/{clip_id}/manifest.json", response_class=FileResponse)
    def manifest(viewer: Exporting, clip_id: ClipId) -> Response:
        """The manifest as it was signed, whatever has become of the video."""
        path = files.video(_row(store, viewer, clip_id)["file"])
        found = files.beside(path, MANIFEST) if path else None
        if found is None:
            raise not_found("there is no manifest of this clip")
        return FileResponse(found, media_type="application/json")


def _add_evidence(routes: APIRouter, store: Store) -> None:
    @routes.get("/evidence/{event_id}.jpg", response_class=Response)
    def evidence(
        request: Request, viewer: Looking, event_id: Annotated[str, Path(max_length=64)]
    ) -> Response:
        """The picture that decided, by the detector's name of the incident or by the alert's."""
        with asking(store) as connection:
            row = _picture(connection, store, viewer, event_id)
        tag = f'"{row["sha256"][:24]}"'
        headers = {"etag": tag, "cache-control": ASKED_AGAIN, "x-content-type-options": "nosniff"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(row["picture"], media_type="image/jpeg", headers=headers)


def _row(store: Store, viewer: Viewer, clip_id: int) -> dict[str, Any]:
    with asking(store) as connection:
        statement = WHAT.where(Clip.id == clip_id, Clip.site == store.site)
        row = connection.execute(statement).mappings().first()
    if row is None or not viewer.may_see(row["camera"]):
        raise not_found("there is no such clip")
    return dict(row)


def _picture(connection: Connection, store: Store, viewer: Viewer, event_id: str) -> Any:
    here = EvidencePicture.site == store.site
    statement = select(EvidencePicture.__table__).where(here)
    named = statement.where(EvidencePicture.event_id == event_id)
    row = connection.execute(named).mappings().first() or _nearest(connection, store, event_id)
    if row is None or not viewer.may_see(row["camera"]):
        raise not_found("there is no such picture")
    return row


def _nearest(connection: Connection, store: Store, event_id: str) -> Any:
    """A detector names an incident in its own way: the picture nearest to the alert's detection."""
    alert = connection.execute(
        select(AlertState.camera, AlertState.detected_at).where(
            AlertState.site == store.site, AlertState.event_id == event_id
        )
    ).first()
    if alert is None or alert[0] is None:
        return None
    at = alert[1]
    statement = select(EvidencePicture.__table__).where(
        EvidencePicture.site == store.site,
        EvidencePicture.camera == alert[0],
        EvidencePicture.ts >= at - EVIDENCE_WITHIN_S,
        EvidencePicture.ts <= at + EVIDENCE_WITHIN_S,
    )
    nearest = statement.order_by(func.abs(EvidencePicture.ts - at)).limit(1)
    return connection.execute(nearest).mappings().first()
