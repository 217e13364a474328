"""Keeps the sequence of event numbers beyond all that were ever given, off the hot path.

The state may be older than the world: a backup put back, a disk replaced. What the broker still
retains of this station knows better, and so does the clock once it is right.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from alerter.lifecycle import numbers
from alerter.lifecycle.sequence import Sequence
from hazardcast.contract.topics import ACTIVE, CLIPS, EVIDENCE
from hazardcast.machine.clock import Clock
from hazardcast.machine.steady import Steady
from hazardcast.mqtt.bus import Delivery, MqttBus

log = logging.getLogger(__name__)
CONNECT_WITHIN_S = 10.0
CENSUS_S = 5.0
"""A broker says at once what it retains; this is patience."""
FURTHEST_S = 400 * 86_400.0
"""A number so far ahead of the clock was not given by this station: somebody made it up."""
END_OF_TIME = 4_102_444_800.0
"""2100: how far ahead a number may be for a clock that stands before all of them."""


class Numbering:
    """Gives numbers, and looks now and then whether they must begin further on."""

    def __init__(self, sequence: Sequence, *, station: int, steady: Steady, clock: Clock) -> None:
        self._sequence = sequence
        self._station = station
        self._steady = steady
        self._clock = clock
        self._set_by_s = steady.set_by_s
        self._asked = threading.Event()
        if numbers.floor(clock.now()) == 1:
            log.warning("the clock stands before 2026: numbers rest on the state alone")

    def tidy(self) -> None:
        """Reserve ahead; begin beyond the clock's floor when the clock has been set.

        On the disk's own thread, for which whoever reserves numbers waits: so it waits for none.
        """
        self._sequence.top_up()
        set_by_s = self._steady.set_by_s
        if set_by_s == self._set_by_s:
            return
        if self._sequence.at_least(numbers.floor(self._clock.now()), waits=False):
            self._set_by_s = set_by_s

    def hear(self, payload: bytes, delivery: Delivery) -> None:
        """Take note of an event that the broker retains something about, whatever it is."""
        number = numbers.number_of(delivery.parameters["event_id"], self._station)
        if number is None or not (payload and delivery.retained):
            return
        if number < self._sequence.following:
            return
        if number > self._furthest():
            about = {"topic": delivery.path}
            log.warning("a number that no alerter can have given is left out", extra=about)
            return
        log.warning("numbers go on beyond what the broker retains", extra={"number": number})
        self._sequence.at_least(number + 1)

    def _furthest(self) -> int:
        floor = numbers.floor(self._clock.now())
        return numbers.floor(END_OF_TIME if floor == 1 else self._clock.now() + FURTHEST_S)

    def ask(self) -> None:
        """The broker can be reached: what does it retain? Asked once in the life of a process."""
        self._asked.set()

    def census(self, make_bus: Callable[[], MqttBus], stop: threading.Event) -> None:
        """Listen to what is retained, by a connection of its own: no incident waits for it.

        Returns when it is to be tried again, or at the end.
        """
        while not self._asked.wait(0.2):
            if stop.is_set():
                return
        bus = make_bus()
        for topic in (ACTIVE, CLIPS, EVIDENCE):
            bus.subscribe_bytes(topic, self.hear)
        bus.start()
        try:
            reached = bus.wait_connected(CONNECT_WITHIN_S)
            self._clock.wait(stop, CENSUS_S if reached else 0.0)
        finally:
            bus.close()
        if reached:
            stop.wait()
