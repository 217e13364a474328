"""Telling which dropped files are complete: those whose size and time rest. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

REST_S = 0.5
UNFINISHED_SUFFIXES = (".tmp", ".part", ".partial", ".swp", "~")
"""Names that programs use while they write; they rename when done."""


class Seen(NamedTuple):
    """A file as one look found it."""

    name: str
    size: int
    mtime_ns: int
    inode: int


def is_candidate(name: str) -> bool:
    """Whether a name is one that a finished file may have."""
    return not name.startswith(".") and not name.endswith(UNFINISHED_SUFFIXES)


class DropWatch:
    """Remembers since when each file has been as it is."""

    def __init__(self) -> None:
        self._since: dict[Seen, float] = {}
        self._done: set[Seen] = set()

    def settled(self, looked: Iterable[Seen], at: float) -> list[Seen]:
        """The files that have rested, oldest first; call with all that one look found.

        Args:
            looked: every candidate file that is there now.
            at: monotonic seconds.
        """
        present = {seen: self._since.get(seen, at) for seen in looked}
        self._since = present
        self._done &= present.keys()
        ready = [
            seen
            for seen, since in present.items()
            if at - since >= REST_S and seen not in self._done
        ]
        return sorted(ready, key=lambda seen: (seen.mtime_ns, seen.name))

    def done(self, seen: Seen) -> None:
        """Do not offer this file again, even if it could not be moved away."""
        self._done.add(seen)
