"""Notices what changed in the vehicle's condition: says it, measures it, publishes it."""

from __future__ import annotations

from hazardcast.contract.messages import ReceptionCounters, VehicleDetail
from hazardcast.contract.messages.detail import VehicleClock
from hazardcast.machine.clock import Clock
from hazardcast.mqtt.bus import Bus
from hazardcast.mqtt.presence import Name, Presence, Word
from vehicle_agent import metrics
from vehicle_agent.agent import Condition
from vehicle_agent.announcement import clock_line, link_line, link_text, speed_line, speed_text
from vehicle_agent.announcer import Announcer
from vehicle_agent.link import LinkState

SERVICE = "vehicle-agent"


class Monitor:
    """Compares each condition with the one before."""

    def __init__(
        self, vehicle: str, *, announcer: Announcer, bus: Bus, clock: Clock, cruising_mps: float
    ) -> None:
        self._announcer = announcer
        self._presence = Presence(Name(SERVICE, vehicle), bus, clock)
        self._cruising_mps = cruising_mps
        self._feed = metrics.CounterFeed()
        self._said: dict[str, object] = {}

    def look(self, condition: Condition, counters: tuple[ReceptionCounters, ...]) -> None:
        """Say what changed since the last look, and publish it when it is time."""
        self._say(condition)
        self._measure(condition, counters)
        self._presence.look(Word(detail=_detail(condition, counters)))

    def _say(self, condition: Condition) -> None:
        link, clock, advice = condition.link, condition.clock, condition.advice
        if self._changed("link", (link.state, link.stopping)):
            self._announcer.say(lambda now: link_line(link, now), about="link")
        if clock.offset_s is not None:
            known = clock.error_s is not None
            if self._changed("clock", (known, clock.disagrees)):
                self._announcer.say(lambda now: clock_line(clock, now), about="clock")
        if self._changed("speed", advice and (advice.target_mps, advice.alert.event_id)):
            self._announcer.say(lambda now: speed_line(advice, now), about="speed")
        self._announcer.status(
            f"{link_text(link)} │ {condition.in_force} in force │ speed: {speed_text(advice)}"
        )

    def _changed(self, what: str, value: object) -> bool:
        changed = self._said.get(what) != value
        self._said[what] = value
        return changed

    def _measure(self, condition: Condition, counters: tuple[ReceptionCounters, ...]) -> None:
        self._feed.feed(counters)
        metrics.LINK_AGE_S.set(condition.link.age_s or 0.0)
        metrics.LINK_LOST.set(condition.link.state is LinkState.LOST)
        metrics.IN_FORCE.set(condition.in_force)
        metrics.CLOCK_TRUSTED.set(condition.clock.error_s is not None)
        metrics.CLOCK_OFFSET_S.set(condition.clock.offset_s or 0.0)
        metrics.SPEED_TARGET_MPS.set(
            condition.advice.target_mps if condition.advice else self._cruising_mps
        )

    def stopped(self) -> None:
        """Say the last word of a clean stop."""
        self._presence.stopped()


def _detail(condition: Condition, counters: tuple[ReceptionCounters, ...]) -> VehicleDetail:
    """What others may want to know; the running counts as in receipts."""
    advice, clock = condition.advice, condition.clock
    return VehicleDetail(
        reception=counters,
        link=condition.link.state.value,
        clock=VehicleClock(source=clock.source, error_s=clock.error_s),
        alerts_in_force=condition.in_force,
        speed_target_mps=advice.target_mps if advice else None,
    )
