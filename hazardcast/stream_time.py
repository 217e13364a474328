"""Mapping a stream's own time to the wall clock without drift.

Frames cannot arrive before they were taken, only later; so the smallest `arrival − stream time`
seen is the best estimate of their difference. It starts as the minimum over the run's first frames
and is then slewed by at most 500 ppm, which follows a camera whose clock runs fast or slow, and
never jumps (the model of Moonfire NVR's design/time.md).
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_SLEW = 500e-6
"""Most that the offset may change, seconds per second of stream."""
SETTLING_S = 10.0
"""At the start of a run the offset may still fall freely for this long."""
BLOCK_S = 10.0
"""Length of stream over which the minimum is taken."""
FIRST_BLOCKS_S = 1.0
"""While settling, shorter ones: they show soon whether the minimum repeats."""
STEP_S = 2.0
"""Frames later than believed by this much over a whole block: a clock stepped, begin a new run."""
EARLY_STEP_S = 0.5
"""A frame earlier than believed proves the offset wrong, not just the network slow."""
CONGESTION_S = 10.0
"""Where the machine's clock is known not to have stepped, later frames are a slow network's."""
CLOCK_STEP_S = 0.1
"""The wall clock moved this much against the monotonic one between two frames: it was set."""


@dataclass
class StreamTime:
    """Wall clock of one run's frames.

    `observe` every frame (or many of them) with its arrival; `wall` then maps stream time to the
    wall clock, `error_s` estimates how wrong that may be as far as arrivals show it.
    """

    offset_s: float | None = None
    _started_s: float = 0.0
    _started_at: float = 0.0
    _clock_s: float | None = None
    _settled: bool = False
    _block_started_s: float = 0.0
    _block_lowest_s: float = float("inf")
    _block_highest_s: float = float("-inf")
    _previous_lowest_s: float | None = None
    _spread_s: float | None = None

    def observe(
        self, stream_s: float, arrived_at: float, *, monotonic_s: float | None = None
    ) -> bool:
        """Take one frame into account.

        Args:
            stream_s: the frame's presentation time in the stream, seconds.
            arrived_at: wall clock at its arrival, epoch seconds.
            monotonic_s: monotonic clock at its arrival; with it, a step of the wall clock is told
                at once and surely, and a slow network is not taken for one.

        Returns:
            False when the clocks disagree by a step: begin a new run with a new `StreamTime`.
        """
        latest = arrived_at - stream_s
        if self.offset_s is None:
            self.offset_s = latest
            self._started_s = self._block_started_s = stream_s
            self._started_at = arrived_at
        if monotonic_s is not None and self._clock_stepped(arrived_at - monotonic_s):
            return False
        if not self._settled:
            self.offset_s = min(self.offset_s, latest)
            self._settled = self._has_settled(stream_s, arrived_at)
        elif latest < self.offset_s - EARLY_STEP_S:
            return False
        self._block_lowest_s = min(self._block_lowest_s, latest)
        self._block_highest_s = max(self._block_highest_s, latest)
        if stream_s - self._block_started_s < (BLOCK_S if self._settled else FIRST_BLOCKS_S):
            return True
        return self._close_block(stream_s)

    def _clock_stepped(self, clock_s: float) -> bool:
        before, self._clock_s = self._clock_s, clock_s
        return before is not None and abs(clock_s - before) > CLOCK_STEP_S

    def _has_settled(self, stream_s: float, arrived_at: float) -> bool:
        """By both clocks: a server may send ten seconds of stream in one burst, all of it late."""
        length_s = min(stream_s - self._started_s, arrived_at - self._started_at)
        return length_s >= SETTLING_S

    def _close_block(self, stream_s: float) -> bool:
        assert self.offset_s is not None
        length_s = stream_s - self._block_started_s
        lowest_s = self._block_lowest_s
        error_s = lowest_s - self.offset_s
        before_s = lowest_s if self._previous_lowest_s is None else self._previous_lowest_s
        self._spread_s = abs(lowest_s - before_s)
        self._previous_lowest_s = lowest_s
        self._block_started_s = stream_s
        self._block_lowest_s, self._block_highest_s = float("inf"), float("-inf")
        if not self._settled:
            return True
        if error_s > (STEP_S if self._clock_s is None else CONGESTION_S):
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
    def settled(self) -> bool:
        """True once the offset only slews."""
        return self._settled

    @property
    def error_s(self) -> float:
        """An estimate of the mapping's error that arrivals can show.

        How far the lowest `arrival − stream time` of the last two blocks lay apart, plus what the
        slew has not made up yet; within the first block, how much arrivals jittered.
        """
        if self._spread_s is None or self._previous_lowest_s is None or self.offset_s is None:
            return max(0.0, self._block_highest_s - self._block_lowest_s)
        return self._spread_s + abs(self._previous_lowest_s - self.offset_s)
