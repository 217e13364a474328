"""Keeps alerts on air: the first copy on the caller's thread, every further one on the timer's."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable

from alerter import metrics
from alerter.air.schedule import TICK_COPIES_S, Agenda, Slot, affordable_level
from alerter.air.transmitter import Sent, Totals, Transmitter
from hazardcast.contract.messages import Heartbeat
from hazardcast.machine.clock import Clock
from hazardcast.service.watchdog import UNWATCHED, Turn

log = logging.getLogger(__name__)
HEARTBEAT_S = 10.0
HEARTBEAT_JITTER_S = 0.5
LONGEST_WAIT_S = 0.5

SecondPath = Callable[[str], None]


class OnAir:
    """The agenda, the transmitter that carries it out, and the second path beside it."""

    def __init__(
        self,
        transmitter: Transmitter,
        *,
        clock: Clock,
        second_path: SecondPath,
        compose_heartbeat: Callable[[Totals], Heartbeat],
        turn: Turn = UNWATCHED,
    ) -> None:
        self._turn = turn
        self._transmitter = transmitter
        self._clock = clock
        self._second_path = second_path
        self._compose_heartbeat = compose_heartbeat
        self._agenda = Agenda(jitter=lambda: random.uniform(-1.0, 1.0))
        self._wake = threading.Condition()
        self._heartbeat_due = clock.monotonic()
        metrics.TICK_COPIES.set(1)

    def __len__(self) -> int:
        return len(self._agenda)

    def announce(self, event_id: str, text: str, *, for_s: float, routine: bool = False) -> Sent:
        """Send the first copy of a version now, then plan the rest, for `for_s` seconds."""
        with self._wake:
            now = self._clock.monotonic()
            begun = self._agenda.begin(event_id, text, now=now, until=now + for_s, routine=routine)
        try:
            sent = self._transmitter.send_alert(begun.first)
        finally:
            with self._wake:
                self._agenda.plan(begun)
                self._wake.notify()
        self._tell_begun(sent)
        return sent

    def resume(self, event_id: str, text: str, *, for_s: float, after_s: float) -> None:
        """Go on with an alert's ticks after a restart, the first one `after_s` from now."""
        with self._wake:
            now = self._clock.monotonic()
            self._agenda.resume(event_id, text, now=now + after_s, until=now + for_s)
            self._wake.notify()

    def stop(self, event_id: str) -> None:
        """Take an alert off the air."""
        with self._wake:
            self._agenda.stop(event_id)

    def set_copies(self, level: int) -> None:
        """Use another row of `TICK_COPIES_S` for the ticks to come, as far as the air has room."""
        level = affordable_level(level, alerts=len(self._agenda))
        if level != self._agenda.level:
            copies = len(TICK_COPIES_S[level])
            log.info("copies per tick changed", extra={"copies": copies})
            metrics.TICK_COPIES.set(copies)
            self._agenda.level = level

    def beat(self) -> None:
        """Send a heartbeat now; the next one follows in about 10 s."""
        jitter_s = random.uniform(-HEARTBEAT_JITTER_S, HEARTBEAT_JITTER_S)
        self._heartbeat_due = self._clock.monotonic() + HEARTBEAT_S + jitter_s
        sent = self._transmitter.send_heartbeat(self._agenda.tick, self._compose_heartbeat)
        if not self._transmitter.failing:
            metrics.HEARTBEAT_SENT.set(sent.tx)
        self._second_path(sent.text)

    def run(self, stop: threading.Event) -> None:
        """Send whatever is due, when it is due, until `stop`."""
        while not stop.is_set():
            self.step()

    def step(self) -> None:
        """Send the one thing that is due, or wait for it."""
        self._turn.begin()
        with self._wake:
            now = self._clock.monotonic()
            beat_due = now >= self._heartbeat_due
            slot = None if beat_due else self._agenda.take(now)
            if slot is None and not beat_due:
                self._turn.end()
                self._wake.wait(self._pause_s(now))
                return
        if slot:
            self._transmit(slot)
            metrics.TICK_LATENESS.observe(max(0.0, self._clock.monotonic() - slot.due))
        else:
            self.beat()
        self._turn.end()

    @property
    def late_s(self) -> float:
        """How long the thread that runs this has left undone what is due; takes no lock."""
        return self._clock.monotonic() - self._earliest()

    def _earliest(self) -> float:
        due = self._agenda.next_due()
        return self._heartbeat_due if due is None else min(due, self._heartbeat_due)

    def _pause_s(self, now: float) -> float:
        return min(LONGEST_WAIT_S, max(0.0, self._earliest() - now))

    def _transmit(self, slot: Slot) -> Sent:
        sent = self._transmitter.send_alert(slot)
        if slot.index == 0:
            self._tell_begun(sent)
        return sent

    def _tell_begun(self, sent: Sent) -> None:
        metrics.TICKS_SENT.inc()
        self._second_path(sent.text)
