"""What became of a report that is not broadcast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Held:
    """It waits, or is only kept."""

    event_id: str
    action: Literal["pending", "shadow", "dropped", "withdrawn"]
    """The word of the answer: it waits for a person, is kept in shadow, was dropped or taken
    back."""
    revision: int = 0
