"""Station, air and vehicles as one machine: whatever happens, nobody sees ghosts or forgets.

Hypothesis reports, cancels, lets time pass, loses, repeats and re-orders copies, and restarts
either side at any moment. After each step the vehicle is held against the station.
"""

from __future__ import annotations

from typing import Any

from alerter.ingest import placing, report_times
from alerter.ingest.refusal import Refusal
from alerter.ingest.report_times import Limits
from alerter.lifecycle.register import Outcome, Register
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from vehicle_agent.known_alerts import Hearing, KnownAlerts
from vehicle_agent.known_alerts import Outcome as Heard

from hazardcast.config import site
from hazardcast.contract.messages import Alert, Incident

NOW = 1_800_000_000.0
CONFIG = site.parse({"site": {"station_id": 4097}, "cameras": {}}, source="test")
SHOWN = {Heard.NEW, Heard.UPDATE, Heard.CANCEL}


class LifeCycle(RuleBasedStateMachine):
    """What the air carries is every version ever said; a step may deliver any of them."""

    @initialize()
    def start(self) -> None:
        self.now = NOW
        self.number = 0
        self.register = Register(station=4097, next_number=self._next)
        self.vehicle = KnownAlerts()
        self.said: list[Alert] = []
        self.shown: list[tuple[str, float, bool]] = []
        self.boots = 0.0

    def _next(self) -> int:
        self.number += 1
        return self.number

    def _report(self, **fields: Any) -> Outcome | Refusal:
        incident = Incident.parse({"type": "collision", **fields})
        judged = report_times.judge(incident, received_at=self.now, limits=Limits())
        if isinstance(judged, Refusal):
            return judged
        outcome = self.register.report(judged, placing.place(incident, CONFIG), self.now)
        if isinstance(outcome, Outcome) and outcome.action != "unchanged":
            self.said.append(outcome.event.alert)
        return outcome

    @rule(
        place=st.integers(0, 2),
        severity=st.sampled_from(["low", "high"]),
        name=st.sampled_from([None, "cam-a", "cam-b"]),
        age_s=st.floats(0, 50),
    )
    def report(self, place: int, severity: str, name: str | None, age_s: float) -> None:
        fields = {"lat": 37.0 + place * 0.1, "lon": 127.0, "severity": severity}
        self._report(**fields, event_id=name, ts=self.now - age_s)

    @rule(number=st.integers(1, 5))
    def cancel(self, number: int) -> None:
        self._report(status="cancel", event_id=f"4097-{number}")

    @rule(seconds=st.sampled_from([0.5, 20.0, 160.0, 299.0, 901.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.register.expire(self.now)
        self.vehicle.expire(self.now + self.boots)

    @rule()
    def the_station_restarts(self) -> None:
        """With its journal: everything it held, and a number never given."""
        self.register = Register(station=4097, next_number=self._next, events=self.register.events)

    @rule(seconds=st.floats(0, 1000))
    def the_vehicle_restarts(self, seconds: float) -> None:
        """With its memory, and a monotonic clock that began anew."""
        memory = self.vehicle.remember(now=self.now, monotonic=self.now + self.boots)
        self.boots -= seconds
        self.vehicle = KnownAlerts()
        self.vehicle.recall(memory, now=self.now, monotonic=self.now + self.boots)

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def some_copy_arrives(self, data: st.DataObject) -> None:
        """Any version ever said: late, twice, out of order; those between are lost."""
        self._hear(data.draw(st.sampled_from(self.said)))

    def _hear(self, alert: Alert) -> Heard:
        hearing = Hearing(station=4097, tx=self.now, monotonic=self.now + self.boots)
        heard = self.vehicle.observe(alert, hearing)
        if heard in SHOWN:
            self.shown.append((alert.event_id, alert.reference_time, alert.terminated))
        return heard

    @invariant()
    def no_version_was_shown_twice(self) -> None:
        assert len(self.shown) == len(set(self.shown))

    @invariant()
    def what_was_shown_only_grew(self) -> None:
        newest: dict[str, tuple[float, bool]] = {}
        for event_id, at, over in self.shown:
            assert (at, over) > newest.get(event_id, (0.0, False))
            newest[event_id] = (at, over)

    @invariant()
    def nothing_is_in_force_past_its_validity(self) -> None:
        self.vehicle.expire(self.now + self.boots)
        for known in self.vehicle.in_force():
            assert known.alert is not None
            assert self.now < known.alert.valid_until + 0.001

    @invariant()
    def one_tick_makes_vehicle_and_station_agree(self) -> None:
        """On a copy of the vehicle, so that the machine may go on with what it lacks."""
        memory = self.vehicle.remember(now=self.now, monotonic=self.now + self.boots)
        other = KnownAlerts()
        other.recall(memory, now=self.now, monotonic=0.0)
        for event in self.register.events:
            if self.now < event.alert.valid_until:
                other.observe(event.alert, Hearing(station=4097, tx=self.now, monotonic=0.0))
        theirs = {
            event.alert.event_id for event in self.register.events if event.in_force(self.now)
        }
        assert {known.event_id for known in other.in_force()} == theirs


LifeCycle.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestLifeCycle = LifeCycle.TestCase
