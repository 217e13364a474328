"""When to have the kernel throw garbage away, because reading it would cost too much."""

from __future__ import annotations

from dataclasses import dataclass

FLOOD_PER_S = 2_000
HOLD_S = 10.0


@dataclass
class FloodGate:
    """Closes when garbage comes faster than `FLOOD_PER_S`; opens `HOLD_S` later to look again."""

    _since: float = 0.0
    _refused: int = 0
    _closed_at: float | None = None

    def closes(self, monotonic: float) -> bool:
        """Count one piece of garbage; True when the gate is to be closed now."""
        if monotonic - self._since >= 1.0:
            self._since, self._refused = monotonic, 0
        self._refused += 1
        if self._refused < FLOOD_PER_S or self._closed_at is not None:
            return False
        self._closed_at = monotonic
        return True

    def opens(self, monotonic: float) -> bool:
        """Whether the gate is to be opened now."""
        if self._closed_at is None or monotonic - self._closed_at < HOLD_S:
            return False
        self._closed_at, self._refused = None, 0
        return True
