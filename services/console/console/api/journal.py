"""What people did: who, when, why, and whether the log is as it was written."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel
from sqlalchemy import Connection, select
from sqlalchemy.orm import aliased

from console.api.answers import after, asking, tagged
from console.api.parameters import OnePart
from console.doors.asking import Looking
from console.store import decisions
from console.store.paging import Order, read
from console.store.store import Store
from console.store.tables import OperatorDecision
from console.store.visible import visible

ORDER = Order(OperatorDecision.ts, OperatorDecision.id)


class JournalPage(BaseModel):
    """Some entries, newest first."""

    entries: list[dict[str, Any]]
    next: str | None
    broken_at: int | None
    """The first entry on this page that is not as it was written; none: all are."""


def router(store: Store) -> APIRouter:
    """The routes of the journal."""
    routes = APIRouter(prefix="/api/v1", tags=["journal"])

    @routes.get("/journal", response_model=JournalPage)
    def journal(request: Request, viewer: Looking, part: OnePart) -> Response:
        """What people did, newest first."""
        here = [
            OperatorDecision.site == store.site,
            *visible(OperatorDecision.camera, viewer.cameras),
        ]
        with asking(store) as connection:
            page = read(
                connection,
                select(OperatorDecision.__table__),
                ORDER,
                found=[],
                sifted=here,
                after=after(part.cursor),
                limit=part.limit,
            )
            before = _hashes_before(connection, store, [row["id"] for row in page.rows])
        broken = [
            row["id"]
            for row in page.rows
            if row["previous"] != before[row["id"]] or decisions.digest(dict(row)) != row["hash"]
        ]
        told = {"entries": [_told(row) for row in page.rows], "next": page.next}
        return tagged(request, told | {"broken_at": min(broken, default=None)})

    return routes


def _hashes_before(connection: Connection, store: Store, ids: list[int]) -> dict[int, str]:
    """By id, the hash of the entry before it, whether or not the viewer may see that one."""
    older = aliased(OperatorDecision)
    hash_before = (
        select(older.hash)
        .where(older.site == store.site, older.id < OperatorDecision.id)
        .order_by(older.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    found = select(OperatorDecision.id, hash_before).where(OperatorDecision.id.in_(ids))
    return {row[0]: row[1] or decisions.FIRST for row in connection.execute(found)}


def _told(row: Any) -> dict[str, Any]:
    body = json.loads(row["body"])
    return {
        "seq": row["id"],
        "ts": row["ts"],
        "by": row["by"],
        "action": row["action"],
        "event_id": row["event_id"],
        "camera": row["camera"],
        "revision": row["if_revision"],
        "reason": row["reason"],
        "note": row["note"],
        "result": row["outcome"],
        "hash": row["hash"],
        "body": body,
    }
