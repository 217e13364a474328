"""When a frame was taken, by when it came and what the stream tells of time. Pure."""

from __future__ import annotations

from hazardcast.media.stream_time import StreamTime

BURST_SHARE = 0.5
"""Of a frame's time: frames that come sooner after each other than this make up a delay."""
CALM_FRAMES, CALM_S = 2, 0.3
"""So many frames, and for so long, must have come as they were taken: one alone may be a hiccup."""
LONGEST_BURST_S = 4.0
"""Whatever the times say: to look at a picture late is better than not to look."""
MOST_REORDERED = 3
"""B-frames between two others; more in a row say nothing about a camera's delay."""


LONGEST_WAIT_S = 2.0
"""What comes in longer bursts is looked at in part."""


class Bursts:
    """How long a picture may wait for the one before it to be taken, where many come at once.

    So do fragments of MP4, and what a network held up. None waits until it is older than the one
    that was waited for was when it came: what comes as it is taken never waits, and where pictures
    are looked at too slowly the newest goes before.
    """

    def __init__(self) -> None:
        self._last_at = float("inf")
        self._oldest_s = 0.0

    def may_wait_s(self, taken_at: float, now: float, *, awaited_s: float) -> float:
        """For the next picture, seconds.

        Args:
            taken_at: when it was taken, epoch seconds.
            now: epoch seconds.
            awaited_s: for how long nothing came before it.
        """
        step_s, self._last_at = taken_at - self._last_at, taken_at
        if step_s > 0 and awaited_s >= BURST_SHARE * step_s:
            self._oldest_s = min(now - taken_at, LONGEST_WAIT_S)
        return max(0.0, self._oldest_s - (now - taken_at))


class Mapping:
    """Stream time → wall clock of one connection; begins anew when the stream's clock jumps."""

    def __init__(self, *, timeless: bool = False, parsed: int = 0) -> None:
        """Begin with a connection.

        Args:
            timeless: the stream carries no times, and those that FFmpeg tells are made up.
            parsed: a frame is handed over only when the frame this many after it arrives.
        """
        self._timeless = timeless
        self._parsed = parsed
        self._reordered = self._in_a_row = 0
        self._step_s = float("inf")
        self._calm, self._calm_s = 0, 0.0
        self._first_at: float | None = None
        self._time = StreamTime()
        self._last_s = float("-inf")
        self.caught_up = timeless
        """False while frames come faster than they were taken: FFmpeg holds the first ones back
        while it looks at the stream, and nothing tells yet how late they are."""

    def wall(self, stream_s: float, arrived_at: float, *, reordered: bool = False) -> float:
        """Wall clock of the frame at `stream_s`, which arrived at `arrived_at`; never later.

        Args:
            stream_s: its time in the stream.
            arrived_at: epoch seconds.
            reordered: it is a B-frame, which no camera can send before it took a later frame.
        """
        if self._timeless:
            return arrived_at
        if self._first_at is None:
            self._first_at = arrived_at
        self.caught_up = self.caught_up or arrived_at - self._first_at > LONGEST_BURST_S
        step_s, self._last_s = stream_s - self._last_s, stream_s
        newest_s = stream_s + self._lag_s(step_s, reordered=reordered)
        before_s = self._time.offset_s
        if step_s <= 0 or not self._time.observe(newest_s, arrived_at):
            self._time = StreamTime()
            self._time.observe(newest_s, arrived_at)
        elif not self.caught_up and before_s is not None and self._time.offset_s is not None:
            is_calm = before_s - self._time.offset_s < BURST_SHARE * step_s
            self._calm = self._calm + 1 if is_calm else 0
            self._calm_s = self._calm_s + step_s if is_calm else 0.0
            self.caught_up = self._calm >= CALM_FRAMES and self._calm_s >= CALM_S
        return min(self._time.wall(stream_s), arrived_at)

    def _lag_s(self, step_s: float, *, reordered: bool) -> float:
        """How much later the newest frame on this machine was taken than the one handed over."""
        if 0 < step_s < self._step_s:
            self._step_s = step_s
        self._in_a_row = self._in_a_row + 1 if reordered else 0
        self._reordered = max(self._reordered, min(self._in_a_row, MOST_REORDERED))
        lag = self._parsed + self._reordered
        return lag * self._step_s if self._step_s < float("inf") else 0.0
