"""`v2x/active/{event_id}`: what is in force, retained at the broker for whoever comes late.

A topic holds a state, not a history. While more versions are made than the broker should be told
one by one, each event's newest is told once a second, so that no outbox fills with what is
outdated before it is read. An end is always told at once.
"""

from __future__ import annotations

from alerter.lifecycle.register import Register
from hazardcast.contract.messages import Alert
from hazardcast.contract.topics import ACTIVE
from hazardcast.machine.clock import Clock
from hazardcast.machine.steady import Steady
from hazardcast.mqtt.bus import Bus, Delivery
from hazardcast.receiving.token_bucket import TokenBucket

AT_ONCE_PER_S = 100.0
AT_ONCE_BURST = 500.0
"""As many as there may be events."""
CATCH_UP_S = 1.0


class ActiveTopics:
    """Keeps the retained alerts right; to be called under the alerter's lock."""

    def __init__(
        self, bus: Bus, *, station: int, register: Register, clock: Clock, steady: Steady
    ) -> None:
        self._bus = bus
        self._own = f"{station}-"
        self._register = register
        self._clock = clock
        self._steady = steady
        self._at_once = TokenBucket(AT_ONCE_PER_S, AT_ONCE_BURST, AT_ONCE_BURST, clock.monotonic())
        self._waiting: dict[str, Alert] = {}
        self._caught_up_at = clock.monotonic()

    def say(self, alert: Alert) -> None:
        """An alert has a new version; its end is said and then the topic cleared."""
        self._waiting.pop(alert.event_id, None)
        if alert.terminated:
            self._publish(alert)
            self.clear(alert.event_id)
        elif self._at_once.take(self._clock.monotonic()):
            self._publish(alert)
        else:
            self._waiting[alert.event_id] = alert

    def catch_up(self) -> None:
        """Say what had to wait."""
        now = self._clock.monotonic()
        if self._waiting and now - self._caught_up_at >= CATCH_UP_S:
            self._caught_up_at = now
            for alert in self._waiting.values():
                self._publish(alert)
            self._waiting.clear()

    def clear(self, event_id: str) -> None:
        """The event is over."""
        self._waiting.pop(event_id, None)
        self._bus.clear(ACTIVE, event_id=event_id)

    def say_all(self, alerts: list[Alert]) -> None:
        """Say everything anew: a broker that restarted may have forgotten it."""
        for alert in alerts:
            self._publish(alert)

    def heard(self, delivery: Delivery) -> None:
        """Clear what an earlier process of this station left at the broker; others' is not ours."""
        event_id = delivery.parameters["event_id"]
        if not delivery.retained or not event_id.startswith(self._own):
            return
        event = self._register.find(event_id)
        if event is None or not event.in_force(self._steady.now()):
            self._bus.clear(ACTIVE, event_id=event_id)

    def _publish(self, alert: Alert) -> None:
        self._bus.publish(ACTIVE, alert, event_id=alert.event_id)
