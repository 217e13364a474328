"""The owner's routes for live pictures, and the playlists and files that they lead to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from console.doors.asking import Looking
from console.doors.viewer import Viewer
from console.live.answers import Answer
from console.live.hls import Asked, Hls, no_file
from console.live.leases import Leases
from console.live.live import Live
from console.problems import RefusedError, no_camera
from hazardcast.machine.clock import Clock

PREFIX = "/api/live-monitoring"
LIVE_WITHIN_S = 30.0
"""What is older is not live, though the recorder may have gone without a word."""
WhyDown = Callable[[str], str | None]
"""Camera → why the recorder says that it is not live; None while it is, or nothing is known."""
Number = Annotated[int | None, Query(alias="_HLS_msn", ge=0, le=10**15)]
PartNumber = Annotated[int | None, Query(alias="_HLS_part", ge=0, le=10**6)]
Skip = Annotated[str | None, Query(alias="_HLS_skip", max_length=10)]
LowLatency = Annotated[bool, Query(alias="ll")]
From = Annotated[float | None, Query(alias="from", ge=0, le=1e11, allow_inf_nan=False)]
To = Annotated[float | None, Query(alias="to", ge=0, le=1e11, allow_inf_nan=False)]

Range = Annotated[str | None, Header(alias="Range")]


async def asked(
    *,
    number: Number = None,
    part: PartNumber = None,
    _skip: Skip = None,
    ll: LowLatency = True,
    start: From = None,
    end: To = None,
) -> Asked:
    """The parameters of a playlist; a delta is answered with the whole, as it may be."""
    return Asked(number, part, ll, start, end)


AskedPlaylist = Annotated[Asked, Depends(asked)]


@dataclass(frozen=True)
class LiveRoom:
    """What the routes need."""

    live: Live
    hls: Hls
    leases: Leases
    cameras: Mapping[str, object]
    why_down: WhyDown
    clock: Clock

    def check(self, camera: str, viewer: Viewer) -> None:
        """One answer for a camera that is unknown or not this viewer's.

        Raises:
            RefusedError: 404.
        """
        if camera not in self.cameras or not viewer.may_see(camera):
            raise no_camera()


def router(room: LiveRoom) -> APIRouter:
    """The routes below `/api/live-monitoring`."""
    routes = APIRouter(prefix=PREFIX, tags=["live"])
    _add_leases(routes, room)

    @routes.get("/hls/{camera_id}/{filename:path}", response_class=Response)
    async def file(
        viewer: Looking,
        camera_id: str,
        filename: str,
        asked: AskedPlaylist,
        byte_range: Range = None,
    ) -> Response:
        """A playlist (`live.m3u8`, `{camera}.m3u8`) or a file that one names, with Range."""
        room.check(camera_id, viewer)
        if "/" in filename or "\0" in filename:
            raise no_file()
        return response(await room.hls.answer(camera_id, filename, asked, byte_range))

    return routes


def _add_leases(routes: APIRouter, room: LiveRoom) -> None:
    @routes.post("/start-hls-stream/{camera_id}")
    def start(request: Request, viewer: Looking, camera_id: str) -> Response:
        """A lease, to be renewed before it expires; recording goes on with or without."""
        room.check(camera_id, viewer)
        line, why = room.live.line(camera_id), room.why_down(camera_id)
        age_s = room.clock.now() - (line.shown_until or 0.0)
        if line.newest is None or why or age_s > LIVE_WITHIN_S:
            why = why or "nothing of this camera is recorded now"
            raise RefusedError(HTTPStatus.CONFLICT, why)
        name = holder(request, viewer)
        expires_s = room.leases.start(camera_id, name, monotonic_s=room.clock.monotonic())
        return JSONResponse({
            "playlist": f"../hls/{camera_id}/live.m3u8",
            "codec": line.codec,
            "live_age_s": round(age_s, 3),
            "expires_s": expires_s,
        })  # fmt: skip

    @routes.post("/stop-hls-stream/{camera_id}")
    def stop(request: Request, viewer: Looking, camera_id: str) -> Response:
        """End the caller's lease; the camera is recorded as before."""
        room.check(camera_id, viewer)
        ended = room.leases.stop(camera_id, holder(request, viewer))
        return JSONResponse({"ended": ended})


def holder(request: Request, viewer: Viewer) -> str:
    """Whose lease it is: the account's, or without one the address's."""
    return viewer.name or (request.client.host if request.client else "")


def response(answer: Answer) -> Response:
    """As HTTP."""
    if isinstance(answer.blocks, bytes):
        return Response(
            answer.blocks, answer.status, headers=answer.headers, media_type=answer.media_type
        )
    return StreamingResponse(
        answer.blocks, answer.status, headers=answer.headers, media_type=answer.media_type
    )
