"""A site, a register and a way to report to it, for the tests of the pure parts."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from alerter import ingress, placing
from alerter.answers import Answer, answer
from alerter.events import Event
from alerter.ingress import Limits
from alerter.refusal import Reason, Refusal
from alerter.register import Outcome, Register

from hazardcast import reports, site
from hazardcast.messages import Alert, Incident
from hazardcast.reports import Unreadable
from hazardcast.site import SiteConfig

NOW = 1_800_000_000.0
SITE = {
    "site": {
        "station_id": 4097,
        "name": "Junction 12",
        "position": {"lat_deg": 37.12, "lon_deg": 127.12},
        "road": "ring",
    },
    "cameras": {
        "north": {
            "url": "rtsp://10.0.0.11/main",
            "position": {"lat_deg": 37.12345, "lon_deg": 127.12345},
            "heading_deg": 90,
            "road": "segment_A",
            "distance_m": 500,
        },
        "south": {
            "url": "rtsp://10.0.0.12/main",
            "position": {"lat_deg": 37.1231, "lon_deg": 127.1234},
        },
        "bare": {"url": "rtsp://10.0.0.13/main"},
    },
}


@dataclass
class Desk:
    """Doors, register and clock in one, without the air."""

    config: SiteConfig
    now: float = NOW
    register: Register = field(init=False)

    def __post_init__(self) -> None:
        self.register = Register(station=4097, next_number=itertools.count(1).__next__)

    def report(self, *, retained: bool = False, **incident: Any) -> Outcome | Refusal:
        return self._decide(Incident.parse({"type": "collision", **incident}), retained=retained)

    def _decide(self, incident: Incident, *, retained: bool = False) -> Outcome | Refusal:
        report = ingress.judge(incident, received_at=self.now, limits=Limits(), retained=retained)
        if isinstance(report, Refusal):
            return report
        return self.register.report(report, placing.place(incident, self.config), self.now)

    def read(self, payload: bytes) -> Answer:
        """What a door answers, less what it says on the bus."""
        reading = reports.read(payload, self.config.cameras)
        if isinstance(reading, Unreadable):
            refusal = Refusal(Reason.SCHEMA, reading.problem.reason, reading.problem.field)
            return answer(refusal, reading.warnings, reading.report_id)
        outcome = self._decide(reading.incident)
        return answer(outcome, reading.warnings, reading.incident.report_id)

    def alert(self, **incident: Any) -> Alert:
        outcome = self.report(**incident)
        assert isinstance(outcome, Outcome), outcome
        return outcome.event.alert

    def action(self, **incident: Any) -> str:
        outcome = self.report(**incident)
        return outcome.action if isinstance(outcome, Outcome) else outcome.reason

    def later(self, seconds: float) -> None:
        self.now += seconds

    def expire(self) -> list[Event]:
        return self.register.expire(self.now)


@pytest.fixture
def config() -> SiteConfig:
    return site.parse(SITE, source="test")


@pytest.fixture
def desk(config: SiteConfig) -> Desk:
    return Desk(config)


@pytest.fixture(scope="session")
def new_desk() -> Callable[[], Desk]:
    """For property tests, which need a fresh one each time."""
    config = site.parse(SITE, source="test")
    return lambda: Desk(config)


@pytest.fixture
def alert(desk: Desk) -> Alert:
    """Some alert."""
    return desk.alert(camera="north", confidence=0.9)
