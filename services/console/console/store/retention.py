"""What goes when it is old: a thousand rows at a time; alerts and what people decided go last.

Statistics by the hour and by ten minutes are small and stay as long as the alerts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from console.store.tables import (
    AlertState,
    Base,
    Clip,
    EvidencePicture,
    HourCount,
    Reached,
    RealtimeEvent,
    SegmentAnalysis,
    TrackBlock,
)
from console.store.transaction import Transaction

MOST_ROWS = 1000
AT_ONCE = 200
DAY_S = 86_400
LASTING = ("alert", "decision")
FREED_PAGES = 500


@dataclass(frozen=True)
class Keep:
    """How long each kind is kept, days."""

    tracks: float = 7
    noise: float = 90
    """Reports, clips, cameras, services, observations."""
    alerts: float = 1825
    """Alerts with their pictures, and statistics. The log of decisions is never shortened."""


def sweep(rows: Transaction, keep: Keep, now: float) -> int:
    """Take away what is too old; how many rows went, at most about a thousand of each kind."""
    tracks, noise, alerts = (now - days * DAY_S for days in (keep.tracks, keep.noise, keep.alerts))
    lasting = RealtimeEvent.kind.in_(LASTING)
    ended = AlertState.state != "open"
    stale = or_(and_(~lasting, RealtimeEvent.ts < noise), RealtimeEvent.ts < alerts)
    gone = sum((
        _delete(rows, RealtimeEvent, RealtimeEvent.ts, stale),
        _delete(rows, TrackBlock, TrackBlock.start, TrackBlock.start < tracks),
        _delete(rows, Clip, Clip.start_ms, Clip.start_ms < alerts * 1000),
        _delete(rows, EvidencePicture, EvidencePicture.ts, EvidencePicture.ts < alerts),
        _delete(rows, Reached, Reached.received_at, Reached.received_at < alerts),
        _delete(rows, SegmentAnalysis, SegmentAnalysis.start, SegmentAnalysis.start < alerts),
        _delete(rows, HourCount, HourCount.hour, HourCount.hour < alerts),
        _delete(rows, AlertState, AlertState.updated_at, AlertState.updated_at < alerts, ended),
    ))  # fmt: skip
    if gone:
        _give_back(rows)
    return gone


def _delete(
    rows: Transaction,
    table: type[Base],
    time: InstrumentedAttribute[Any],
    *old: ColumnElement[bool],
) -> int:
    """The oldest first. Keys are looked up before: MySQL deletes from no table that it reads."""
    columns = [column for column in table.__table__.columns if column.primary_key]
    here = table.__table__.columns["site"] == rows.site
    found = select(*columns).where(here, *old).order_by(time).limit(MOST_ROWS)
    keys = rows.connection.execute(found).all()
    for at in range(0, len(keys), AT_ONCE):
        same = or_(*(_is(columns, key) for key in keys[at : at + AT_ONCE]))
        rows.connection.execute(delete(table).where(same))
    return len(keys)


def _is(columns: list[Any], key: Any) -> ColumnElement[bool]:
    return and_(*(column == value for column, value in zip(columns, key, strict=True)))


def _give_back(rows: Transaction) -> None:
    """SQLite gives freed pages back to the disk only when asked to."""
    if rows.connection.dialect.name == "sqlite":
        free = rows.connection.exec_driver_sql("PRAGMA freelist_count").scalar() or 0
        for _ in range(min(free, FREED_PAGES)):
            # Python's driver takes one step of this statement, and that frees one page.
            rows.connection.exec_driver_sql("PRAGMA incremental_vacuum(1)").close()
