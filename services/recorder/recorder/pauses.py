"""How long is waited before a camera is asked again.

A camera that is away is recorded as soon as it is back: its port is knocked at, which costs nobody
anything, and when that answers the wait is over. What answers and cannot be recorded is asked more
and more seldom.
"""

from __future__ import annotations

import threading

from hazardcast.contract.vocabulary import CameraState
from hazardcast.machine.clock import Clock
from hazardcast.media import camera_address
from hazardcast.net import ports
from hazardcast.service.backoff import backoff_s
from recorder.attempt import Ending, Source

SETTLED_S = 30.0
"""A connection that lasted this long makes earlier failures forgotten."""
HASTY_S = 5.0
"""A connection shorter than this is never followed by another at once, but for a change of plan."""
REFUSED_FAILURES = 4
"""Cameras lock accounts after a few wrong passwords: begin with long waits."""
KNOCK_EVERY_S = 1.0
LOCAL_MOST_S = 4.0
"""The camera service is of this station: it says no quickly, and is asked often."""


class Pauses:
    """The waits between the connections to one camera."""

    def __init__(self, source: Source, *, clock: Clock, stop: threading.Event) -> None:
        self._source = source
        self._clock = clock
        self._stop = stop
        self._failures = 0

    def after(self, ending: Ending, lasted_s: float) -> None:
        """Wait as long as befits how a connection ended, or until stopped."""
        if lasted_s >= SETTLED_S:
            self._failures = 0
        if ending.at_once and lasted_s >= HASTY_S:
            return
        least = REFUSED_FAILURES if ending.state == CameraState.UNAUTHORISED else 0
        failures = max(self._failures, least)
        self._failures += 1
        if self._source.local:
            self._clock.wait(self._stop, backoff_s(failures, most_s=LOCAL_MOST_S))
        elif ending.kind == "unreached":
            self._until_back(backoff_s(failures))
        else:
            self._clock.wait(self._stop, backoff_s(failures))

    def _until_back(self, most_s: float) -> None:
        place = camera_address.host_port(self._source.url)
        deadline_s = self._clock.monotonic() + most_s
        while (left_s := deadline_s - self._clock.monotonic()) > 0:
            if self._clock.wait(self._stop, min(KNOCK_EVERY_S, left_s)):
                return
            if ports.answers(*place, timeout_s=KNOCK_EVERY_S):
                self._failures = 1  # it may take a moment until it sends
                return
