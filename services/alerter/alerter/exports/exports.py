"""The alert for other systems: DENM for a Vanetza-NAP beside us, POSTs for subscribers."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterable, Sequence

from alerter.air.schedule import CANCEL_REPEATED_S
from alerter.exports import denm
from alerter.exports.denm import NoDenmError
from alerter.exports.subscribers import Subscriber
from hazardcast.contract.messages import Alert
from hazardcast.contract.topics import DENM
from hazardcast.machine.clock import Clock
from hazardcast.mqtt.bus import Bus

log = logging.getLogger(__name__)
MOST_ENDED = 500
"""Ends that are said again; the oldest has been said most."""
REPEAT_EVERY_S = 1.0
"""Vanetza-NAP sends once what it is given; repeating is up to the application."""


class Exports:
    """Tells each version once to the subscribers, and DENM again and again while it holds."""

    def __init__(
        self, bus: Bus, *, clock: Clock, with_denm: bool, subscribers: Sequence[Subscriber] = ()
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._with_denm = with_denm
        self._subscribers = subscribers
        self._ended: dict[str, tuple[Alert, float]] = {}
        self._repeated_at = clock.monotonic()
        self._lock = threading.Lock()

    def resume(self, alerts: Iterable[Alert]) -> None:
        """What was in force before a restart has been told already."""
        for alert in alerts:
            for subscriber in self._subscribers:
                subscriber.known(alert)

    def tell(self, alert: Alert) -> None:
        """A version is new."""
        for subscriber in self._subscribers:
            subscriber.tell(alert)
        if self._with_denm:
            self._publish(alert)
            with self._lock:
                self._ended.pop(alert.event_id, None)
                if alert.terminated:
                    until = self._clock.monotonic() + CANCEL_REPEATED_S
                    self._ended[alert.event_id] = (alert, until)
                    while len(self._ended) > MOST_ENDED:
                        del self._ended[next(iter(self._ended))]

    def repeat(self, alerts: Iterable[Alert]) -> None:
        """Say the DENMs in force, and those that ended just now, again when it is time."""
        now = self._clock.monotonic()
        if not self._with_denm or now - self._repeated_at < REPEAT_EVERY_S:
            return
        self._repeated_at = now
        with self._lock:
            self._ended = {key: one for key, one in self._ended.items() if now < one[1]}
            ended = [alert for alert, _ in self._ended.values()]
        for alert in (*alerts, *ended):
            self._publish(alert)

    def _publish(self, alert: Alert) -> None:
        """What the broker cannot take now would be old when it can; the next second says it."""
        if not self._bus.connected:
            return
        try:
            self._bus.publish_text(DENM, json.dumps(denm.vanetza(alert)))
        except NoDenmError as error:
            log.warning("no DENM", extra={"event": alert.event_id, "reason": str(error)})
