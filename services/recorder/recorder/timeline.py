"""From frames and closed files to segments named by wall clock.

One `Timeline` follows one connection. It maps stream time to the wall clock, tells when the camera
has stalled or its clock has jumped, and names each file by its first and last frame as soon as both
are known. When the machine's clock is set, the file in which that happens keeps the old time; the
next one begins a new run on the new time, without a frame lost.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from hazardcast.media.stream_time import StreamTime
from recorder.frames import ClosedSegment, Frame

STALL_S = 3.0
LONGEST_STALL_S = 30.0
"""Cameras that space key frames by minutes are still watched."""
JUMP_BACK_S = 1.0
JUMP_AHEAD_S = 2.0
USUAL_STEPS = 4.0
"""Pictures may be reordered by a few steps, and a slow camera's step is no jump."""
FIRST_STEP_S = 10.0
"""What the first step may be: nothing tells yet how slow the camera is."""
SLOW_STEPS = 3.0
STILL_S = 1.0
STILL_FRAMES = 8
"""So many pictures over so long that are shown no later than one before: ffmpeg lets no stamp go
back, and tells the last one again and again."""
ADVANCE_S = 0.1
MOST_IN_FLIGHT = 4
"""More than ffmpeg ever holds back on its way from the camera."""
TOLERANCE_S = 0.002
"""Frame and segment times are told rounded to microseconds and ticks."""
TRUST_S = 2.0
"""While it probes the stream, ffmpeg holds frames back and then tells them in one burst; nothing is
named before frames have come as they were sent for this long."""
SAME_SEAM_S = 0.5
"""The slew moves the mapping by less than this between two files."""


@dataclass(frozen=True)
class NamedSegment:
    """A file whose place in time is known."""

    name: str
    start: float
    """Wall clock of its first frame, epoch seconds."""
    end: float
    """Wall clock of its last frame, epoch seconds."""
    duration_s: float
    """From its first frame to the end of its last."""
    begins_run: bool
    """True when the wall clock was set since the file before."""
    error_s: float
    """Estimate of how wrong the wall clock may be."""


@dataclass
class _Change:
    """A mapping that takes over at the next file."""

    time: StreamTime
    from_s: float


@dataclass
class _Still:
    """Since when stream time has not advanced though pictures come."""

    pts_s: float = float("-inf")
    since_s: float = 0.0
    frames: int = 0

    def lasts(self, pts_s: float, monotonic_s: float) -> bool:
        """Whether it has stood still for too long, this picture included."""
        if pts_s > self.pts_s + ADVANCE_S:
            self.pts_s, self.since_s, self.frames = pts_s, monotonic_s, 0
        self.frames += 1
        return self.frames > STILL_FRAMES and monotonic_s - self.since_s > STILL_S


class Timeline:
    """What is known of one connection's frames, in decoding order."""

    def __init__(self) -> None:
        self.frames_in_flight = 0
        """A frame is handed over only when the frame this many after it begins to arrive."""
        self.jumped = False
        """True once the camera's own clock has jumped: connect again."""
        self.last_frame_at: float | None = None
        self.key_interval_s = 0.0
        self._time = StreamTime()
        self._change: _Change | None = None
        self._arrivals: deque[tuple[float, float] | None] = deque()
        self._frames: list[Frame] = []
        self._closed: deque[ClosedSegment] = deque()
        self._last: Frame | None = None
        self._first_monotonic_s: float | None = None
        self._last_monotonic_s: float | None = None
        self._waits_s: deque[float] = deque(maxlen=MOST_IN_FLIGHT + 1)
        """How long each of the newest frames was told after the one before it."""
        self._last_key_s: float | None = None
        self._last_end: float | None = None
        self._step_s: float | None = None
        self._still = _Still()

    @property
    def offset_s(self) -> float | None:
        """What to add to stream time to get the wall clock of the file that is open."""
        return self._time.offset_s

    @property
    def newest_s(self) -> float | None:
        """Stream time of the frame that was told last."""
        return self._last.pts_s if self._last else None

    def mapping(self, first_s: float) -> StreamTime:
        """What tells the wall clock in the file that begins at `first_s`, after those named."""
        change = self._change
        return change.time if change is not None and first_s >= change.from_s else self._time

    @property
    def error_s(self) -> float:
        """Estimate of the wall clock's error."""
        return self._time.error_s

    @property
    def key_awaited(self) -> bool:
        """True while pictures come, but no key frame yet: nothing is recorded."""
        return self._last is not None and self._last_key_s is None

    @property
    def open_s(self) -> float:
        """Stream time since the last named segment."""
        return self._frames[-1].pts_s - self._frames[0].pts_s if self._frames else 0.0

    def frame(
        self, frame: Frame, *, arrived_at: float, monotonic_s: float, exact: bool = True
    ) -> None:
        """Take the next frame; once the camera's clock has jumped, none counts any more.

        Args:
            frame: as ffmpeg tells it.
            arrived_at: wall clock when it was told, epoch seconds.
            monotonic_s: monotonic clock when it was told.
            exact: False when it may have been told earlier, and says nothing about the clock.
        """
        if self.jumped or self._jumps(frame, monotonic_s):
            self.jumped = True
            return
        if self._still.lasts(frame.pts_s, monotonic_s):
            self.jumped = True
            return
        self._watch(frame, monotonic_s)
        if self._last_key_s is not None:
            self._frames.append(frame)
        self._arrivals.append((arrived_at, monotonic_s) if exact else None)
        if len(self._arrivals) > self.frames_in_flight:
            arrival = self._arrivals.popleft()
            if arrival is not None:
                self._observe(frame, *arrival)
        mapping = self._change.time if self._change else self._time
        if mapping.offset_s is not None:
            self.last_frame_at = mapping.wall(frame.pts_s)

    @property
    def settled(self) -> bool:
        """True once so much has been heard that a frame now and then tells the clock's drift."""
        return self._time.settled and self._change is None

    def stalled(self, monotonic_s: float) -> bool:
        """True when no frame came for max(3 s, 2 key-frame intervals, 3 steps), 30 s at most."""
        if self._last_monotonic_s is None:
            return False
        usual_s = FIRST_STEP_S if self._step_s is None else SLOW_STEPS * self._step_s
        patience_s = min(max(STALL_S, 2 * self.key_interval_s, usual_s), LONGEST_STALL_S)
        return monotonic_s - self._last_monotonic_s > patience_s

    def segment(self, closed: ClosedSegment) -> None:
        """Take a file that ffmpeg has finished."""
        self._closed.append(closed)

    def named(self, *, final: bool = False) -> list[NamedSegment]:
        """The files whose last frame is known by now; `final` when no frame will follow."""
        if not (final or self.trusted):
            return []
        ready = []
        while self._closed and (final or self._is_past(self._closed[0])):
            closed = self._closed.popleft()
            if segment := self._name(closed, rest=final and not self._closed):
                ready.append(segment)
        return ready

    @property
    def trusted(self) -> bool:
        """True once frames have come as they were sent for so long that wall clock can be told."""
        return (
            self._first_monotonic_s is not None
            and self._last_monotonic_s is not None
            and self._last_monotonic_s - self._first_monotonic_s >= TRUST_S
        )

    def _is_past(self, closed: ClosedSegment) -> bool:
        return self._last is not None and self._last.pts_s >= closed.end_s - TOLERANCE_S

    def _jumps(self, frame: Frame, monotonic_s: float) -> bool:
        """Whether no time that has passed explains this frame's stamp."""
        if self._last is None or self._last_monotonic_s is None:
            return False
        step_s = frame.pts_s - self._last.pts_s
        ahead_s = step_s - self._waited_s(monotonic_s - self._last_monotonic_s)
        if self._step_s is None:
            return step_s < -FIRST_STEP_S or ahead_s > FIRST_STEP_S
        usual_s = USUAL_STEPS * self._step_s
        return step_s < -max(JUMP_BACK_S, usual_s) or ahead_s > max(JUMP_AHEAD_S, usual_s)

    def _waited_s(self, wait_s: float) -> float:
        """How long at most nothing arrived before the frame that is being told.

        A camera that pauses holds back frames that came before, too: they are told with the next
        to arrive, and that one not until those after it.
        """
        in_flight = min(self.frames_in_flight, MOST_IN_FLIGHT)
        earlier = list(self._waits_s)[-in_flight:] if in_flight else []
        return max(wait_s, *earlier) if earlier else wait_s

    def _watch(self, frame: Frame, monotonic_s: float) -> None:
        if self._last_monotonic_s is not None:
            self._waits_s.append(monotonic_s - self._last_monotonic_s)
        if self._last is not None:
            self._step_s = abs(frame.pts_s - self._last.pts_s)
        elif self._first_monotonic_s is None:
            self._first_monotonic_s = monotonic_s
        self._last, self._last_monotonic_s = frame, monotonic_s
        if frame.key:
            if self._last_key_s is not None:
                self.key_interval_s = max(0.0, frame.pts_s - self._last_key_s)
            self._last_key_s = frame.pts_s

    def _observe(self, frame: Frame, arrived_at: float, monotonic_s: float) -> None:
        mapping = self._change.time if self._change else self._time
        if mapping.observe(frame.pts_s, arrived_at, monotonic_s=monotonic_s):
            return
        fresh = StreamTime()
        fresh.observe(frame.pts_s, arrived_at, monotonic_s=monotonic_s)
        self._change = _Change(fresh, frame.pts_s)

    def _name(self, closed: ClosedSegment, *, rest: bool) -> NamedSegment | None:
        end_s = float("inf") if rest else closed.end_s
        inside = [frame for frame in self._frames if _belongs(frame, end_s)]
        self._frames = [frame for frame in self._frames if not _belongs(frame, end_s)]
        if not inside or self._time.offset_s is None:
            return None
        first_s = min(frame.pts_s for frame in inside)
        last_s = max(frame.pts_s for frame in inside)
        begins_run = self._switch(first_s)
        start, end = self._time.wall(first_s), self._time.wall(last_s)
        if (
            not begins_run
            and self._last_end is not None
            and 0 <= self._last_end - start < SAME_SEAM_S
        ):
            start = min(self._last_end + 0.001, end)
        self._last_end = end
        over_s = closed.end_s - last_s
        duration_s = last_s - first_s + (over_s if 0 < over_s < JUMP_AHEAD_S else 0.0)
        return NamedSegment(closed.name, start, end, duration_s, begins_run, self._time.error_s)

    def _switch(self, first_s: float) -> bool:
        if self._change is None or first_s < self._change.from_s:
            return False
        self._time, self._change = self._change.time, None
        return True


def _belongs(frame: Frame, end_s: float) -> bool:
    """Whether a frame lies in the file that ends at `end_s`.

    ffmpeg tells the end as the greatest presentation time plus duration, so the next file's key
    frame lies beyond it by about its own duration, or at it when durations are unknown.
    """
    ends_within = frame.pts_s + frame.duration_s <= end_s + TOLERANCE_S
    return ends_within and frame.pts_s < end_s - TOLERANCE_S
