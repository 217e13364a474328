"""What is said about clips on the bus: at once when a state changes, else about once a second."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hazardcast.contract.messages import ClipState, OtherClip
from hazardcast.contract.topics import CLIPS
from hazardcast.machine.clock import Clock
from hazardcast.mqtt.bus import Bus

INTERVAL_S = 1.0
MOST_OTHERS = 64
MOST_REFUSED = 500
"""Refusals that stay retained; a flood of requests must not fill the broker."""
STEP_S = 1.0
"""Video that must have come in to be worth a message."""


@dataclass(frozen=True)
class _Said:
    state: ClipState
    at: float


def is_news(before: ClipState, now: ClipState, since_s: float) -> bool:
    """Whether `now` should be said `since_s` seconds after `before` was."""
    if before.state != now.state or before.detail != now.detail:
        return True
    length_s = now.requested.end - now.requested.start
    step_s = abs(now.coverage - before.coverage) * length_s
    return since_s >= INTERVAL_S and (step_s >= STEP_S or before.gaps != now.gaps)


def with_others(state: ClipState, known: Iterable[ClipState]) -> ClipState:
    """`state` with the clips of the same event that are not its own, one a camera and window."""
    others = {
        (one.camera, one.requested.start, one.requested.end): one
        for one in known
        if one.event_id == state.event_id
    }
    others.pop((state.camera, state.requested.start, state.requested.end), None)
    fields = set(OtherClip.model_fields)
    told = tuple(OtherClip(**one.model_dump(include=fields)) for one in others.values())
    return state.model_copy(update={"others": told[-MOST_OTHERS:] or None})


class Progress:
    """Says the state of unfinished clips, and all of them again after a reconnect.

    Nothing piles up while the broker is away: what is said at the reconnect is the latest.
    """

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        *,
        finished: Callable[[], Iterable[ClipState]],
        of_event: Callable[[str], Iterable[ClipState]],
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._finished = finished
        self._of_event = of_event
        self._said: dict[str, _Said] = {}
        self._refused: dict[str, None] = {}
        # Held while publishing too (which never waits): a job's last state is said last.
        self._lock = threading.RLock()

    def say(self, job: str, state: ClipState) -> None:
        """Say the state of the unfinished job of this name, if it is news."""
        now = self._clock.monotonic()
        with self._lock:
            said = self._said.get(job)
            if said and not is_news(said.state, state, now - said.at):
                return
            self._said[job] = _Said(state, now)
            self.publish(state)

    def say_again(self, job: str) -> None:
        """Say what was last said of an unfinished job."""
        with self._lock:
            if said := self._said.get(job):
                self.publish(said.state)

    def finish(self, job: str, state: ClipState) -> None:
        """Say a job's last state."""
        with self._lock:
            self._said.pop(job, None)
            self.publish(state)

    def drop(self, job: str) -> None:
        """Say no more of an unfinished job."""
        with self._lock:
            self._said.pop(job, None)

    def refuse(self, state: ClipState) -> None:
        """Say that a request gets no clip; of many such words the oldest are taken back."""
        with self._lock:
            self._refused.pop(state.event_id, None)
            self._refused[state.event_id] = None
            self.publish(state)
            if len(self._refused) > MOST_REFUSED:
                oldest = next(iter(self._refused))
                del self._refused[oldest]
                self._take_back(oldest)

    def _take_back(self, event_id: str) -> None:
        """Clear what is retained, unless there is or will be a clip of the event."""
        running = any(said.state.event_id == event_id for said in self._said.values())
        if not running and not any(self._of_event(event_id)):
            self.forget(event_id)

    def publish(self, state: ClipState) -> None:
        """Say a state now; while the broker is away it is left to the reconnect."""
        if not self._bus.connected:
            return
        with self._lock:
            running = [said.state for said in self._said.values()]
        told = with_others(state, [*self._of_event(state.event_id), *running])
        self._bus.publish(CLIPS, told, event_id=state.event_id)

    def repeat(self) -> None:
        """Say everything again: finished clips first, so that a running job has the last word."""
        with self._lock:
            running = [said.state for said in self._said.values()]
            for state in (*self._finished(), *running):
                self.publish(state)

    def forget(self, event_id: str) -> None:
        """Take back what is retained about an event whose clip is gone."""
        self._bus.clear(CLIPS, event_id=event_id)
