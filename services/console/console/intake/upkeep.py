"""When old rows are taken away: once a minute, and at once again while there are many."""

from __future__ import annotations

from console.store import retention
from console.store.retention import Keep
from console.store.store import Store
from console.store.transaction import Transaction
from hazardcast.machine.clock import Clock

SWEEP_EVERY_S = 60.0
BUSY_EVERY_S = 1.0


class Upkeep:
    """Keeps the store small."""

    def __init__(self, store: Store, keep: Keep, clock: Clock) -> None:
        self._store = store
        self._keep = keep
        self._clock = clock
        self._due_at = clock.monotonic() + SWEEP_EVERY_S

    def tick(self) -> None:
        """Have old rows taken away when it is time."""
        steady = self._clock.monotonic()
        if steady >= self._due_at:
            self._due_at = steady + SWEEP_EVERY_S
            self._store.put("retention", self._sweep)

    def _sweep(self, rows: Transaction) -> None:
        if retention.sweep(rows, self._keep, self._clock.now()) >= retention.MOST_ROWS:
            self._due_at = self._clock.monotonic() + BUSY_EVERY_S
