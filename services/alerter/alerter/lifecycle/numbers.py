"""Event numbers that are never given twice, whatever state is lost or put back. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from alerter.exports.denm import MAX_SEQUENCE_NUMBER

COUNTED_FROM = 1_767_225_600
"""2026-01-01T00:00:00Z; no alerter counted by the clock before."""
NUMBERS_PER_S = 1000
"""More than can be given: so a start is always beyond what an earlier one has given."""
RESIDUES = MAX_SEQUENCE_NUMBER + 1
_OURS = re.compile(r"(\d+)-(\d+)")


def floor(now: float) -> int:
    """The least number for an alerter that starts now: milliseconds since 2026, at least 1."""
    return max(1, int((now - COUNTED_FROM) * NUMBERS_PER_S))


def number_of(event_id: str, station: int) -> int | None:
    """The number in an event id of this station; None for any other id."""
    found = _OURS.fullmatch(event_id)
    return int(found[2]) if found and found[1] == str(station) else None


def first_free(*, kept: int, held: Iterable[str], station: int, now: float) -> int:
    """The number to begin with: beyond what the state says or holds, and beyond the clock's."""
    used = (number_of(event_id, station) or 0 for event_id in held)
    return max(kept, floor(now), 1 + max(used, default=0))


def residue(event_id: str) -> int:
    """What DENM's actionID can tell of the number: 16 bits of it."""
    return int(event_id.rpartition("-")[2]) % RESIDUES
