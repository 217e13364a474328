"""When something was noted on disk, and how long ago that is by the clocks of a later start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hazardcast.machine.clock import Clock
from hazardcast.machine.steady import Steady

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
SAME_TIME_S = 0.05


@dataclass(frozen=True)
class Reckoning:
    """The clocks of this start, by which what was noted before is judged."""

    now: float
    """Steady time."""
    monotonic: float
    boot: str

    def elapsed_s(self, noted: dict[str, Any]) -> float | None:
        """How long ago something was noted; None where no clock of this start knows.

        In the same run of the machine the monotonic clock knows, whatever was set meanwhile. After
        a boot the wall clock is all there is; one that stands before the note does not know how
        long the station was away.
        """
        if self.boot and noted["boot"] == self.boot:
            return max(0.0, self.monotonic - float(noted["monotonic"]))
        elapsed_s = self.now - float(noted["at"])
        return elapsed_s if elapsed_s >= 0.0 else None

    def shift_s(self, noted: dict[str, Any]) -> float:
        """By how much to move times that were noted then, so that they fit the time of now.

        Where nobody knows how long ago that was, nothing is taken off what remained.
        """
        shift_s = self.now - (self.elapsed_s(noted) or 0.0) - float(noted["at"])
        return shift_s if abs(shift_s) >= SAME_TIME_S else 0.0


class Notes:
    """Dates what is noted, and reckons with what was.

    Args:
        clock: the machine's, of which the monotonic one goes on until the next boot.
        steady: the station's time.
    """

    def __init__(self, clock: Clock, steady: Steady) -> None:
        self._clock, self._steady, self._boot = clock, steady, _boot_id()

    def note(self) -> dict[str, Any]:
        """This moment, as it is noted."""
        at, monotonic = self._steady.moment().wall, self._clock.monotonic()
        return {"at": at, "monotonic": monotonic, "boot": self._boot}

    def reckoning(self) -> Reckoning:
        """The clocks of now."""
        return Reckoning(self._steady.now(), self._clock.monotonic(), self._boot)


def _boot_id() -> str:
    """What tells this run of the machine from others; empty where the kernel does not say."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
