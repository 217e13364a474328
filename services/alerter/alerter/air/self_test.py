"""Would an alert go out now? Asked every second, told by `/readyz`, a metric and the heartbeat."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import replace

from alerter import metrics
from alerter.air.echoes import BrokerEcho
from alerter.air.group import Air
from hazardcast.contract.messages import SelfTest
from hazardcast.contract.topics import SELF_TEST
from hazardcast.machine.clock import Clock
from hazardcast.mqtt.bus import Bus, Delivery

log = logging.getLogger(__name__)
NONCE_BYTES = 8
BROKER_AWAY = "the broker is away; HTTP and dropped files still reach vehicles"


class SelfTester:
    """Tests the way in (a nonce through the broker) and the way out (its own heartbeats)."""

    def __init__(
        self, air: Air, bus: Bus, *, instance: str, clock: Clock, changed: Callable[[], None]
    ) -> None:
        self._air = air
        self._bus = bus
        self._clock = clock
        self._changed = changed
        # Its own topic alone: at the broker nothing of other instances waits for this one.
        self._topic = replace(SELF_TEST, template=SELF_TEST.path(instance=instance))
        self._echo = BrokerEcho()
        self._told: dict[str, str | None] = {}

    def listen(self) -> None:
        """Hear what comes back, and say a nonce on every connection."""
        self._bus.subscribe(self._topic, self._hear)
        self._bus.on_connect(self._begin_anew)

    @property
    def problems(self) -> dict[str, str | None]:
        """What is wrong with each way, None where nothing is."""
        broker = self._echo.problem if self._bus.connected else BROKER_AWAY
        return {"air": self._air.problem, "broker": broker}

    @property
    def problem(self) -> str | None:
        """What is wrong with either, in one line."""
        return "; ".join(problem for problem in self.problems.values() if problem) or None

    def run(self, stop: threading.Event) -> None:
        """Test until `stop`."""
        while not stop.is_set():
            self._test_broker()
            self._air.look(stop)
            self._tell()

    def _test_broker(self) -> None:
        now = self._clock.monotonic()
        self._echo.look(now)
        if self._bus.connected and self._echo.is_due(now):
            self._say()

    def _say(self) -> None:
        nonce = secrets.token_hex(NONCE_BYTES)
        self._echo.said(nonce, self._clock.monotonic())
        self._bus.publish(self._topic, SelfTest(nonce=nonce, ts=self._clock.now()))

    def _hear(self, message: SelfTest, _delivery: Delivery) -> None:
        self._echo.heard(message.nonce)

    def _begin_anew(self) -> None:
        self._echo.begin_anew()
        self._say()

    def _tell(self) -> None:
        problems = self.problems
        for stage, problem in problems.items():
            metrics.SELF_TEST.labels(stage=stage).set(problem is None)
        if problems == self._told:
            return
        self._told = problems
        if self.problem:
            log.warning("self-test fails", extra={"reason": self.problem})
        else:
            log.info("self-test passes")
        self._changed()
