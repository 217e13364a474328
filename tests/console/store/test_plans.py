"""No question reads more rows than it answers: SQLite says by which index it finds each page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from console.api import alerts, clips
from console.api.event_query import EventQuery, page
from console.doors.viewer import Role, Viewer
from console.store.paging import Order, Place, read
from console.store.store import Store
from console.store.tables import AlertState, Base, Clip
from sqlalchemy import Connection, Select, event

EVERYBODY = Viewer("kim", Role.VIEWER, None)
SOME = Viewer("lee", Role.VIEWER, frozenset({"north", "south"}))


@pytest.fixture
def plans(sqlite_url: str, opened: Callable[..., Store]) -> Callable[[Callable[[Connection], object]], list[str]]:  # fmt: skip
    """What SQLite is going to do for each statement of a question."""
    store = opened(sqlite_url)

    def told(ask: Callable[[Connection], object]) -> list[str]:
        asked: list[tuple[str, Any]] = []

        def hear(_c: Any, _k: Any, statement: str, values: Any, *_more: Any) -> None:
            asked.append((statement, values))

        with store.reading() as connection:
            event.listen(store._engine, "before_cursor_execute", hear)
            ask(connection)
            event.remove(store._engine, "before_cursor_execute", hear)
            return [
                "; ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values))
                for statement, values in asked if statement.startswith("SELECT")
            ]  # fmt: skip

    return told


@pytest.mark.parametrize("after", [None, Place(5.0, 3)])
@pytest.mark.parametrize(
    ("asked", "viewer", "index", "statements"),
    [
        (EventQuery(), EVERYBODY, "site (site=?", 1),
        (EventQuery({"camera": ["north"]}), EVERYBODY, "site_camera (site=? AND camera=?", 1),
        (EventQuery({"kind": ["alert"]}), EVERYBODY, "site_kind (site=? AND kind=?", 1),
        (EventQuery({"kind": ["alert"], "camera": ["north"]}), EVERYBODY, "site_camera_kind (site=? AND camera=? AND kind=?", 1),
        (EventQuery(since=1.0, until=9.0), EVERYBODY, "site (site=? AND ts>? AND ts<?", 1),
        (EventQuery({"type": ["fire"]}), EVERYBODY, "site (site=?", 2),
        (EventQuery({"camera": ["north", "south"]}), EVERYBODY, "site (site=?", 2),
        (EventQuery({"kind": ["alert"]}), SOME, "site_kind (site=? AND kind=?", 2),
    ],
)  # fmt: skip
def test_a_page_of_events_is_found_in_order(plans: Any, asked: EventQuery, viewer: Viewer, index: str, statements: int, after: Place | None) -> None:  # fmt: skip
    found = plans(
        lambda connection: page(connection, "junction-12", viewer, asked, at=after, limit=50)
    )

    assert len(found) == statements
    for plan in found:
        assert f"ix_realtime_event_{index}" in plan
        assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize(
    ("what", "order", "table", "conditions", "index"),
    [
        (alerts._what(), alerts.ORDER, AlertState, {}, "ix_alert_site "),
        (alerts._what(), alerts.ORDER, AlertState, {"state": "open"}, "ix_alert_site_state "),
        (alerts._what(), alerts.ORDER, AlertState, {"camera": "north"}, "ix_alert_site_camera "),
        (clips.WHAT, clips.ORDER, Clip, {}, "ix_clip_site "),
        (clips.WHAT, clips.ORDER, Clip, {"camera": "north"}, "ix_clip_site_camera "),
        (clips.WHAT, clips.ORDER, Clip, {"event_id": "4097-1"}, "ix_clip_site_event "),
    ],
)
def test_alerts_and_clips_are_found_in_order(plans: Any, what: Select[Any], order: Order, table: type[Base], conditions: dict[str, str], index: str) -> None:  # fmt: skip
    columns = table.__table__.columns
    found = [columns[name] == value for name, value in {"site": "x", **conditions}.items()]

    (plan,) = plans(lambda connection: read(connection, what, order, found=found, limit=50))

    assert index in plan
    assert "TEMP B-TREE" not in plan
