"""When each copy of each alert is due: a burst, then ticks at 2 Hz. Pure; time is an argument.

All times are monotonic seconds. Why these offsets: docs/design/alert-path.md.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from hazardcast.receiving.token_bucket import TokenBucket

BURST_S = (0.0, 0.020, 0.060, 0.120, 0.200, 0.300, 0.420)
TICK_PERIOD_S = 0.5
TICK_JITTER_S = 0.010
CANCEL_REPEATED_S = 10.0
TICK_COPIES_S = ((0.0,), (0.0, 0.120), (0.0, 0.060, 0.140, 0.240, 0.360))
"""Offsets of a tick's copies, by how bad reception is reported to be."""
MAX_TICK_DATAGRAMS_PER_S = 1000
"""More would add to the loss: 1000 datagrams of 1.2 kB fill 10 Mbit/s, half a core seals them."""
SHORT_BURST_S = (0.0, 0.060, 0.200)
BURST_COPIES_PER_S = 1000.0
BURST_COPIES_AT_ONCE = 3000.0
"""Further copies of bursts; 500 events may begin at once. When more is asked, updates are said
three times or once, lest repeating one alert should delay another; what is new and what is over
is always said in full."""
LOSS_LEVELS = (0.01, 0.10)
"""Datagram loss from which a tick gets two and five copies."""


def copies_level(loss: float) -> int:
    """Index into `TICK_COPIES_S` for a reported share of lost datagrams."""
    return sum(loss >= level for level in LOSS_LEVELS)


def affordable_level(level: int, *, alerts: int) -> int:
    """The level that keeps the ticks of so many alerts within `MAX_TICK_DATAGRAMS_PER_S`."""
    while level and alerts * len(TICK_COPIES_S[level]) / TICK_PERIOD_S > MAX_TICK_DATAGRAMS_PER_S:
        level -= 1
    return level


class Group(NamedTuple):
    """One transmission group: all copies by which one version of one alert is said once."""

    event_id: str
    text: str
    """The alert as JSON, the same in every copy."""
    tick: int
    copies: int


@dataclass(frozen=True)
class Slot:
    """One copy that is due."""

    due: float
    group: Group
    index: int


@dataclass
class _Programme:
    """A version on air; the serial of a newer one outdates all slots of this one."""

    event_id: str
    text: str
    until: float
    anchor: float
    serial: int
    ticks: int = 0


class _Entry(NamedTuple):
    due: float
    order: int
    """Unique, so that comparing never reaches the programme."""
    programme: _Programme
    slot: Slot | None
    """None: a tick begins."""


class Begun(NamedTuple):
    """A version that is on air from now on, of which more is to be planned."""

    first: Slot
    programme: _Programme
    offsets_s: tuple[float, ...]


class Agenda:
    """What is due next; holds the station's tick counter."""

    def __init__(self, *, jitter: Callable[[], float] = lambda: 0.0) -> None:
        self._jitter = jitter
        self._heap: list[_Entry] = []
        self._programmes: dict[str, _Programme] = {}
        self._order = itertools.count()
        self._copies = TokenBucket(
            BURST_COPIES_PER_S, BURST_COPIES_AT_ONCE, BURST_COPIES_AT_ONCE, 0.0
        )
        self.tick = 0
        """Newest group begun; 0 before the first."""
        self.level = 0
        """Index into `TICK_COPIES_S` for the ticks to come."""

    def __len__(self) -> int:
        return len(self._programmes)

    def begin(
        self, event_id: str, text: str, *, now: float, until: float, routine: bool = False
    ) -> Begun:
        """The first copy of a version, which is to be sent before the rest is planned.

        Args:
            event_id: whose version it is.
            text: the alert as JSON.
            now: monotonic seconds.
            until: when its repetition ends.
            routine: an update, whose burst may be shortened while there are too many.
        """
        programme = self._begin(event_id, text, anchor=now, until=until)
        offsets_s = self._burst_s(now, routine=routine)
        return Begun(self._open_group(programme, len(offsets_s), now), programme, offsets_s)

    def plan(self, begun: Begun) -> None:
        """Plan the further copies and the ticks; nothing comes of a version that is outdated."""
        self._plan_copies(begun.programme, begun.first, begun.offsets_s)
        self._plan_tick(begun.programme, after=begun.first.due)

    def resume(self, event_id: str, text: str, *, now: float, until: float) -> None:
        """Go on with the ticks of an alert, from `now` on, without a burst."""
        programme = self._begin(event_id, text, anchor=now - TICK_PERIOD_S, until=until)
        self._plan_tick(programme, after=now - TICK_PERIOD_S)

    def stop(self, event_id: str) -> None:
        """Take an alert off the air."""
        self._programmes.pop(event_id, None)

    def next_due(self) -> float | None:
        """When the next copy is due; any thread may ask."""
        first = self._heap[:1]
        return first[0].due if first else None

    def take(self, now: float) -> Slot | None:
        """The next copy that is due by `now`, if there is one; each copy is given once."""
        while self._heap and self._heap[0].due <= now:
            entry = heapq.heappop(self._heap)
            if not self._on_air(entry):
                continue
            if entry.slot:
                return entry.slot
            self._plan_tick(entry.programme, after=now)
            offsets_s = TICK_COPIES_S[self.level]
            first = self._open_group(entry.programme, len(offsets_s), entry.due)
            self._plan_copies(entry.programme, first, offsets_s)
            return first
        return None

    def _burst_s(self, now: float, *, routine: bool) -> tuple[float, ...]:
        if self._copies.take(now, len(BURST_S) - 1) or not routine:
            return BURST_S
        return SHORT_BURST_S if self._copies.take(now, len(SHORT_BURST_S) - 1) else BURST_S[:1]

    def _begin(self, event_id: str, text: str, *, anchor: float, until: float) -> _Programme:
        programme = _Programme(event_id, text, until, anchor, serial=next(self._order))
        self._programmes[event_id] = programme
        return programme

    def _on_air(self, entry: _Entry) -> bool:
        programme = self._programmes.get(entry.programme.event_id)
        if programme is None or programme.serial != entry.programme.serial:
            return False
        if entry.due < programme.until:
            return True
        self.stop(programme.event_id)
        return False

    def _open_group(self, programme: _Programme, copies: int, at: float) -> Slot:
        self.tick += 1
        return Slot(at, Group(programme.event_id, programme.text, self.tick, copies), 0)

    def _plan_copies(
        self, programme: _Programme, first: Slot, offsets_s: tuple[float, ...]
    ) -> None:
        for index, offset_s in enumerate(offsets_s[1:], start=1):
            due = first.due + offset_s
            self._push(programme, due, Slot(due, first.group, index))

    def _plan_tick(self, programme: _Programme, *, after: float) -> None:
        """Plan the next tick on the programme's grid; ticks that were slept through are skipped."""
        passed = math.floor((after - programme.anchor) / TICK_PERIOD_S)
        programme.ticks = max(programme.ticks + 1, passed)
        at = programme.anchor + programme.ticks * TICK_PERIOD_S
        self._push(programme, at + self._jitter() * TICK_JITTER_S, None)

    def _push(self, programme: _Programme, due: float, slot: Slot | None) -> None:
        heapq.heappush(self._heap, _Entry(due, next(self._order), programme, slot))
