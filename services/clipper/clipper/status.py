"""The clipper's word about itself on `v2x/status/clipper/{instance}`."""

from __future__ import annotations

from typing import Literal

import hazardcast
from hazardcast.bus import Bus
from hazardcast.clock import Clock
from hazardcast.messages import ServiceStatus
from hazardcast.topics import STATUS

SERVICE = "clipper"
CHANGE_INTERVAL_S = 5.0
STILL_INTERVAL_S = 30.0


def word(
    instance: str,
    state: Literal["online", "offline", "stopped"],
    now: float,
    facts: dict[str, object] | None = None,
) -> ServiceStatus:
    """A status message."""
    return ServiceStatus(
        service=SERVICE,
        instance=instance,
        state=state,
        version=hazardcast.__version__,
        ts=now,
        detail=facts or {},
    )


class StatusWord:
    """Says it: on every connection, every 5 s when facts change, else every 30 s."""

    def __init__(self, bus: Bus, clock: Clock, instance: str) -> None:
        self._bus = bus
        self._clock = clock
        self._instance = instance
        self._facts: dict[str, object] = {}
        self._said: dict[str, object] | None = None
        self._said_at = float("-inf")

    def update(self, facts: dict[str, object]) -> None:
        """Take note of the facts, and say them if it is time."""
        self._facts = facts
        interval_s = STILL_INTERVAL_S if facts == self._said else CHANGE_INTERVAL_S
        if self._clock.monotonic() - self._said_at >= interval_s:
            self.say()

    def say(self, state: Literal["online", "stopped"] = "online") -> None:
        """Say it now."""
        self._said, self._said_at = self._facts, self._clock.monotonic()
        if self._bus.connected:
            message = word(self._instance, state, self._clock.now(), self._facts)
            self._bus.publish(STATUS, message, service=SERVICE, instance=self._instance)
