"""A service's word about itself on `v2x/status/{service}/{instance}`: when it is said, and what by.

Its last will says `offline` when it is lost, its last word `stopped` when it stops.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hazardcast import __version__
from hazardcast.contract.messages import CameraStatus, ServiceStatus, StatusDetail
from hazardcast.contract.topics import STATUS
from hazardcast.contract.vocabulary import ServiceState
from hazardcast.machine.clock import Clock
from hazardcast.mqtt.bus import Bus

CHANGED_S = 5.0
"""What changes all the time, such as counts, is said no more often."""
AT_LEAST_S = 30.0


@dataclass(frozen=True)
class Word:
    """How a service is."""

    cameras: tuple[CameraStatus, ...] = ()
    detail: StatusDetail | Mapping[str, Any] = field(default_factory=StatusDetail)
    """Facts of its own; of a mapping, what the model of its service makes sense of."""

    @property
    def camera_states(self) -> list[tuple[str, str]]:
        """What of it is news at once."""
        return [(camera.camera, camera.state) for camera in self.cameras]


NOTHING = Word()


@dataclass(frozen=True)
class Name:
    """Who speaks."""

    service: str
    instance: str

    def status(self, state: ServiceState, now: float, word: Word = NOTHING) -> ServiceStatus:
        """The message; `now` in epoch seconds."""
        return ServiceStatus(
            service=self.service,
            instance=self.instance,
            state=state,
            version=__version__,
            ts=now,
            cameras=word.cameras,
            detail=word.detail,
        )

    def last_will(self, now: float) -> ServiceStatus:
        """What the broker says for this service when it is lost."""
        return self.status(ServiceState.OFFLINE, now)


class Presence:
    """Says how a service is: after every connection, when that changes, and now and then.

    A camera whose state changed is said at once, all else `CHANGED_S` after the word before, and an
    unchanged word again after `AT_LEAST_S`. One thread calls; connections may come on another.
    """

    def __init__(self, name: Name, bus: Bus, clock: Clock) -> None:
        self._name, self._bus, self._clock = name, bus, clock
        self._said = NOTHING
        self._said_at = float("-inf")
        self._connected_anew = threading.Event()
        bus.on_connect(self._connected_anew.set)

    def look(self, word: Word) -> None:
        """Say `word` if it is time to; call it often. Without a connection it can wait."""
        if self._bus.connected and self._due(word):
            self.say(word)

    def _due(self, word: Word) -> bool:
        if self._connected_anew.is_set() or word.camera_states != self._said.camera_states:
            return True
        quiet_s = self._clock.monotonic() - self._said_at
        return quiet_s >= (AT_LEAST_S if word == self._said else CHANGED_S)

    def say(self, word: Word) -> None:
        """Say that the service is there, now; what the broker cannot be told yet waits for it."""
        self._connected_anew.clear()
        self._said, self._said_at = word, self._clock.monotonic()
        self._publish(ServiceState.ONLINE, word)

    def stopped(self, word: Word = NOTHING) -> None:
        """Say the last word of a clean stop."""
        self._publish(ServiceState.STOPPED, word)

    def _publish(self, state: ServiceState, word: Word) -> None:
        message = self._name.status(state, self._clock.now(), word)
        topic = {"service": self._name.service, "instance": self._name.instance}
        self._bus.publish(STATUS, message, **topic)
