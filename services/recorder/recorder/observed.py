"""What is seen of a camera while the recorder tries it. No clock, no disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hazardcast.contract.vocabulary import CameraState
from recorder.command import Plan
from recorder.console import Found
from recorder.frames import Frame
from recorder.measure import Arrival
from recorder.witness import Witness

MEASURED_S = 8.0
"""Of pictures, on which the figures stand."""
LONGEST_MEASURED_S = 30.0
"""A second key frame is not awaited for longer."""


@dataclass(frozen=True)
class Verdict:
    """The recorder does not get further with this camera for now."""

    state: str
    detail: str | None
    arrivals: Sequence[Arrival]
    """What came on the last connection."""
    recorded_bytes: int
    """What of that is on the disk."""


class Observed(Witness):
    """Listens to the connections of one camera; read by another thread."""

    def __init__(self, stored_bytes: Callable[[], int] = lambda: 0) -> None:
        """`stored_bytes`: how much of this camera is on the disk."""
        self._stored_bytes = stored_bytes
        self._bytes_before = 0
        self.plan = Plan()
        self.found = Found()
        self.arrivals: list[Arrival] = []
        """Since the first key frame of this connection."""
        self.connections = 0
        self.verdict: Verdict | None = None
        self._failures = 0
        self._silences = 0

    def begins(self, plan: Plan) -> None:
        """What came before was on another connection."""
        self.plan, self.arrivals = plan, []
        self.connections += 1
        self._bytes_before = self._stored_bytes()

    def frame(self, frame: Frame, found: Found, monotonic_s: float, *, exact: bool) -> None:
        """Nothing is recorded before a key frame."""
        self.found = found
        if self.arrivals or frame.key:
            self.arrivals.append(Arrival(frame, monotonic_s, exact))

    def ended(
        self, state: str, detail: str | None, *, kind: str | None, found: Found | None,
        changed: bool,
    ) -> None:  # fmt: skip
        """Judge whether another connection would show anything else."""
        self.found = found or self.found
        if self._is_final(state, kind, changed=changed):
            self.verdict = Verdict(state, detail, tuple(self.arrivals), self.recorded_bytes)

    def _is_final(self, state: str, kind: str | None, *, changed: bool) -> bool:
        if state == CameraState.WAITING or (state == CameraState.CONNECTING and changed):
            return False  # it asks for longer, or in another way
        if kind == "transport":
            self._silences += 1
            return not changed or self._silences > 1  # both ways were tried
        self._failures += not changed
        return state == CameraState.UNAUTHORISED or self._failures > 1

    @property
    def recorded_bytes(self) -> int:
        """What this connection has brought to the disk."""
        return self._stored_bytes() - self._bytes_before

    @property
    def is_enough(self) -> bool:
        """Whether all that is to be measured can be."""
        arrivals = self.arrivals
        if not arrivals:
            return False
        lasted_s = arrivals[-1].monotonic_s - arrivals[0].monotonic_s
        keys = sum(one.frame.key for one in arrivals)
        return lasted_s >= (MEASURED_S if keys > 1 else LONGEST_MEASURED_S)
