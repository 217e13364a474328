"""The tries to have the broker: each says why it failed, and when the next one is due."""

from __future__ import annotations

import logging

from hazardcast.machine.clock import Clock
from hazardcast.mqtt import broker_failures
from hazardcast.mqtt.broker_failures import Way, retry_wait_s
from hazardcast.service.sparing_log import SparingLog

log = logging.getLogger(__name__)
LINES_PER_S, LINES_BURST = 1 / 30, 5.0
SETTLED_S = 10.0
"""A connection that stood this long was a good one."""
TAKEN_OVER_AFTER = 3
"""Short connections in a row that look like another client with our id, not like chance."""


class Attempts:
    """What one client goes through with its broker; called by paho's thread alone."""

    def __init__(self, way: Way, client_id: str, clock: Clock) -> None:
        self._way = way
        self._client_id = client_id
        self._clock = clock
        self._failures = 0
        self._accepted_at: float | None = None
        self._refused = False
        self.problem: str | None = None
        self._lines = self._fresh_lines()
        self._heard: str | None = None

    def _fresh_lines(self) -> SparingLog:
        return SparingLog(log, self._clock, per_s=LINES_PER_S, burst=LINES_BURST)

    def failed(self, error: BaseException | None) -> float:
        """No connection came about; returns the seconds until the next try."""
        return self._again("broker cannot be had", self._way.failure(error))

    def accepted(self) -> None:
        """The broker has let us in."""
        self._accepted_at = self._clock.monotonic()
        self.problem, self._lines = None, self._fresh_lines()
        log.info("connected to the broker", extra={"broker": self._way.broker})

    def refused(self, reason: str) -> None:
        """It answered, and does not let us in; `ended` follows."""
        self._refused = True
        self._heard = broker_failures.refusal(reason)

    def hear(self, record: logging.LogRecord) -> bool:
        """As a filter of paho's log: what it says is why the connection ends next."""
        self._heard = record.getMessage()
        return "Caught exception" in self._heard

    def ended(self, reason: str) -> float:
        """A connection has ended unasked; returns the seconds until the next try."""
        heard, self._heard = self._heard, None
        accepted_at, self._accepted_at = self._accepted_at, None
        refused, self._refused = self._refused, False
        if refused:
            return self._again("broker refused the connection", heard or reason)
        if accepted_at is None:
            return self._again("broker cannot be had", self._way.silence(heard))
        if self._clock.monotonic() - accepted_at >= SETTLED_S:
            self._failures = 0
        why = broker_failures.loss(reason, heard)
        if self._failures >= TAKEN_OVER_AFTER:
            why += (
                f", {self._failures + 1} times soon after it let us in: does another process use "
                f"the client id {self._client_id}?"
            )
        return self._again("broker lost, will reconnect", why)

    def _again(self, what: str, why: str) -> float:
        """Tell it: what is new at once, what was told before now and then."""
        wait_s = retry_wait_s(self._failures)
        self._failures += 1
        if why != self.problem:
            self.problem, self._lines = why, self._fresh_lines()
        about = {"broker": self._way.broker, "reason": why, "again_in_s": round(wait_s, 1)}
        self._lines.say(logging.WARNING, what, extra=about)
        return wait_s
