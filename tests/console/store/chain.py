"""Whether decisions stand as they were written, each with the hash of the one before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from console.store import decisions


def first_break(rows: Iterable[Mapping[str, Any]]) -> int | None:
    """The id of the first row that is not as it was written, oldest first; None when all are."""
    previous = None
    for row in rows:
        follows = previous is None or row["previous"] == previous
        if not follows or decisions.digest(row) != row["hash"]:
            return int(row["id"])
        previous = row["hash"]
    return None
