"""A site, a register and a way to report to it, for the tests of the pure parts."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
from alerter.air.transmitter import Sent
from alerter.alerter import Alerter
from alerter.deciding.held import Held
from alerter.doors.answers import Answer, Door, answer
from alerter.exports.exports import Exports
from alerter.ingest import placing, report_times
from alerter.ingest.refusal import Reason, Refusal
from alerter.ingest.report_times import Limits
from alerter.journal.journal import Journal
from alerter.kpi.receipts import Receipts
from alerter.lifecycle.events import Event
from alerter.lifecycle.register import Outcome, Register
from alerter.lifecycle.store import Store

from hazardcast.config import site
from hazardcast.config.settings import Settings
from hazardcast.config.site import SiteConfig
from hazardcast.contract import reports
from hazardcast.contract.messages import Alert, Incident, JournalEntry
from hazardcast.contract.reports import Unreadable
from hazardcast.contract.topics import JOURNAL
from hazardcast.machine.steady import Steady
from hazardcast.testing import ManualClock, MemoryBroker

NOW = 1_800_000_000.0
SITE: dict[str, Any] = {
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

    def report(self, *, retained: bool = False, **incident: Any) -> Outcome | Refusal | Held:
        return self._decide(Incident.parse({"type": "collision", **incident}), retained=retained)

    def _decide(self, incident: Incident, *, retained: bool = False) -> Outcome | Refusal:
        report = report_times.judge(
            incident, received_at=self.now, limits=Limits(), retained=retained
        )
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
        return outcome.reason if isinstance(outcome, Refusal) else outcome.action

    def later(self, seconds: float) -> None:
        self.now += seconds

    def expire(self) -> list[Event]:
        return self.register.expire(self.now)


@pytest.fixture(scope="session")
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


class Air:
    """What is said on the air, and how long each alert is to be repeated."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.said: list[Alert] = []
        self.until: dict[str, float] = {}

    def announce(self, event_id: str, text: str, *, for_s: float, routine: bool = False) -> Sent:
        self.said.append(Alert.decode(text))
        self.until[event_id] = self.clock.monotonic() + for_s
        return Sent(text, seq=1, tx=self.clock.now())

    def resume(self, event_id: str, text: str, *, for_s: float, after_s: float) -> None:
        self.announce(event_id, text, for_s=for_s)

    def stop(self, event_id: str) -> None:
        self.until.pop(event_id, None)


class Station:
    """An alerter on clocks, a bus and an air of its own; it can be started again."""

    running: ClassVar[list[Station]] = []

    def __init__(self, folder: Path, config: Any) -> None:
        self.running.append(self)
        self.folder, self.config = folder, config
        self.clock = ManualClock()
        self.broker = MemoryBroker()
        self.numbers = itertools.count(1)
        self.store: Store | None = None
        self.epochs = 0
        self.start()

    def stop(self) -> None:
        if self.store:
            self.bus.close()
            self.store.close()
            self.journal.close()

    def start(self) -> None:
        self.stop()
        steady = Steady(self.clock)
        self.bus = bus = self.broker.bus(self.clock)
        self.store = Store(self.folder, self.clock, steady)
        self.register = Register(
            station=4097, next_number=self.numbers.__next__, events=self.store.load()
        )
        self.air = Air(self.clock)
        self.epochs += 1
        self.journal = Journal(
            self.folder / "journal", station=4097, epoch=self.epochs, turn=self.store,
            clock=self.clock, say=self._say,
            most_bytes=1e6, most_age_s=1e6,
        )  # fmt: skip
        self.alerter = Alerter(
            config=self.config, settings=Settings(), register=self.register, store=self.store,
            on_air=self.air, receipts=Receipts(station=4097, epoch=1),  # type: ignore[arg-type]
            exports=Exports(bus, clock=self.clock, with_denm=False), journal=self.journal,
            waiting_dir=self.folder / "waiting", bus=bus, clock=self.clock,
            steady=steady,
        )  # fmt: skip
        self.alerter.resume()

    def _say(self, entry: JournalEntry) -> None:
        self.bus.publish(JOURNAL, entry, station="4097")

    def hears(self, **incident: Any) -> Outcome:
        outcome = self.asks(**incident)
        assert isinstance(outcome, Outcome), outcome
        return outcome

    def asks(self, **incident: Any) -> Outcome | Refusal | Held:
        return self.answers(**incident).outcome

    def answers(self, **incident: Any) -> Answer:
        payload = json.dumps({"type": "collision", **incident}).encode()
        return self.alerter.accept(payload, Door("http"))

    def passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.alerter.expire()

    def ids(self) -> list[str]:
        return [alert.event_id for alert in self.alerter.alerts()]

    def remains_s(self) -> float:
        """As a vehicle counts that hears of it only now: by the station's clock, and bounded."""
        (alert,) = self.alerter.alerts()
        return min(alert.valid_until - self.clock.now(), alert.validity_duration_s)


@pytest.fixture(autouse=True)
def _stations_stop() -> Iterator[None]:
    yield
    while Station.running:
        Station.running.pop().stop()


@pytest.fixture
def station(tmp_path: Path, config: Any) -> Station:
    return Station(tmp_path / "state", config)


@pytest.fixture(scope="session")
def station_type() -> type[Station]:
    """For property tests, which need fresh ones each time."""
    return Station
