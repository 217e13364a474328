"""Mapping a stream's own time to the wall clock without drift.

Frames cannot arrive before they were taken, only later; so the smallest `arrival − stream time`
seen is the best estimate of their difference. It starts as the minimum over the run's first frames
and is then slewed by at most 500 ppm, which follows a camera whose clock runs fast or slow, and
never jumps (the model of Moonfire NVR's design/time.md). Cameras that count time by a nominal frame
rate are wrong by percents: where the minimum moves evenly, block after block, its rate is followed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

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
LEAST_RATE = 5e-3
"""Seconds a second; jitter and slew explain less."""
EVEN_SHARE = 0.25
EVEN_RATE = 2e-3
"""Rates of two blocks are the same when they differ by less, or by a quarter."""
FAST_BLOCKS = 2
"""Frames that come ever earlier prove a clock that is fast."""
SLOW_BLOCKS = 4
"""Frames that come ever later may be a network's: it must go on for longer."""
CAUGHT_UP_S = 0.02
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
    _rate: float = 0.0
    """By how much the offset changes, seconds a second of stream."""
    _catch_up: float = 0.0
    """What the offset may change, seconds a second, until it has made up for what it missed."""
    _at_s: float = 0.0
    """Stream time at which the offset is `offset_s`."""
    _lowest_at_s: float = 0.0
    _previous_at_s: float = 0.0
    _rates: deque[float] = field(default_factory=lambda: deque(maxlen=SLOW_BLOCKS))

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
            self._started_s = self._block_started_s = self._at_s = stream_s
            self._started_at = arrived_at
        if monotonic_s is not None and self._clock_stepped(arrived_at - monotonic_s):
            return False
        self._go_on(stream_s)
        if not self._settled:
            self.offset_s = min(self.offset_s, latest)
            self._settled = self._has_settled(stream_s, arrived_at)
        elif latest < self.offset_s - EARLY_STEP_S:
            return False
        if latest < self._block_lowest_s:
            self._block_lowest_s, self._lowest_at_s = latest, stream_s
        self._block_highest_s = max(self._block_highest_s, latest)
        if stream_s - self._block_started_s < (BLOCK_S if self._settled else FIRST_BLOCKS_S):
            return True
        return self._close_block(stream_s)

    def _go_on(self, stream_s: float) -> None:
        """Carry the offset forward to `stream_s`."""
        if stream_s > self._at_s:
            self.offset_s, self._at_s = self._offset_at(stream_s), stream_s

    def _offset_at(self, stream_s: float) -> float:
        assert self.offset_s is not None
        return self.offset_s + self._rate * (stream_s - self._at_s)

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
        lowest_s, at_s = self._block_lowest_s, self._lowest_at_s
        if self._previous_lowest_s is not None and self._settled:
            self._follow(
                (lowest_s - self._previous_lowest_s) / max(at_s - self._previous_at_s, 1e-3)
            )
        error_s = lowest_s - self._offset_at(at_s)
        before_s = lowest_s if self._previous_lowest_s is None else self._previous_lowest_s
        self._spread_s = abs(lowest_s - before_s - self._rate * (at_s - self._previous_at_s))
        self._previous_lowest_s, self._previous_at_s = lowest_s, at_s
        self._block_started_s = stream_s
        self._block_lowest_s, self._block_highest_s = float("inf"), float("-inf")
        if not self._settled:
            return True
        if error_s > (STEP_S if self._clock_s is None else CONGESTION_S):
            return False
        if abs(error_s) < CAUGHT_UP_S:
            self._catch_up = 0.0
        most_s = max(MAX_SLEW, self._catch_up) * length_s
        self.offset_s += max(-most_s, min(most_s, error_s))
        return True

    def _follow(self, rate: float) -> None:
        """Take the rate at which the minimum moved over the last block."""
        self._rates.append(rate)
        before = self._rate
        every, last = tuple(self._rates), tuple(self._rates)[-FAST_BLOCKS:]
        if _even(every, SLOW_BLOCKS) and min(every) > LEAST_RATE:
            self._rate = sum(every) / len(every)
        elif _even(last, FAST_BLOCKS) and (self._rate or max(last) < -LEAST_RATE):
            self._rate = sum(last) / len(last)
        self._catch_up = max(self._catch_up, abs(self._rate - before))

    def wall(self, stream_s: float) -> float:
        """Wall clock (epoch seconds) of the frame at `stream_s`; `observe` at least one before."""
        if self.offset_s is None:
            raise ValueError("no frame observed yet")
        return stream_s + self._offset_at(stream_s)

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
        missed_s = self._previous_lowest_s - self._offset_at(self._previous_at_s)
        return self._spread_s + abs(missed_s)


def _even(rates: Sequence[float], number: int) -> bool:
    """Whether there are `number` rates, all about the same."""
    if len(rates) < number:
        return False
    most = max(EVEN_RATE, EVEN_SHARE * abs(sum(rates) / number))
    return max(rates) - min(rates) <= most
