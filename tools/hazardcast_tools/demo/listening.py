"""Turning what the bus and the consoles say into facts, and facts into the story."""

from __future__ import annotations

import queue
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from hazardcast.contract.messages import (
    Alert,
    ClipState,
    Detections,
    Incident,
    Message,
    Receipt,
    ServiceStatus,
)
from hazardcast.contract.topics import ACTIVE, CLIPS, DETECTIONS, INCIDENTS, RECEIPTS, STATUS
from hazardcast.machine.clock import Clock
from hazardcast.mqtt.bus import Bus, Delivery
from hazardcast.service.processes import Stream
from hazardcast_tools.demo.facts import Facts
from hazardcast_tools.demo.figures import HeardReceipt
from hazardcast_tools.demo.logbook import Logbook
from hazardcast_tools.demo.screen import Screen
from hazardcast_tools.stack.presence_board import RollCall

M = TypeVar("M", bound=Message)
Event = Callable[[], None]


class Listening:
    """Takes everything that happens, on any thread, and tells it in order on one."""

    def __init__(self, facts: Facts, roll: RollCall, screen: Screen, logs: Logbook, clock: Clock):
        self._facts = facts
        self._roll = roll
        self._screen = screen
        self._logs = logs
        self._clock = clock
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def attach(self, bus: Bus) -> None:
        """Subscribe to all that the story needs."""
        bus.subscribe(STATUS, self._later(self._on_status))
        bus.subscribe(DETECTIONS, self._later(self._on_detections))
        bus.subscribe(INCIDENTS, self._later(self._on_incident))
        bus.subscribe(ACTIVE, self._later(self._on_alert))
        bus.subscribe(RECEIPTS, self._later(self._on_receipt))
        bus.subscribe(CLIPS, self._later(self._on_clip))

    def _later(self, handle: Callable[[M, Delivery], None]) -> Callable[[M, Delivery], None]:
        return lambda message, delivery: self._events.put(partial(handle, message, delivery))

    def line(self, name: str, stream: Stream, line: str) -> None:
        """Take one line of a process."""
        self._logs(name, stream, line)
        if stream == "out":
            self._events.put(partial(self._on_console, name, line))

    def tell(self, timeout_s: float) -> None:
        """Tell what has happened, waiting up to `timeout_s` for the first of it."""
        try:
            self._events.get(timeout=timeout_s)()
            while True:
                self._events.get_nowait()()
        except queue.Empty:
            return

    def _on_status(self, status: ServiceStatus, _: Delivery) -> None:
        self._roll.hear(status)

    def _on_detections(self, detections: Detections, delivery: Delivery) -> None:
        self._facts.saw(detections, delivery.received_monotonic)

    def _on_incident(self, incident: Incident, _: Delivery) -> None:
        self._facts.incidents.append(incident)
        confidence = f", confidence {incident.confidence:.2f}" if incident.confidence else ""
        self._screen.say(
            f"incident: {incident.status} {incident.type} ({incident.severity}{confidence})"
        )

    def _on_alert(self, alert: Alert, _: Delivery) -> None:
        if self._facts.broadcast(alert):
            self._screen.say(
                f"alert {alert.event_id} on the air: {alert.type}, {alert.severity}", "step"
            )

    def _on_receipt(self, receipt: Receipt, delivery: Delivery) -> None:
        self._facts.receipts.append(HeardReceipt(receipt, delivery.received_at))

    def _on_clip(self, state: ClipState, _: Delivery) -> None:
        if self._facts.clip_is(state):
            self._screen.say(f"clip {state.state}: {state.coverage:.0%} of the window")

    def _on_console(self, name: str, line: str) -> None:
        if self._facts.printed(name, line):
            self._screen.say(f"{name}  {line}", "console")
