"""What events are asked for: parameters to conditions, and which of these an index finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Query
from sqlalchemy import ColumnElement, Connection, or_, select

from console.api.answers import after
from console.api.parameters import Between
from console.doors.viewer import Viewer
from console.store.events import told
from console.store.paging import Order, Page, Place, read, sifted_out
from console.store.store import Store
from console.store.tables import RealtimeEvent
from console.store.visible import visible

ORDER = Order(RealtimeEvent.ts, RealtimeEvent.id)
MOST_VALUES = 50
Words = Annotated[list[Annotated[str, Query(max_length=64)]], Query(max_length=MOST_VALUES)]
FILTERS = ("camera", "kind", "type", "severity", "status", "category", "level")
INDEXED = ("camera", "kind")
"""One value each finds an index, alone and together."""


@dataclass(frozen=True)
class EventQuery:
    """A question about events; several values of one parameter are alternatives."""

    words: dict[str, list[str]] = field(default_factory=dict)
    since: float | None = None
    until: float | None = None
    q: str | None = None

    def conditions(
        self, viewer: Viewer, site: str, connection: Connection
    ) -> tuple[list[ColumnElement[bool]], list[ColumnElement[bool]]]:
        """Conditions that an index finds, and such as every row has to be looked at for."""
        found, sifted = [RealtimeEvent.site == site], visible(RealtimeEvent.camera, viewer.cameras)
        is_event = self._search(found, sifted, connection)
        for name in FILTERS:
            values = self.words.get(name, [])
            if not values:
                continue
            column = getattr(RealtimeEvent, name)
            if name in INDEXED and len(values) == 1 and not is_event:
                found.append(column == values[0])
            else:
                sifted.append(sifted_out(column).in_(values))
        if self.since is not None:
            found.append(RealtimeEvent.ts >= self.since)
        if self.until is not None:
            found.append(RealtimeEvent.ts < self.until)
        return found, sifted

    def _search(
        self,
        found: list[ColumnElement[bool]],
        sifted: list[ColumnElement[bool]],
        connection: Connection,
    ) -> bool:
        """A word that is an event's id finds all that was said of the event; whether it is one."""
        if not self.q:
            return False
        same = RealtimeEvent.event_id == self.q
        if connection.execute(select(RealtimeEvent.id).where(*found, same).limit(1)).first():
            found.append(same)
            return True
        text = RealtimeEvent.summary.contains(self.q, autoescape=True)
        sifted.append(or_(text, RealtimeEvent.type == self.q))
        return False


async def _query(
    span: Between,
    camera: Words = [],  # noqa: B006 - FastAPI copies it
    kind: Words = [],  # noqa: B006
    type: Words = [],  # noqa: A002, B006 - the parameter's name
    severity: Words = [],  # noqa: B006
    status: Words = [],  # noqa: B006
    category: Words = [],  # noqa: B006
    level: Words = [],  # noqa: B006
    q: Annotated[str | None, Query(max_length=100)] = None,
) -> EventQuery:
    """Not on a thread: to go to one and back takes longer."""
    given = dict(zip(FILTERS, (camera, kind, type, severity, status, category, level), strict=True))
    words = {name: [one for one in values if one] for name, values in given.items()}
    return EventQuery(words, span.since, span.until, q)


Asked = Annotated[EventQuery, Depends(_query)]


def page(
    connection: Connection,
    site: str,
    viewer: Viewer,
    asked: EventQuery,
    *,
    at: Place | None,
    limit: int,
) -> Page:
    """One page of events."""
    found, sifted = asked.conditions(viewer, site, connection)
    return read(
        connection,
        select(RealtimeEvent.__table__),
        ORDER,
        found=found,
        sifted=sifted,
        after=at,
        limit=limit,
    )


def as_told(store: Store, page: Page) -> list[dict[str, Any]]:
    """The rows as events."""
    return [told(dict(row), store.zone) for row in page.rows]


__all__ = ["Asked", "EventQuery", "after", "as_told", "page"]
