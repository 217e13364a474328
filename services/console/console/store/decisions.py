"""The log of what people did: rows are only added, and each holds the one before it by its hash.

Whoever changes or takes out a row must compute every later hash anew, and the newest one is in the
console's log and on every export: that is noticed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from console.store.events import NewEvent, dump, storable
from console.store.tables import KEY_LENGTH, NOTE_LENGTH, SUMMARY_LENGTH, WORD_LENGTH

FIRST = "0" * 64
COLUMNS = {
    "by": WORD_LENGTH,
    "action": 32,
    "event_id": WORD_LENGTH,
    "camera": WORD_LENGTH,
    "reason": SUMMARY_LENGTH,
    "note": NOTE_LENGTH,
    "outcome": 32,
}
HASHED = (
    "dedup", "ts", "site", "by", "action", "event_id", "camera", "if_revision", "reason", "note",
    "outcome", "body", "previous",
)  # fmt: skip


@dataclass(frozen=True)
class Decision:
    """One act of one person, or what came of it."""

    id: str
    """The act's own name: handed in twice, it is kept once."""
    ts: float
    by: str
    action: str
    """confirm, clear, negate, approve, reject, note, raise, clip, hold …"""
    outcome: str = "asked"
    """`asked` before it is said on the bus; a second row of the same act says what came of it."""
    event_id: str | None = None
    camera: str | None = None
    if_revision: int | None = None
    reason: str | None = None
    note: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)

    def key(self, site: str) -> str:
        """What is kept once."""
        return storable(f"{site}|{self.id}|{self.outcome}", KEY_LENGTH)

    def row(self, site: str) -> dict[str, Any]:
        """The columns but for the chain's."""
        row: dict[str, Any] = {
            "dedup": self.key(site),
            "ts": self.ts,
            "site": site,
            "if_revision": self.if_revision,
            "body": dump(self.body),
        }
        for name, length in COLUMNS.items():
            value = getattr(self, name)
            row[name] = None if value is None else storable(value, length)
        return row

    def event(self) -> NewEvent:
        """The same as an event among the others."""
        why = f": {self.reason}" if self.reason else ""
        return NewEvent(
            dedup=f"decision|{self.id}|{self.outcome}",
            ts=self.ts,
            kind="decision",
            summary=f"{self.by}: {self.action} {self.event_id or ''}{why} ({self.outcome})",
            source="console",
            camera=self.camera,
            event_id=self.event_id,
            revision=self.if_revision,
            status=self.action,
            body={
                "by": self.by, "action": self.action, "reason": self.reason, "note": self.note,
                "outcome": self.outcome, **self.body,
            },
        )  # fmt: skip


def chained(row: Mapping[str, Any], *, previous: str) -> dict[str, Any]:
    """The row with the hash of the one before it, and its own."""
    linked = {**row, "previous": previous}
    return {**linked, "hash": digest(linked)}


def digest(row: Mapping[str, Any]) -> str:
    """SHA-256 over all that a row says, the hash before it included."""
    return hashlib.sha256(dump([row[name] for name in HASHED]).encode()).hexdigest()
