"""When the station begins a new epoch: at each start, and when its clock was set forward.

A vehicle that has heard an epoch believes no lower one. A state put back from a backup, or lost,
leaves only the clock to vouch for a higher one; where that was behind at the start too (no battery,
NTP not there yet), every vehicle would be deaf until the next start. Once the clock is right, it is
made good.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from hazardcast.machine.clock import Clock
from hazardcast.machine.steady import Steady

log = logging.getLogger(__name__)
SET_FORWARD_S = 1.0
"""Epochs are told in whole seconds."""


class Epochs:
    """The epoch in use, for one caller at a time."""

    def __init__(
        self, first: int, *, keep: Callable[[int], None], steady: Steady, clock: Clock
    ) -> None:
        self.current = first
        self._keep = keep
        self._steady = steady
        self._clock = clock
        self._set_by_s = steady.set_by_s

    def renewed(self) -> int | None:
        """The epoch to be begun now; None while the present one will do."""
        self._steady.look()
        forward_s = self._steady.set_by_s - self._set_by_s
        self._set_by_s = self._steady.set_by_s
        if forward_s < SET_FORWARD_S:
            return None
        self.current = max(int(self._clock.now()), self.current + 1)
        self._keep(self.current)
        log.info("a new epoch: the clock was set forward", extra={"epoch": self.current})
        return self.current
