"""Who decides first: of two decisions on one revision one is taken. Pure but for its lock."""

from __future__ import annotations

import threading
from dataclasses import dataclass

LASTS_S = 10.0
"""By then a new revision tells what became of it, or it was never heard."""


@dataclass(frozen=True)
class Claim:
    """A person's hold on one revision of an event."""

    revision: int
    by: str
    until: float


class Claims:
    """May be asked by any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, Claim] = {}

    def take(self, event_id: str, revision: int, by: str, monotonic: float) -> Claim | None:
        """Take hold; returns the claim that stands in the way, None: it is taken."""
        with self._lock:
            self._held = {key: one for key, one in self._held.items() if one.until > monotonic}
            held = self._held.get(event_id)
            if held and held.revision >= revision:
                return held
            self._held[event_id] = Claim(revision, by, monotonic + LASTS_S)
            return None

    def let_go(self, event_id: str, revision: int, by: str) -> None:
        """Give up a hold: nothing came of it."""
        with self._lock:
            held = self._held.get(event_id)
            if held and (held.revision, held.by) == (revision, by):
                del self._held[event_id]
