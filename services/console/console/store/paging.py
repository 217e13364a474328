"""Pages by key, newest first: the ten-thousandth costs what the first does.

A page goes on after the last row of the one before, which the cursor names; nothing is counted.
Where a filter has no index a page looks at a bounded number of rows; it may then be short, or
empty, and its cursor goes on from there.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

MOST_ROWS = 200
LOOKS_AT = 20_000
"""Rows that one page looks at for what no index finds."""


class CursorError(ValueError):
    """A cursor that no answer ever gave."""


@dataclass(frozen=True)
class Place:
    """Where a page ends: the time and the key of its last row."""

    time: float
    key: int | str

    def cursor(self) -> str:
        """The place as text that may stand in a URL."""
        raw = json.dumps([self.time, self.key], separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def place(cursor: str | None, *, key: type[int] | type[str] = int) -> Place | None:
    """The place that a cursor names.

    Raises:
        CursorError: it is none.
    """
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        time, at = json.loads(raw)
        good = type(time) in (int, float) and math.isfinite(time) and type(at) is key
        if not good or (isinstance(at, int) and abs(at) > 2**62) or abs(time) > 1e16:
            raise CursorError("not a cursor that was given here")
        return Place(float(time), at)
    except (binascii.Error, ValueError, TypeError, RecursionError) as error:
        raise CursorError("not a cursor that was given here") from error


@dataclass(frozen=True)
class Page:
    """Some rows, newest first, and where they go on; None: there is nothing more."""

    rows: Sequence[RowMapping]
    next: str | None


@dataclass(frozen=True)
class Order:
    """The columns by which rows are in order."""

    time: InstrumentedAttribute[Any]
    key: InstrumentedAttribute[Any]

    def after(self, at: Place) -> ColumnElement[bool]:
        """Rows older than the place, said so that every database takes its index for it."""
        same = and_(self.time == at.time, self.key < at.key)
        return and_(self.time <= at.time, or_(self.time < at.time, same))

    def not_before(self, at: Place) -> ColumnElement[bool]:
        """Rows as new as the place or newer."""
        same = and_(self.time == at.time, self.key >= at.key)
        return and_(self.time >= at.time, or_(self.time > at.time, same))

    def newest_first(self, statement: Select[Any]) -> Select[Any]:
        """The statement, in order."""
        return statement.order_by(self.time.desc(), self.key.desc())


def sifted_out(column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    """A column said so that no database takes an index for it, where another finds less."""
    return func.coalesce(column, "")


def read(
    connection: Connection,
    what: Select[Any],
    order: Order,
    *,
    found: Sequence[ColumnElement[bool]],
    sifted: Sequence[ColumnElement[bool]] = (),
    after: Place | None = None,
    limit: int,
) -> Page:
    """One page.

    Args:
        connection: to a database.
        what: the columns.
        order: of the rows.
        found: conditions for which there is an index together with the order.
        sifted: conditions that each row has to be looked at for.
        after: where the page before ended.
        limit: most rows.
    """
    reach = [*found, *([order.after(after)] if after else [])]
    bound = _bound(connection, order, reach) if sifted else None
    if bound:
        reach.append(order.not_before(bound))
    rows = (
        connection.execute(order.newest_first(what.where(*reach, *sifted)).limit(limit + 1))
        .mappings()
        .all()
    )
    if len(rows) > limit:
        last = rows[limit - 1]
        return Page(
            rows[:limit], Place(float(last[order.time.name]), last[order.key.name]).cursor()
        )
    return Page(rows, bound.cursor() if bound else None)


def _bound(connection: Connection, order: Order, reach: list[ColumnElement[bool]]) -> Place | None:
    """The last row that may be looked at; None when there are not so many."""
    statement = order.newest_first(select(order.time, order.key).where(*reach))
    row = connection.execute(statement.limit(1).offset(LOOKS_AT - 1)).first()
    return Place(float(row[0]), row[1]) if row else None
