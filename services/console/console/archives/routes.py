"""`/api/v1/timeline`, `/api/v1/archives` and `/api/v1/cameras/{camera}/picture.jpg`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Header, Query
from fastapi.responses import Response

from console.archives import timeline as pure
from console.archives.builder import MOST_AT_ONCE, Builder, no_archive
from console.archives.listing import Shelf, described
from console.archives.still import Stills
from console.doors.asking import Exporting, Looking
from console.live import answers, video
from console.live.routes import LiveRoom, response
from console.problems import RefusedError, not_found
from hazardcast.media import segments
from hazardcast.media.archives import Archive

DAY_S = 86_400.0
LONGEST_S = 32 * DAY_S
STILLS_AT_ONCE = 2
T = TypeVar("T")
Moment = Annotated[float | None, Query(ge=0, le=1e11, allow_inf_nan=False)]
Incidents = Callable[[str, float, float], list[dict[str, Any]]]
"""Camera, from, to → what happened, for marks on the line."""


@dataclass(frozen=True)
class ArchiveRoom:
    """What the routes need."""

    live: LiveRoom
    recordings_dir: Path
    shelf: Shelf
    builder: Builder
    stills: Stills
    incidents: Incidents
    builds: Executor = field(default_factory=lambda: ThreadPoolExecutor(MOST_AT_ONCE + 1))
    """One thread more than archives are made at once: who has to come again learns it now."""
    decoding: Executor = field(default_factory=lambda: ThreadPoolExecutor(STILLS_AT_ONCE))


def router(room: ArchiveRoom) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1", tags=["recordings"])
    _add_timeline(routes, room)
    _add_archives(routes, room)

    @routes.get("/cameras/{camera}/picture.jpg", response_class=Response)
    async def picture(
        viewer: Looking, camera: str,
        if_none_match: Annotated[str | None, Header(alias="If-None-Match")] = None,
    ) -> Response:  # fmt: skip
        """The newest picture that can be shown alone; `Last-Modified` is when it was taken."""
        room.live.check(camera, viewer)
        still = await _in(room.decoding, partial(room.stills.newest, camera))
        if still is None:
            raise not_found("there is no picture of this camera")
        headers = {
            "Last-Modified": formatdate(still.at, usegmt=True),
            "ETag": f'"{round(still.at * 1000)}"',
            "X-Captured-At": f"{still.at:.3f}",
            "Cache-Control": "private, no-cache",
        }
        if if_none_match == headers["ETag"]:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(still.jpeg, headers=headers, media_type="image/jpeg")

    return routes


def _add_timeline(routes: APIRouter, room: ArchiveRoom) -> None:
    @routes.get("/timeline/{camera}")
    def timeline(
        viewer: Looking, camera: str,
        start: Annotated[Moment, Query(alias="from")] = None,
        end: Annotated[Moment, Query(alias="to")] = None,
    ) -> dict[str, Any]:  # fmt: skip
        """What is recorded of a camera, what is not and why, and what happened meanwhile."""
        room.live.check(camera, viewer)
        start, end = _window(start, end, now=room.live.clock.now())
        until = min(end, room.live.clock.now())
        live = room.live.live.line(camera).stretches
        stored = segments.list_segments(room.recordings_dir, camera, start=start, end=end)
        runs = segments.read_runs(room.recordings_dir, camera)
        told = pure.timeline(stored, runs, start=start, end=max(start, until), live=live)
        return {**told, "incidents": room.incidents(camera, start, end)}


def _add_archives(routes: APIRouter, room: ArchiveRoom) -> None:
    @routes.get("/archives/{camera}")
    def listing(
        viewer: Looking, camera: str, *,
        start: Annotated[Moment, Query(alias="from")] = None,
        end: Annotated[Moment, Query(alias="to")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 150,
        cursor: Moment = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Archives of ten minutes, newest first; names are of the site's time."""
        room.live.check(camera, viewer)
        now = room.live.clock.now()
        start, end = _window(start, end, now=now)
        before = end if cursor is None else min(cursor, end)
        found = room.shelf.listed(camera, start, before, limit=limit)
        rows = [described(one, room.shelf.zone, now=now) for one in found.found]
        return {"archives": rows, "next": found.next}

    @routes.get("/archives/{camera}/{name}", response_class=Response)
    async def download(
        viewer: Exporting, camera: str, name: str,
        byte_range: Annotated[str | None, Header(alias="Range")] = None,
    ) -> Response:  # fmt: skip
        """One archive as MP4, made when it is first asked for; with Range."""
        room.live.check(camera, viewer)
        archive, made = await asyncio.to_thread(_found, room, camera, name)
        if made is None:
            made = await _in(room.builds, partial(room.builder.built, camera, archive))
        headers = {"Content-Disposition": f'attachment; filename="{camera}_{name}"'}
        return response(await asyncio.to_thread(_answer, made, byte_range, headers))


async def _in(pool: Executor, work: Callable[[], T]) -> T:
    """What takes long, where nothing else waits for its turn."""
    return await asyncio.get_running_loop().run_in_executor(pool, work)


def _found(room: ArchiveRoom, camera: str, name: str) -> tuple[Archive, Path | None]:
    archive = room.shelf.find(camera, name)
    if archive is None:
        raise no_archive()
    return archive, room.builder.made(camera, archive)


def _answer(made: Path, byte_range: str | None, headers: dict[str, str]) -> answers.Answer:
    found = video.held(made)
    if found is None:
        raise no_archive()
    return answers.of_file(found, byte_range, media_type="video/mp4", headers=headers)


def _window(start: float | None, end: float | None, *, now: float) -> tuple[float, float]:
    """A day up to now where nothing else is said.

    Raises:
        RefusedError: 400, it is none or too long.
    """
    end = now if end is None else end
    start = max(0.0, end - DAY_S) if start is None else start
    if not start < end or end - start > LONGEST_S:
        longest = f"from must be before to, by {LONGEST_S / DAY_S:.0f} days at most"
        raise RefusedError(HTTPStatus.BAD_REQUEST, longest, field="from")
    return start, end
