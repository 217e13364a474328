"""Parameters that several routes take, and that belong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query

from console.store.paging import MOST_ROWS
from hazardcast.contract.fields import MILLISECONDS_FROM

Moment = Annotated[float | None, Query(ge=0, lt=MILLISECONDS_FROM, allow_inf_nan=False)]
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS)]
Cursor = Annotated[str | None, Query(max_length=200)]


@dataclass(frozen=True)
class Span:
    """A stretch of time, open where nothing is said; epoch seconds, the end not included."""

    since: float | None = None
    until: float | None = None


@dataclass(frozen=True)
class Part:
    """Which page of a list, and how long."""

    limit: int = 50
    cursor: str | None = None


async def _span(
    since: Annotated[Moment, Query(alias="from")] = None,
    until: Annotated[Moment, Query(alias="to")] = None,
) -> Span:
    """Not on a thread: to go to one and back takes longer."""
    return Span(since, until)


async def _part(limit: Limit = 50, cursor: Cursor = None) -> Part:
    return Part(limit, cursor)


Between = Annotated[Span, Depends(_span)]
OnePart = Annotated[Part, Depends(_part)]
