"""What of a range of the journal is not there, said as such: whoever asks need not ask again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from hazardcast.contract.messages import JournalEntry

Cause = Literal["disk", "removed", "never"]


def hole(
    station: int, epoch: int, first: int, last: int, *, cause: Cause, now: float
) -> JournalEntry:
    """The entry that says that entries are missing."""
    return JournalEntry(
        station=station, epoch=epoch, sequence=first, to=last, kind="hole", ts=now, cause=cause
    )


@dataclass(frozen=True)
class Range:
    """What is wanted of a journal."""

    station: int
    epoch: int
    first: int
    last: int
    oldest: int | None
    """With what the epoch's oldest file begins; None: no file is left of it."""


def filled(wanted: Range, entries: Iterable[JournalEntry], now: float) -> Iterator[JournalEntry]:
    """Every sequence that is wanted, as an entry or as part of a hole, in order.

    Args:
        wanted: the range.
        entries: those of it that are there, in order.
        now: epoch seconds.
    """
    due = wanted.first
    for entry in entries:
        end = entry.sequence if entry.to is None else entry.to
        if end < due:
            continue
        yield from _missing(wanted, due, entry.sequence - 1, now)
        yield entry
        due = end + 1
    yield from _missing(wanted, due, wanted.last, now)


def _missing(wanted: Range, first: int, last: int, now: float) -> Iterator[JournalEntry]:
    station, epoch, oldest = wanted.station, wanted.epoch, wanted.oldest
    removed_to = last if oldest is None else min(last, oldest - 1)
    if first <= removed_to:
        yield hole(station, epoch, first, removed_to, cause="removed", now=now)
    if (rest := max(first, removed_to + 1)) <= last:
        yield hole(station, epoch, rest, last, cause="never", now=now)
