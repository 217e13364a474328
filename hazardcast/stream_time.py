"""Mapping a stream's own time to the wall clock without drift.

Frames cannot arrive before they were taken, only later; so the smallest `arrival − stream time` seen
is the best estimate of their difference. It starts as the minimum over the run's frames and is then
slewed by at most 500 ppm, which follows a camera whose clock runs fast or slow, and never jumps
(the model of Moonfire NVR's design/time.md).
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_SLEW = 500e-6
"""Most that the offset may change, seconds per second of stream."""
SETTLING_S = 5.0
"""At the start of a run the offset may still fall freely for this long."""
BLOCK_S = 10.0
"""Length of stream over which the minimum is taken."""
STEP_S = 2.0
"""A disagreement of this much is a step of one of the clocks, and starts a new run."""


@dataclass
class StreamTime:
    """Wall clock of one run's frames.

    `observe` every frame (or many of them) with its arrival; `wall` then maps stream time to the
    wall clock, `error_s` bounds how wrong that may be as far as jitter shows it.
    """

    offset_s: float | None = None
    _started_s: float = 0.0
    _block_started_s: float = 0.0
    _block_lowest_s: float = float("inf")
    _block_highest_s: float = float("-inf")
    _jitter_s: float = 0.0

    def observe(self, stream_s: float, arrived_at: float) -> bool:
        """Take one frame into account.

        Args:
            stream_s: the frame's presentation time in the stream, seconds.
            arrived_at: wall clock at its arrival, epoch seconds.

        Returns:
            False when the clocks disagree by a step: begin a new run with a new `StreamTime`.
        """
        latest = arrived_at - stream_s
        if self.offset_s is None:
            self.offset_s = latest
            self._started_s = self._block_started_s = stream_s
        if latest < self.offset_s - STEP_S and not self._settling(stream_s):
            return False
        if self._settling(stream_s):
            self.offset_s = min(self.offset_s, latest)
        self._block_lowest_s = min(self._block_lowest_s, latest)
        self._block_highest_s = max(self._block_highest_s, latest)
        if stream_s - self._block_started_s >= BLOCK_S:
            return self._close_block(stream_s)
        return True

    def _settling(self, stream_s: float) -> bool:
        return stream_s - self._started_s < SETTLING_S

    def _close_block(self, stream_s: float) -> bool:
        assert self.offset_s is not None
        length_s = stream_s - self._block_started_s
        error_s = self._block_lowest_s - self.offset_s
        self._jitter_s = self._block_highest_s - self._block_lowest_s
        self._block_started_s = stream_s
        self._block_lowest_s, self._block_highest_s = float("inf"), float("-inf")
        if abs(error_s) > STEP_S:
            return False
        most_s = MAX_SLEW * length_s
        self.offset_s += max(-most_s, min(most_s, error_s))
        return True

    def wall(self, stream_s: float) -> float:
        """Wall clock (epoch seconds) of the frame at `stream_s`; `observe` at least one before."""
        if self.offset_s is None:
            raise ValueError("no frame observed yet")
        return stream_s + self.offset_s

    @property
    def error_s(self) -> float:
        """How much arrivals of the last block jittered: a bound on what the minimum can miss."""
        return self._jitter_s
