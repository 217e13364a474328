"""A time of the process's own: what is measured with it does not change when the clock is set.

NTP after a boot without a battery-backed clock, or an operator, moves the wall clock by hours. How
long an alert holds, and what was said before what, must not depend on that.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from hazardcast.machine.clock import Clock

LEAST_STEP_S = 0.05
"""Less is two readings that were not taken at once; the monotonic clock is slewed as the other."""
TRIES = 3


@dataclass(frozen=True)
class Moment:
    """One moment on both clocks, seconds."""

    wall: float
    """What the machine's clock says, epoch seconds: what the wire and other systems understand."""
    steady: float
    """What nobody can set: for durations and for what came first."""

    @property
    def set_by_s(self) -> float:
        """How far the wall clock was set since the start of this process."""
        return self.wall - self.steady

    def age_s(self, dated: float) -> float:
        """How old what the wall clock dated so is at least.

        What is dated later than the steady time was dated by the clock as it was set since; the
        rest by the one before or after, and nobody may lose it because the clock was set.
        """
        return (self.wall if dated > self.steady else min(self.wall, self.steady)) - dated


class Steady:
    """Epoch seconds by the wall clock at the start, counted by the monotonic clock since."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._zero = clock.now() - clock.monotonic()
        self._set_by_s = 0.0
        self._lock = threading.Lock()

    @property
    def set_by_s(self) -> float:
        """How far the wall clock has been set since the start, as far as noticed."""
        return self._set_by_s

    def now(self) -> float:
        """Seconds that only ever grow, one a second."""
        return self._clock.monotonic() + self._zero

    def moment(self) -> Moment:
        """This moment; the wall clock to within `LEAST_STEP_S`, exact in its differences."""
        steady = self.now()
        return Moment(steady + self._set_by_s, steady)

    def look(self) -> float:
        """Notice whether the clock was set: by how many seconds since the last look, mostly 0."""
        found = self._clock.now() - self.now()
        if abs(found - self._set_by_s) < LEAST_STEP_S:
            return 0.0
        return self._note()

    def _note(self) -> float:
        """Look closely: a thread that was held up between two readings has seen no step."""
        with self._lock:
            for _ in range(TRIES):
                before, wall, after = self.now(), self._clock.now(), self.now()
                if after - before < LEAST_STEP_S / 2:
                    break
            else:
                return 0.0
            step_s = wall - before - self._set_by_s
            if abs(step_s) < LEAST_STEP_S:
                return 0.0
            self._set_by_s += step_s
            return step_s
