"""Says entries of the journal again, for a store that missed them.

On a thread of its own, at a measured pace: neither reading the disk nor the broker's pace may hold
up an alert.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from itertools import chain

from alerter.journal import files, holes
from alerter.journal.journal import Journal
from hazardcast.contract.messages import JournalEntry, ReplayRequest
from hazardcast.contract.topics import JOURNAL
from hazardcast.machine.clock import Clock
from hazardcast.mqtt.bus import Bus, Delivery

log = logging.getLogger(__name__)
MOST_REQUESTS = 16
MOST_ENTRIES = 10_000
AT_ONCE, PAUSE_S = 10, 0.02
"""500 a second: a day of a busy site in some seconds, and an alert waits behind ten at most."""
LOOK_AGAIN_S = 0.5
ROOM_AGAIN_S = 0.05


class Replayer:
    """Answers requests, one after the other.

    Args:
        journal: what is said again.
        bus: where it is said.
        has_room: whether the broker takes what is said, and no alert would wait behind it.
        clock: the machine's.
    """

    def __init__(
        self, journal: Journal, bus: Bus, *, has_room: Callable[[], bool], clock: Clock
    ) -> None:
        self._journal, self._bus, self._clock = journal, bus, clock
        self._has_room = has_room
        self._requests: queue.Queue[ReplayRequest] = queue.Queue(MOST_REQUESTS)

    def hear(self, request: ReplayRequest, _delivery: Delivery) -> None:
        """Take a request; one too many is left out, and its asker asks again."""
        if request.station not in (None, self._journal.station):
            return
        try:
            self._requests.put_nowait(request)
        except queue.Full:
            log.warning("too many ask for the journal", extra={"asked_by": request.asked_by})

    def run(self, stop: threading.Event) -> None:
        """Answer until stopped."""
        while not stop.is_set():
            try:
                request = self._requests.get(timeout=LOOK_AGAIN_S)
            except queue.Empty:
                continue
            self._answer(request, stop)

    def _answer(self, request: ReplayRequest, stop: threading.Event) -> None:
        said = 0
        for entry in self.wanted(request):
            if said % AT_ONCE == 0 and not self._may_go_on(stop, first=not said):
                break
            self._bus.publish(JOURNAL, entry, station=str(self._journal.station))
            said += 1
        facts = {"asked_by": request.asked_by, "epoch": request.epoch, "entries": said}
        log.info("journal said again", extra=facts)

    def _may_go_on(self, stop: threading.Event, *, first: bool) -> bool:
        if not first and self._clock.wait(stop, PAUSE_S):
            return False
        while not self._has_room():
            if self._clock.wait(stop, ROOM_AGAIN_S) or not self._bus.connected:
                return False
        return True

    def wanted(self, request: ReplayRequest) -> Iterator[JournalEntry]:
        """What is said for a request; of the epoch that runs nothing that is yet to be written."""
        journal = self._journal
        last = min(request.to, request.from_ + MOST_ENTRIES - 1)
        lost: tuple[tuple[int, int], ...] = ()
        if request.epoch == journal.epoch:
            settled = journal.settled()
            last, lost = min(last, settled.last), settled.lost
        there = files.parts(journal.folder)
        of_epoch = [part.first for part in there if part.epoch == request.epoch]
        wanted = holes.Range(
            journal.station,
            request.epoch,
            request.from_,
            last,
            oldest=min(of_epoch, default=None),
        )
        chosen = files.holding(there, epoch=request.epoch, first=wanted.first, last=last)
        entries = files.read(chosen, first=wanted.first, last=last)
        now = round(self._clock.now(), 3)
        missing = (
            holes.hole(journal.station, journal.epoch, first, min(end, last), cause="disk", now=now)
            for first, end in lost
            if end >= wanted.first and first <= last
        )
        yield from holes.filled(wanted, chain(entries, missing), now)
