"""The alerter's word about itself on `v2x/status/alerter/{instance}`."""

from __future__ import annotations

from typing import Any, Literal

from hazardcast import __version__
from hazardcast.bus import Bus
from hazardcast.clock import Clock
from hazardcast.messages import ServiceStatus
from hazardcast.topics import STATUS

SERVICE = "alerter"
REPEAT_S = 30.0
CHANGED_S = 5.0


def status(
    instance: str, state: Literal["online", "offline", "stopped"], now: float, **detail: Any
) -> ServiceStatus:
    """What is said; `offline` is the last will."""
    return ServiceStatus(
        service=SERVICE, instance=instance, state=state, version=__version__, ts=now, detail=detail
    )


class Presence:
    """Says `online` on every connection, when facts changed, and at least every 30 s."""

    def __init__(self, bus: Bus, *, instance: str, clock: Clock) -> None:
        self._bus = bus
        self._instance = instance
        self._clock = clock
        self._said: dict[str, Any] = {}
        self._said_at = float("-inf")

    def refresh(self, **facts: Any) -> None:
        """Say it again if it is time to."""
        quiet_s = self._clock.monotonic() - self._said_at
        changed = facts != self._said and quiet_s >= CHANGED_S
        if self._bus.connected and (changed or quiet_s >= REPEAT_S):
            self.say(**facts)

    def say(self, **facts: Any) -> None:
        """Say `online` now."""
        self._said, self._said_at = facts, self._clock.monotonic()
        self._publish("online", **facts)

    def stopped(self) -> None:
        """Say the last word of a clean stop."""
        self._publish("stopped")

    def _publish(self, state: Literal["online", "stopped"], **facts: Any) -> None:
        message = status(self._instance, state, self._clock.now(), **facts)
        self._bus.publish(STATUS, message, service=SERVICE, instance=self._instance)
