"""Events: pages, tables to take away, and a stream for scripts."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterator
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response, StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel

from console.api.answers import after, asking, tagged
from console.api.event_query import Asked, EventQuery, as_told, page
from console.api.parameters import OnePart
from console.doors.asking import Exporting, Looking, guard_of
from console.doors.viewer import Viewer
from console.problems import RefusedError
from console.store.database import StoreUnavailableError
from console.store.paging import place
from console.store.store import Store
from hazardcast.contract.messages import RealtimeEvent as EventWord

EXPORT_PAGE = 500
LOOK_EVERY_S = 0.2
LOOK_ANYWAY_S = 5.0
STREAM_PAGE = 200
COLUMNS = (
    "seq",
    "at_iso",
    "ts",
    "site",
    "source",
    "category",
    "level",
    "kind",
    "camera",
    "event_id",
    "revision",
    "type",
    "severity",
    "status",
    "confidence",
    "lat",
    "lon",
    "summary",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would reckon instead of show."""


class EventPage(BaseModel):
    """Some events, newest first."""

    events: list[EventWord]
    next: str | None
    """Cursor of the page that follows; none: there is nothing older."""


def router(store: Store) -> APIRouter:
    """The routes of events."""
    routes = APIRouter(prefix="/api/v1", tags=["events"])
    stir = _Stir(store)

    @routes.get("/events", response_model=EventPage)
    def events(request: Request, viewer: Looking, asked: Asked, part: OnePart) -> Response:
        """Events, newest first."""
        with asking(store) as connection:
            found = page(
                connection, store.site, viewer, asked, at=after(part.cursor), limit=part.limit
            )
        return tagged(request, {"events": as_told(store, found), "next": found.next})

    @routes.get("/events/stream", response_class=EventSourceResponse)
    async def stream(
        request: Request, _viewer: Looking, begin: Annotated[int | None, Depends(_sequence)]
    ) -> AsyncIterator[ServerSentEvent]:
        """Events as they are stored, from `Last-Event-ID` on; without it from now on."""
        async for event in _follow(request, store, stir, begin):
            yield ServerSentEvent(
                raw_data=json.dumps(event, ensure_ascii=True),
                event=event["kind"],
                id=str(event["seq"]),
            )

    _add_exports(routes, store)
    return routes


def _add_exports(routes: APIRouter, store: Store) -> None:
    def taken_away(
        viewer: Viewer, asked: EventQuery, kind: str, name: str, lines: Callable[..., Iterator[str]]
    ) -> Response:
        with asking(store):
            pass  # refuse before anything is sent
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(
            lines(_every(store, viewer, asked)), media_type=kind, headers=headers
        )

    @routes.get("/events.csv", response_class=Response)
    def as_csv(viewer: Exporting, asked: Asked) -> Response:
        """Events as a table, newest first."""
        return taken_away(viewer, asked, "text/csv; charset=utf-8", "events.csv", _csv)

    @routes.get("/events.ndjson", response_class=Response)
    def as_ndjson(viewer: Exporting, asked: Asked) -> Response:
        """Events, one JSON object a line, newest first."""
        return taken_away(viewer, asked, "application/x-ndjson", "events.ndjson", _ndjson)


def _every(store: Store, viewer: Viewer, asked: EventQuery) -> Iterator[dict[str, Any]]:
    """Page after page, so that neither memory nor a transaction grows with what is asked."""
    cursor: str | None = None
    while True:
        with store.reading() as connection:
            found = page(connection, store.site, viewer, asked, at=place(cursor), limit=EXPORT_PAGE)
        yield from as_told(store, found)
        cursor = found.next
        if cursor is None:
            return


def _ndjson(events: Iterator[dict[str, Any]]) -> Iterator[str]:
    for event in events:
        yield json.dumps(event, separators=(",", ":")) + "\n"


def _csv(events: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield "\ufeff" + _line(COLUMNS)  # or spreadsheets take it for another encoding
    for event in events:
        yield _line([_cell(event[name]) for name in COLUMNS])


def _line(cells: Any) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


def _cell(value: Any) -> Any:
    """Text that begins like a formula is shown as text."""
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value


class _Stir:
    """Tells many streams that there is something new, without a question each to the database."""

    def __init__(self, store: Store) -> None:
        self.newest = 0
        store.listen(self._heard)

    def _heard(self, events: list[dict[str, Any]]) -> None:
        self.newest = max(self.newest, events[-1]["seq"])


async def _sequence(
    last_event_id: Annotated[str | None, Header(max_length=20)] = None,
) -> int | None:
    if last_event_id is None:
        return None
    if not (last_event_id.isascii() and last_event_id.isdigit()) or int(last_event_id) > 2**62:
        raise RefusedError(
            HTTPStatus.BAD_REQUEST, "Last-Event-ID: not a number that was given here"
        )
    return int(last_event_id)


async def _follow(
    request: Request, store: Store, stir: _Stir, begin: int | None
) -> AsyncIterator[dict[str, Any]]:
    """What is stored after `begin`, while the viewer may see it and the database answers."""
    clock = asyncio.get_running_loop()
    try:
        at = await run_in_threadpool(store.newest_seq) if begin is None else begin
        while (viewer := guard_of(request).viewer_of(request)) is not None:
            known = stir.newest  # what comes while it is asked for is not to be slept through
            events = await run_in_threadpool(store.events, at, STREAM_PAGE, viewer.cameras)
            for event in events:
                yield event
                at = event["seq"]
            again_at = clock.time() + LOOK_ANYWAY_S
            while not events and stir.newest == known and clock.time() < again_at:
                await asyncio.sleep(LOOK_EVERY_S)
    except StoreUnavailableError:
        return  # the client asks again, and is told 503
