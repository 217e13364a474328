"""The run itself: an accident that lasts, short ones, and waiting for what becomes of them."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable

from hazardcast.contract.errors import HazardcastError
from hazardcast.contract.messages import Incident
from hazardcast.contract.topics import ACTIVE, BROADCAST, CLIPS, INCIDENTS, RECEIPTS, STATUS
from hazardcast.machine.clock import Clock
from hazardcast.mqtt.bus import Bus
from hazardcast_tools.http_client import HttpError, get_text
from hazardcast_tools.kpi.evidence import Evidence, Published
from hazardcast_tools.kpi.verdict import Row, Run, verdict

ALERTER, VEHICLE_AGENT = "alerter", "vehicle-agent"
TURN_S = 0.01
ANSWER_S = 3.0
CLIP_GRACE_S = 40.0
PROBE_STEP_DEG = 0.0006
"""67 m northwards each: farther than what the alerter would take for the same event."""
_DEADLINE = re.compile(r'^hazardcast_alert_deadline_total\{result="(\w+)"\} (\S+)$', re.MULTILINE)


class NotAcceptedError(HazardcastError):
    """The run could not be carried out."""


class InterruptedRunError(HazardcastError):
    """Someone pressed Ctrl-C."""


class Acceptance:
    """One run against a system that runs; every incident is marked as a test: nobody brakes."""

    def __init__(
        self,
        bus: Bus,
        *,
        clock: Clock,
        stop: threading.Event,
        metrics_url: str,
        say: Callable[[str], None],
    ) -> None:
        self.evidence = Evidence()
        self._bus = bus
        self._clock = clock
        self._stop = stop
        self._metrics_url = metrics_url
        self._say = say

    def listen(self) -> None:
        """Hear everything that counts."""
        evidence = self.evidence
        self._bus.subscribe(STATUS, lambda status, _: evidence.status(status))
        self._bus.subscribe(ACTIVE, lambda alert, d: evidence.alert(alert, d.received_at))
        self._bus.subscribe(RECEIPTS, lambda receipt, d: evidence.receipt(receipt, d.received_at))
        self._bus.subscribe(CLIPS, lambda state, _: evidence.clip(state))
        self._bus.subscribe_text(BROADCAST, lambda text, _: evidence.datagram(text))

    def await_system(self, within_s: float) -> list[str]:
        """The vehicles that listen, once alerter and at least one of them are there.

        Raises:
            NotAcceptedError: they are not.
        """
        evidence = self.evidence

        def missing() -> list[str]:
            return [one for one in (ALERTER, VEHICLE_AGENT) if not evidence.online(one)]

        if not self._until(lambda: not missing(), within_s):
            raise NotAcceptedError(f"not online within {within_s:g} s: {', '.join(missing())}")
        return evidence.online(VEHICLE_AGENT)

    def run(
        self, vehicles: list[str], *, type_: str, camera: str | None, duration_s: float,
        probes: int, clip: bool,
    ) -> list[Row]:  # fmt: skip
        """Carry it out and judge it.

        Raises:
            NotAcceptedError: the alerter does not take the accident.
            InterruptedRunError: `stop` was set.
        """
        before = self._deadline()
        began = self._publish(type=type_, camera=camera, clip_hint=clip)
        if not self._until(lambda: began.confirmed_at in self.evidence.alerts, ANSWER_S):
            raise NotAcceptedError("the alerter does not answer the accident; its log says why")
        alert = self.evidence.alerts[began.confirmed_at]
        self._say(f"alert {alert.event_id} on the air for {duration_s:g} s")
        self._until(lambda: False, duration_s)
        ended = self._cancel(type_, alert.event_id)
        self._until(lambda: self._answered(vehicles, ended), ANSWER_S)
        self._say(f"{probes} short alerts, one after the other")
        told: list[Published] = []
        for number in range(1, probes + 1):
            told += self._probe(vehicles, alert.lat + number * PROBE_STEP_DEG, alert.lon)
        if clip:
            self._await_clip(alert.event_id)
        deadline = self._growth(before, self._deadline())
        run = Run(vehicles, began, ended, told)
        return verdict(run, self.evidence, deadline, clip=clip)

    def _probe(self, vehicles: list[str], lat: float, lon: float) -> list[Published]:
        """An accident that is over as soon as everyone has heard of it."""
        began = self._publish(type="collision", lat=lat, lon=lon, clip_hint=False)
        self._until(lambda: self._answered(vehicles, began), ANSWER_S)
        # The datagram goes first: vehicles may have answered before the broker says the alert.
        self._until(lambda: began.confirmed_at in self.evidence.alerts, ANSWER_S)
        alert = self.evidence.alerts.get(began.confirmed_at)
        if alert is None:
            return [began]
        ended = self._cancel("collision", alert.event_id)
        self._until(lambda: self._answered(vehicles, ended), ANSWER_S)
        return [began, ended]

    def _publish(self, **fields: object) -> Published:
        # In milliseconds, as the alerter will repeat it; rounded down, so that no latency shrinks.
        now = math.floor(self._clock.now() * 1000) / 1000
        published = Published(now, ending=fields.get("status") == "cancel")
        self.evidence.published[now] = published
        given = {name: value for name, value in fields.items() if value is not None}
        about = {"ts": now, "confirmed_at": now, "test": True, "severity": "high"}
        self._bus.publish(INCIDENTS, Incident.parse({**about, **given}))
        return published

    def _cancel(self, type_: str, event_id: str) -> Published:
        return self._publish(type=type_, status="cancel", event_id=event_id)

    def _answered(self, vehicles: list[str], published: Published) -> bool:
        known = self.evidence.receipts
        return all((vehicle, published.confirmed_at) in known for vehicle in vehicles)

    def _await_clip(self, event_id: str) -> None:
        """Wait as long as the clipper itself says that it needs."""

        def is_final() -> bool:
            told = self.evidence.clips.get(event_id)
            return told is not None and told.state.is_final

        self._until(lambda: event_id in self.evidence.clips, ANSWER_S)
        found = self.evidence.clips.get(event_id)
        if found is None:
            return
        wait_s = max(0.0, found.requested.end - self._clock.now()) + CLIP_GRACE_S
        if not is_final():
            self._say(f"waiting for the clip, {wait_s - CLIP_GRACE_S:.0f} s to come")
        self._until(is_final, wait_s)

    def _until(self, holds: Callable[[], bool], within_s: float) -> bool:
        deadline = self._clock.monotonic() + within_s
        while not holds():
            if self._clock.monotonic() >= deadline:
                return False
            if self._clock.wait(self._stop, min(TURN_S, max(0.0, within_s))):
                raise InterruptedRunError("interrupted")
        return True

    def _deadline(self) -> dict[str, float] | None:
        """The alerter's own counters, None where they cannot be read."""
        try:
            text = get_text(self._metrics_url)
        except HttpError:
            return None
        return {result: float(value) for result, value in _DEADLINE.findall(text)}

    @staticmethod
    def _growth(
        before: dict[str, float] | None, after: dict[str, float] | None
    ) -> dict[str, float] | None:
        if before is None or after is None:
            return None
        return {name: value - before.get(name, 0.0) for name, value in after.items()}
