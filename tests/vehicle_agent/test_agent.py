from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from vehicle_agent.agent import Agent
from vehicle_agent.announcement import Announcement, Word
from vehicle_agent.link import LinkState
from vehicle_agent.memory import Memory
from vehicle_agent.relevance import Pose
from vehicle_agent.sighting import Arrival
from vehicle_agent.sighting import Path as Way

from hazardcast.contract.digest import digest
from hazardcast.contract.incident_types import Severity
from hazardcast.contract.messages import Alert
from hazardcast.testing import ManualClock, SignedStation

HIGH_NEAR_MPS = 0.5


class Notes:
    """A reporter that only notes."""

    def __init__(self) -> None:
        self.announced: list[Announcement] = []
        self.irrelevants: list[Announcement] = []

    def announce(self, announcement: Announcement) -> None:
        self.announced.append(announcement)

    def irrelevant(self, announcement: Announcement) -> None:
        self.irrelevants.append(announcement)


class Vehicle:
    """An agent without threads, sockets or broker; `ahead_s` is what its clock is ahead."""

    def __init__(
        self, station: SignedStation, clock: ManualClock, folder: Path, *, pose: Pose | None = None
    ) -> None:
        self.station, self.clock, self.folder = station, clock, folder
        self.pose = pose or Pose()
        self.memory = Memory(folder)
        self.notes = Notes()
        self.agent = Agent(
            station.truststore(),
            memory=self.memory,
            reporter=self.notes,
            clock=clock,
            pose=self.pose,
            cruising_mps=20.0,
        )

    def hear(self, *texts: bytes, way: Way = "multicast", ahead_s: float = 0.0) -> None:
        for text in texts:
            now = self.clock.now() + ahead_s
            self.agent.receive(Arrival(text, "10.0.0.1", way, now, self.clock.monotonic()))

    @property
    def words(self) -> list[Word]:
        return [announcement.word for announcement in self.notes.announced]

    @property
    def speed(self) -> float | None:
        advice = self.agent.check(None).advice
        return advice.target_mps if advice else None

    def restarted(self) -> Vehicle:
        self.memory.note(self.agent.marks())
        self.memory.flush()
        self.memory.save_alerts(self.agent.changes() or [])
        return Vehicle(self.station, self.clock, self.folder, pose=self.pose)


@pytest.fixture
def station(clock: ManualClock) -> SignedStation:
    return SignedStation(clock=clock)


@pytest.fixture
def vehicle(station: SignedStation, clock: ManualClock, tmp_path: Path) -> Vehicle:
    return Vehicle(station, clock, tmp_path)


def later(station: SignedStation, alert: Alert, **changes: object) -> Alert:
    """The next version, made now."""
    now = station.clock.now()
    fields = {
        "status": "update",
        "revision": alert.revision + 1,
        "reference_time": now,
        "confirmed_at": now,
    }
    return alert.model_copy(update={**fields, **changes})


def test_a_burst_is_announced_once_with_its_first_copy(
    vehicle: Vehicle, station: SignedStation
) -> None:
    alert = station.alert()

    vehicle.hear(*(station.say(alert, copy=(i, 7)) for i in range(7)))

    (announcement,) = vehicle.notes.announced
    assert announcement.word is Word.NEW
    assert announcement.sighting is not None
    assert announcement.sighting.datagram.copy_ == (0, 7)
    assert not announcement.before_joining


def test_the_second_path_brings_what_the_radio_lost_and_nothing_twice(
    vehicle: Vehicle, station: SignedStation
) -> None:
    lost, both = station.say(station.alert(1)), station.say(station.alert(2))

    vehicle.hear(both)
    vehicle.hear(lost, both, way="mqtt")
    vehicle.hear(both)

    assert [a.alert.event_id for a in vehicle.notes.announced] == ["4097-2", "4097-1"]


def test_a_second_path_that_is_quicker_makes_the_radio_look_no_worse(
    vehicle: Vehicle, station: SignedStation
) -> None:
    vehicle.hear(station.heartbeat())
    for _ in range(10):
        text = station.say(station.alert(), copy=(0, 1))
        vehicle.hear(text, way="mqtt")
        vehicle.hear(text, text)

    (counters,) = vehicle.agent.counters()
    assert (counters.datagrams_expected, counters.datagrams_unique) == (11, 11)
    assert (counters.ticks_expected, counters.ticks_delivered) == (10, 10)


def test_a_life_from_new_to_cancel(
    vehicle: Vehicle, station: SignedStation, clock: ManualClock
) -> None:
    alert = station.alert(severity="medium", distance_m=2000.0)
    vehicle.hear(station.say(alert))
    assert vehicle.speed == 16.0

    clock.advance(1)
    update = later(station, alert, severity=Severity.CRITICAL)
    vehicle.hear(station.say(update), station.say(alert))
    assert vehicle.speed == 6.0

    clock.advance(1)
    vehicle.hear(station.say(later(station, update, status="cancel")), station.say(update))
    assert vehicle.speed is None
    assert vehicle.words == [Word.NEW, Word.UPDATE, Word.CANCEL]


def test_an_alert_expires_by_itself_and_releases_the_speed(
    vehicle: Vehicle, station: SignedStation, clock: ManualClock
) -> None:
    vehicle.hear(station.say(station.alert(validity_duration_s=30)))
    assert vehicle.speed == HIGH_NEAR_MPS

    clock.advance(30)

    assert vehicle.speed is None
    assert vehicle.words == [Word.NEW, Word.EXPIRED]


def test_a_cancel_of_what_was_never_heard_shows_nothing_and_lets_nothing_resurrect(
    vehicle: Vehicle, station: SignedStation, clock: ManualClock
) -> None:
    alert = station.alert()
    lost = station.say(alert)
    clock.advance(0.1)

    vehicle.hear(station.say(later(station, alert, status="cancel")), lost)

    assert vehicle.words == []
    assert len(vehicle.notes.irrelevants) == 1, "the alerter learns that it arrived"


def test_a_lost_link_holds_the_speed_for_a_while_and_then_releases_it(
    vehicle: Vehicle, station: SignedStation, clock: ManualClock
) -> None:
    vehicle.hear(station.say(station.alert()))

    clock.advance(36)
    assert vehicle.agent.check(None).link.state is LinkState.LOST
    assert vehicle.speed == HIGH_NEAR_MPS
    clock.advance(9)
    assert vehicle.speed is None
    vehicle.hear(station.heartbeat(active_count=1, active_digest="x"))
    assert vehicle.speed == HIGH_NEAR_MPS, "the station is back, and the alert still valid"


def test_a_restart_shows_no_alert_twice_and_keeps_no_ghost(
    vehicle: Vehicle, station: SignedStation
) -> None:
    alert = station.alert()
    vehicle.hear(station.say(alert))

    again = vehicle.restarted()

    assert again.speed is None
    again.hear(station.say(alert, copy=(0, 1)))
    assert again.words == []
    assert again.speed == HIGH_NEAR_MPS


def test_after_a_restart_the_end_is_still_shown(
    vehicle: Vehicle, station: SignedStation, clock: ManualClock
) -> None:
    alert = station.alert()
    vehicle.hear(station.say(alert))
    again = vehicle.restarted()
    clock.advance(5)

    again.hear(station.say(later(station, alert, status="cancel")))

    assert again.words == [Word.CANCEL]


def test_after_a_restart_a_recording_of_what_was_heard_shows_nothing(
    vehicle: Vehicle, station: SignedStation, clock: ManualClock
) -> None:
    recorded = [station.say(station.alert()), station.heartbeat()]
    vehicle.hear(*recorded)

    again = vehicle.restarted()
    (vehicle.folder / "alerts.json").unlink()
    again.hear(*recorded)

    assert again.words == []


def test_an_alert_that_does_not_concern_the_vehicle_is_acknowledged_not_shown(
    station: SignedStation, clock: ManualClock, tmp_path: Path
) -> None:
    vehicle = Vehicle(station, clock, tmp_path, pose=Pose(38.0, 127.0))
    alert = station.alert()

    vehicle.hear(
        station.say(alert), station.say(alert), station.say(later(station, alert, status="cancel"))
    )

    assert vehicle.words == []
    assert vehicle.speed is None
    assert len(vehicle.notes.irrelevants) == 2, "once for each version"


def test_a_vehicle_that_comes_near_is_told_at_the_next_repetition(
    station: SignedStation, clock: ManualClock, tmp_path: Path
) -> None:
    vehicle = Vehicle(station, clock, tmp_path, pose=Pose(38.0, 127.0))
    alert = station.alert()
    vehicle.hear(station.say(alert))

    vehicle.agent._pose = Pose(37.12, 127.12)
    vehicle.hear(station.say(alert), station.say(alert))

    assert vehicle.words == [Word.NEW]


@pytest.mark.parametrize("ahead_s", [5.0, -5.0])
def test_a_vehicle_whose_clock_is_off_informs_but_does_not_brake(
    vehicle: Vehicle, station: SignedStation, ahead_s: float
) -> None:
    alert = station.alert()

    vehicle.hear(station.say(alert), station.heartbeat(active_count=1), ahead_s=ahead_s)

    (announcement,) = vehicle.notes.announced
    assert announcement.sighting is not None
    assert not announcement.sighting.trusted
    assert vehicle.speed is None


@pytest.mark.parametrize("step_s", [5.0, -5.0])
def test_a_clock_set_while_driving_hides_no_alert(
    vehicle: Vehicle, station: SignedStation, step_s: float
) -> None:
    vehicle.hear(station.heartbeat())

    vehicle.hear(*(station.say(station.alert(), copy=(i, 7)) for i in range(7)), ahead_s=step_s)

    assert vehicle.words == [Word.NEW]
    assert vehicle.speed is None


@pytest.mark.parametrize("step_s", [5.0, -5.0])
def test_a_station_whose_clock_is_set_is_still_heard(
    vehicle: Vehicle, station: SignedStation, clock: ManualClock, step_s: float
) -> None:
    vehicle.hear(station.heartbeat())
    other = ManualClock(clock.now() + step_s)
    station.clock = other

    vehicle.hear(*(station.say(station.alert(), copy=(i, 7)) for i in range(7)))

    assert vehicle.words == [Word.NEW]
    assert vehicle.speed is None


def test_the_vehicle_acts_once_its_clock_is_right_again(
    vehicle: Vehicle, station: SignedStation
) -> None:
    alert = station.alert()
    vehicle.hear(station.say(alert), ahead_s=5.0)
    assert vehicle.speed is None

    vehicle.hear(station.say(alert, copy=(0, 1)))

    assert vehicle.words == [Word.NEW]
    assert vehicle.speed == HIGH_NEAR_MPS


def test_a_late_replay_is_refused_while_the_station_is_heard(
    vehicle: Vehicle, station: SignedStation, clock: ManualClock
) -> None:
    jammed = station.say(station.alert())
    vehicle.hear(station.heartbeat())
    clock.advance(10)
    vehicle.hear(station.heartbeat(), jammed)

    assert vehicle.words == []


def test_a_disciplined_clock_refuses_what_is_off_even_if_all_is(
    vehicle: Vehicle, station: SignedStation
) -> None:
    vehicle.agent.check(0.01)

    vehicle.hear(*(station.say(station.alert(), copy=(i, 7)) for i in range(7)), ahead_s=5.0)

    assert vehicle.words == []
    assert vehicle.agent.check(0.01).clock.disagrees


def digest_of(*alerts: Alert) -> dict[str, Any]:
    return {"active_count": len(alerts), "active_digest": digest(alerts)}


def test_a_cancel_that_was_lost_is_found_out_from_the_heartbeat(
    vehicle: Vehicle, station: SignedStation, clock: ManualClock
) -> None:
    over, going_on = station.alert(1), station.alert(2)
    vehicle.hear(station.say(over), station.say(going_on))
    for _ in range(40):
        clock.advance(0.5)
        vehicle.hear(station.say(going_on, copy=(0, 1)))

    vehicle.hear(station.heartbeat(**digest_of(going_on)))

    assert vehicle.words == [Word.NEW, Word.NEW, Word.WITHDRAWN]
    assert vehicle.notes.announced[-1].alert.event_id == "4097-1"


def test_a_lost_cancel_is_found_out_where_much_is_in_force_and_each_is_said_seldom(
    vehicle: Vehicle, station: SignedStation, clock: ManualClock
) -> None:
    alerts = [station.alert(number) for number in range(40)]
    over, going_on = alerts[:2], alerts[2:]
    vehicle.hear(*(station.say(alert) for alert in alerts))
    clock.advance(5.0)
    vehicle.hear(*(station.say(alert, copy=(0, 1)) for alert in going_on))
    clock.advance(20.0)

    vehicle.hear(station.heartbeat(**digest_of(*going_on)))

    assert vehicle.words == [Word.NEW] * 40 + [Word.WITHDRAWN] * 2
    ended = {one.alert.event_id for one in vehicle.notes.announced[-2:]}
    assert ended == {alert.event_id for alert in over}


@pytest.mark.parametrize("silent_s", [5, 20])
def test_a_heartbeat_that_proves_nothing_ends_nothing(
    vehicle: Vehicle, station: SignedStation, clock: ManualClock, silent_s: float
) -> None:
    alert = station.alert(1)
    vehicle.hear(station.say(alert))
    clock.advance(silent_s)

    vehicle.hear(station.heartbeat(**digest_of(alert)))
    vehicle.hear(station.heartbeat(active_count=1, active_digest="0123456789abcdef"))
    vehicle.hear(station.heartbeat(**digest_of(alert, station.alert(2))))

    assert vehicle.words == [Word.NEW]


def test_a_burst_just_begun_is_not_ended_by_a_heartbeat_that_crossed_it(
    vehicle: Vehicle, station: SignedStation
) -> None:
    vehicle.hear(station.say(station.alert()), station.heartbeat(**digest_of()))

    assert vehicle.words == [Word.NEW]


def test_a_station_whose_state_was_put_back_takes_no_accident_from_the_driver(
    vehicle: Vehicle, station: SignedStation, clock: ManualClock
) -> None:
    """It gives the number of the collision again, and its heartbeats know nothing of that one."""
    crash = station.alert(1, severity="critical")
    vehicle.hear(station.say(crash))
    clock.advance(40)
    station.epoch, station.seq = 2, 0
    fire = station.alert(1, type="fire", lat=37.4, distance_m=None)
    for _ in range(40):
        clock.advance(1)
        vehicle.hear(station.say(fire, copy=(0, 1)), station.heartbeat(**digest_of(fire)))

    assert vehicle.words == [Word.NEW, Word.NEW]
    assert vehicle.agent.check(None).in_force == 2
    assert vehicle.speed == HIGH_NEAR_MPS, "for the collision"
    clock.advance(1)
    vehicle.hear(station.say(later(station, fire, status="cancel")))
    assert vehicle.words[-1] is Word.CANCEL
    assert vehicle.speed == HIGH_NEAR_MPS


def test_a_cancel_lost_before_the_stations_restart_is_not_made_up_for_by_its_ignorance(
    vehicle: Vehicle, station: SignedStation, clock: ManualClock
) -> None:
    vehicle.hear(station.say(station.alert(1, validity_duration_s=300)))
    station.epoch, station.seq = 2, 0
    for _ in range(6):
        clock.advance(10)
        vehicle.hear(station.heartbeat())
    assert vehicle.words == [Word.NEW]

    clock.advance(240)
    assert vehicle.speed is None
    assert vehicle.words == [Word.NEW, Word.EXPIRED]


def test_an_alert_dated_ahead_slows_the_vehicle_no_longer_than_it_holds(
    vehicle: Vehicle, station: SignedStation, clock: ManualClock
) -> None:
    alert = station.alert(validity_duration_s=1800, detection_time=clock.now() + 7200)
    for _ in range(180):
        vehicle.hear(station.say(alert, copy=(0, 1)))
        clock.advance(10)
    assert vehicle.speed is None
    assert vehicle.words == [Word.NEW, Word.EXPIRED]
    vehicle.hear(station.say(alert, copy=(0, 1)))
    assert vehicle.words == [Word.NEW, Word.EXPIRED]


@pytest.mark.parametrize("text", ["[", '[{"station": 1}]', '[[1], {"station": "x"}, 7]', "\x00"])
def test_a_spoilt_memory_keeps_no_vehicle_from_running(
    station: SignedStation, clock: ManualClock, tmp_path: Path, text: str
) -> None:
    for name in ("alerts.json", "epochs.json"):
        (tmp_path / name).write_text(text)

    vehicle = Vehicle(station, clock, tmp_path)
    vehicle.hear(station.say(station.alert()))

    assert vehicle.words == [Word.NEW]


def test_what_the_driver_is_still_owed_is_shown_after_a_restart(
    vehicle: Vehicle, station: SignedStation
) -> None:
    alert = station.alert()
    vehicle.hear(station.say(alert))
    vehicle.memory.note(vehicle.agent.marks())
    vehicle.memory.flush()
    vehicle.memory.save_alerts(vehicle.agent.changes(frozenset({alert.event_id})) or [])
    assert vehicle.agent.changes(frozenset({alert.event_id})) is None
    again = Vehicle(station, vehicle.clock, vehicle.folder)

    again.hear(station.say(alert, copy=(0, 1)))

    assert again.words == [Word.NEW]
    assert vehicle.agent.changes() is not None, "it was shown meanwhile"


def test_what_a_revoked_key_signed_is_withdrawn(vehicle: Vehicle, station: SignedStation) -> None:
    vehicle.hear(station.say(station.alert()))

    vehicle.agent.trust(station.truststore("revoked"))

    assert vehicle.words == [Word.NEW, Word.WITHDRAWN]
    assert vehicle.speed is None


def test_a_late_joiner_learns_what_is_in_force_at_the_next_tick(
    vehicle: Vehicle, station: SignedStation, clock: ManualClock
) -> None:
    alert = station.alert()
    clock.advance(100)

    vehicle.hear(station.say(alert, copy=(0, 1)))

    (announcement,) = vehicle.notes.announced
    assert announcement.word is Word.NEW
    assert announcement.before_joining


def test_the_epoch_of_a_station_is_never_forgotten(
    vehicle: Vehicle, station: SignedStation
) -> None:
    before = station.say(station.alert())
    station.epoch, station.seq = 2, 0
    vehicle.hear(station.heartbeat())
    vehicle.memory.flush()

    crashed = Vehicle(station, vehicle.clock, vehicle.folder)
    crashed.hear(before)

    assert crashed.words == []


def test_hundreds_of_alerts_in_flight_are_each_announced_once(
    vehicle: Vehicle, station: SignedStation
) -> None:
    alerts = [station.alert(number) for number in range(300)]
    for _ in range(3):
        vehicle.hear(*(station.say(alert) for alert in alerts))

    assert len(vehicle.notes.announced) == 300
    assert vehicle.agent.check(None).in_force == 300
