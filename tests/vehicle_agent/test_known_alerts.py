from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vehicle_agent.known_alerts import LINGER_S, MAX_NAMESAKES, Hearing, KnownAlerts, Outcome

from hazardcast.contract.incident_types import Severity
from hazardcast.contract.messages import Alert
from hazardcast.testing import ManualClock, SignedStation


class Ear:
    """Known alerts at a clock that the station shares, `behind_s` apart from the vehicle's."""

    def __init__(self, clock: ManualClock, most: int = 100) -> None:
        self.clock = clock
        self.known = KnownAlerts(most)

    def hear(
        self, alert: Alert, *, station: int = 4097, sent_ago_s: float = 0.0, epoch: int = 1
    ) -> Outcome:
        tx, monotonic = self.clock.now() - sent_ago_s, self.clock.monotonic()
        hearing = Hearing(station=station, tx=tx, monotonic=monotonic, epoch=epoch)
        return self.known.observe(alert, hearing)

    @property
    def in_force(self) -> list[str]:
        return [known.event_id for known in self.known.in_force()]

    def expired(self) -> list[str]:
        return [known.event_id for known in self.known.expire(self.clock.monotonic())]

    def restarted(self) -> Ear:
        now, monotonic = self.clock.now(), self.clock.monotonic()
        kept = json.loads(json.dumps(self.known.remember(now=now, monotonic=monotonic)))
        other = Ear(self.clock)
        other.known.recall(kept, now=now, monotonic=monotonic)
        return other


@pytest.fixture
def ear(clock: ManualClock) -> Ear:
    return Ear(clock)


@pytest.fixture
def station(clock: ManualClock) -> SignedStation:
    return SignedStation(clock=clock)


def later(alert: Alert, by_s: float = 1.0, **changes: object) -> Alert:
    """The next version of `alert`."""
    fields = {"status": "update", "revision": alert.revision + 1, **changes}
    return alert.model_copy(update={"reference_time": alert.reference_time + by_s, **fields})


def test_an_unknown_event_is_new_and_its_repetition_is_not(
    ear: Ear, station: SignedStation
) -> None:
    alert = station.alert()

    assert ear.hear(alert) is Outcome.NEW
    assert ear.hear(alert) is Outcome.REPETITION
    assert ear.in_force == ["4097-1"]


def test_a_later_version_updates_and_the_earlier_one_is_old(
    ear: Ear, station: SignedStation
) -> None:
    alert = station.alert()
    update = later(alert, severity=Severity.CRITICAL)
    ear.hear(alert)

    assert ear.hear(update) is Outcome.UPDATE
    assert ear.hear(alert) is Outcome.OLD
    known = ear.known.get(4097, "4097-1")
    assert known is not None
    assert known.alert == update


def test_a_version_detected_earlier_than_the_known_one_is_old(
    ear: Ear, station: SignedStation
) -> None:
    alert = station.alert()
    ear.hear(alert)

    assert ear.hear(later(alert, detection_time=alert.detection_time - 1)) is Outcome.OLD


@pytest.mark.parametrize(
    ("status", "by_s", "outcome"),
    [
        ("cancel", 1.0, Outcome.CANCEL),
        ("negate", 0.0, Outcome.NEGATE),
        ("negate", 1.0, Outcome.NEGATE),
    ],
)
def test_a_termination_ends_the_event_once(
    ear: Ear, station: SignedStation, status: str, by_s: float, outcome: Outcome
) -> None:
    alert = station.alert()
    end = later(alert, by_s, status=status)
    ear.hear(alert)

    assert ear.hear(end) is outcome
    assert ear.hear(end) is Outcome.REPETITION
    assert ear.in_force == []


@pytest.mark.parametrize(("status", "by_s"), [("cancel", 1.0), ("negate", 0.0)])
def test_what_ended_before_it_was_heard_of_stays_ended(
    ear: Ear, station: SignedStation, status: str, by_s: float
) -> None:
    alert = station.alert()

    assert ear.hear(later(alert, by_s, status=status)) is Outcome.TOMBSTONE
    assert ear.hear(alert) is Outcome.OLD
    assert ear.in_force == []


def test_a_cancelled_event_that_goes_on_after_all_is_new(ear: Ear, station: SignedStation) -> None:
    alert = station.alert()
    ear.hear(alert)
    ear.hear(later(alert, 1, status="cancel"))

    assert ear.hear(later(alert, 2)) is Outcome.NEW
    assert ear.in_force == ["4097-1"]


def test_an_alert_past_its_validity_is_dropped(ear: Ear, station: SignedStation) -> None:
    alert = station.alert(validity_duration_s=300, detection_time=station.clock.now() - 301)

    assert ear.hear(alert) is Outcome.EXPIRED
    assert len(ear.known) == 0


def test_validity_counts_from_detection_and_is_not_restarted_by_repetition(
    ear: Ear, station: SignedStation, clock: ManualClock
) -> None:
    alert = station.alert(validity_duration_s=300)
    clock.advance(200)
    ear.hear(alert)
    clock.advance(99)
    ear.hear(alert)
    assert ear.expired() == []

    clock.advance(1)

    assert ear.expired() == ["4097-1"]
    assert ear.expired() == [], "told once"
    assert ear.in_force == []


def test_an_update_restarts_the_validity_with_what_remains_of_its_own(
    ear: Ear, station: SignedStation, clock: ManualClock
) -> None:
    alert = station.alert(validity_duration_s=300)
    ear.hear(alert)
    clock.advance(100)
    ear.hear(later(alert, validity_duration_s=600))
    clock.advance(499)
    assert ear.expired() == []
    clock.advance(1)
    assert ear.expired() == ["4097-1"]


def test_setting_the_wall_clock_neither_ends_an_alert_nor_keeps_it(
    ear: Ear, station: SignedStation, clock: ManualClock
) -> None:
    ear.hear(station.alert(validity_duration_s=300))

    clock.step(3600)
    assert ear.expired() == []
    clock.step(-7200)
    clock.advance(300)
    assert ear.expired() == ["4097-1"]


def test_an_expired_event_is_not_revived_by_a_straggler(
    ear: Ear, station: SignedStation, clock: ManualClock
) -> None:
    """The vehicle's clock may run a little ahead of the station's."""
    alert = station.alert(validity_duration_s=300)
    ear.hear(alert)
    clock.advance(300)
    ear.expired()

    assert ear.hear(alert, sent_ago_s=0.2) is Outcome.EXPIRED
    assert ear.in_force == []


def test_ended_events_are_forgotten_after_a_while(
    ear: Ear, station: SignedStation, clock: ManualClock
) -> None:
    alert = station.alert(validity_duration_s=300)
    ear.hear(alert)
    ear.hear(later(alert, status="cancel"))
    clock.advance(300 + LINGER_S)
    ear.expired()

    assert len(ear.known) == 0


def test_no_station_touches_the_events_of_another(ear: Ear, station: SignedStation) -> None:
    alert = station.alert()
    ear.hear(alert)

    assert ear.hear(later(alert, status="cancel"), station=4098) is Outcome.TOMBSTONE
    assert ear.in_force == ["4097-1"]


def test_memory_is_bounded_and_what_is_over_goes_first(clock: ManualClock) -> None:
    ear, station = Ear(clock, most=10), SignedStation(clock=clock)
    lasting = station.alert(1, validity_duration_s=1800)
    ear.hear(lasting)
    for number in range(2, 500):
        alert = station.alert(number, validity_duration_s=300 + number)
        ear.hear(alert)
        ear.hear(later(alert, status="cancel"))

    assert len(ear.known) == 10
    assert ear.in_force == ["4097-1"]


def test_after_a_restart_a_shown_alert_is_resumed_not_new(
    ear: Ear, station: SignedStation, clock: ManualClock
) -> None:
    alert = station.alert()
    ear.hear(alert)
    known = ear.known.get(4097, "4097-1")
    assert known is not None
    known.shown = True

    again = ear.restarted()

    assert again.in_force == [], "no ghost: nothing is in force before the station says so"
    assert again.hear(alert) is Outcome.RESUMED
    assert again.hear(alert) is Outcome.REPETITION
    assert again.in_force == ["4097-1"]
    resumed = again.known.get(4097, "4097-1")
    assert resumed is not None
    assert resumed.shown


def test_after_a_restart_a_tombstone_still_holds(ear: Ear, station: SignedStation) -> None:
    alert = station.alert()
    ear.hear(later(alert, status="cancel"))

    assert ear.restarted().hear(alert) is Outcome.OLD


def test_after_a_restart_a_later_version_is_an_update_or_end(
    ear: Ear, station: SignedStation
) -> None:
    alert = station.alert()
    ear.hear(alert)

    assert ear.restarted().hear(later(alert)) is Outcome.UPDATE
    assert ear.restarted().hear(later(alert, status="cancel")) is Outcome.CANCEL


def test_what_ran_out_during_a_restart_is_not_remembered(
    ear: Ear, station: SignedStation, clock: ManualClock
) -> None:
    ear.hear(station.alert(validity_duration_s=300))
    kept = ear.known.remember(now=clock.now(), monotonic=clock.monotonic())
    clock.advance(301)
    other = KnownAlerts()

    other.recall(kept, now=clock.now(), monotonic=clock.monotonic())

    assert len(other) == 0


def restored(station: SignedStation, **changes: object) -> Alert:
    """The next event of a station whose state was put back: its number was given before."""
    station.clock.advance(30)  # type: ignore[attr-defined]
    return station.alert(1, **{"type": "fire", "lat": 37.4, **changes})


def test_a_number_given_twice_is_two_events_and_is_logged(
    ear: Ear, station: SignedStation, caplog: pytest.LogCaptureFixture
) -> None:
    crash = station.alert(1, severity="critical")
    ear.hear(crash)
    fire = restored(station)

    assert ear.hear(fire, epoch=2) is Outcome.NEW
    assert ear.hear(fire, epoch=2) is Outcome.REPETITION
    assert ear.in_force == ["4097-1", "4097-1"]
    assert {known.alert for known in ear.known.in_force()} == {crash, fire}
    assert [record.message for record in caplog.records] == ["one number for two events: both are kept"]  # fmt: skip

    assert ear.hear(later(fire, status="cancel"), epoch=2) is Outcome.CANCEL
    assert [known.alert for known in ear.known.in_force()] == [crash]


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "collision", "lat": 37.12345},
        {"type": "collision", "lat": 37.4},
        {"type": "fire", "lat": 37.12345},
    ],
)
def test_whatever_a_later_epoch_opens_is_another_event(
    ear: Ear, station: SignedStation, changes: dict[str, object]
) -> None:
    ear.hear(station.alert(1))

    assert ear.hear(restored(station, **changes), epoch=2) is Outcome.NEW
    assert len(ear.in_force) == 2


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, Outcome.NEW),
        ({"type": "collision", "lat": 37.4}, Outcome.NEW),
        ({"type": "rollover", "lat": 37.12346}, Outcome.UPDATE),
        ({"type": "unknown", "lat": 37.12346}, Outcome.UPDATE),
        ({"type": "collision", "lat": 37.12346, "status": "cancel"}, Outcome.CANCEL),
        ({"status": "cancel"}, Outcome.TOMBSTONE),
    ],
)
def test_an_update_of_a_later_epoch_is_the_same_event_only_if_it_is_like_it(
    ear: Ear, station: SignedStation, changes: dict[str, object], outcome: Outcome
) -> None:
    """A station may date its event anew when it starts with another clock; a namesake is far off."""
    ear.hear(station.alert(1))

    heard = restored(station, **{"status": "update", "revision": 3, **changes})
    assert ear.hear(heard, epoch=2) is outcome


def test_a_namesake_detected_earlier_is_no_old_word(ear: Ear, station: SignedStation) -> None:
    ear.hear(station.alert(1))
    earlier = station.clock.now() - 60

    assert ear.hear(restored(station, detection_time=earlier), epoch=2) is Outcome.NEW


def test_an_event_that_goes_on_in_the_stations_next_epoch_is_the_same(
    ear: Ear, station: SignedStation
) -> None:
    alert = station.alert()
    ear.hear(alert)

    assert ear.hear(alert, epoch=2) is Outcome.REPETITION
    assert ear.hear(later(alert), epoch=2) is Outcome.UPDATE
    assert len(ear.known) == 1


def test_a_number_given_twice_is_two_events_after_a_restart_too(
    ear: Ear, station: SignedStation
) -> None:
    crash = station.alert(1)
    ear.hear(crash)
    again = ear.restarted()

    assert again.hear(restored(station, status="update"), epoch=2) is Outcome.NEW
    assert again.hear(crash, epoch=1) is Outcome.RESUMED
    assert len(again.in_force) == 2


def test_a_station_that_gives_one_number_again_and_again_takes_no_room(
    ear: Ear, station: SignedStation
) -> None:
    for epoch in range(50):
        ear.hear(restored(station, lat=20 + epoch), epoch=epoch)

    assert len(ear.known) == MAX_NAMESAKES


def test_an_alert_dated_ahead_of_its_stations_clock_ends_after_its_validity(
    ear: Ear, station: SignedStation, clock: ManualClock
) -> None:
    """The station's clock was two hours fast and was set back."""
    alert = station.alert(validity_duration_s=1800, detection_time=clock.now() + 7200)
    ear.hear(alert)
    for _ in range(1799):
        clock.advance(1)
        ear.hear(alert)
    assert ear.expired() == []
    clock.advance(1)

    assert ear.expired() == ["4097-1"]
    for _ in range(7200 // 30):
        assert ear.hear(alert) is Outcome.EXPIRED, "and is no new one, as long as it is said"
        clock.advance(30)
        ear.expired()


@pytest.mark.parametrize("step_s", [7200.0, -7200.0])
def test_a_station_whose_clock_is_set_neither_ends_an_alert_nor_keeps_it(
    ear: Ear, station: SignedStation, clock: ManualClock, step_s: float
) -> None:
    alert = station.alert(validity_duration_s=1800)
    ear.hear(alert)
    clock.advance(4)

    assert ear.hear(alert, sent_ago_s=-step_s) is Outcome.REPETITION
    update = later(alert, max(step_s, 1.0))
    assert ear.hear(update, sent_ago_s=-step_s) is Outcome.UPDATE
    assert ear.in_force == ["4097-1"]
    clock.advance(1801)
    assert ear.expired() == ["4097-1"]


def test_a_cancel_that_is_late_by_a_clock_that_was_set_still_ends_the_event(
    ear: Ear, station: SignedStation
) -> None:
    alert = station.alert(validity_duration_s=1800)
    ear.hear(alert)

    assert ear.hear(later(alert, 7200, status="cancel"), sent_ago_s=-7200) is Outcome.CANCEL
    assert ear.in_force == []


def test_at_the_limit_a_grave_alert_in_force_is_kept_and_nothing_is_told_twice(
    clock: ManualClock,
) -> None:
    ear, station = Ear(clock, most=20), SignedStation(clock=clock)
    crash = station.alert(0, severity="critical", camera="north")
    ear.hear(crash)
    flood = [station.alert(n, severity="low", camera=f"camera-{n % 7}") for n in range(1, 60)]
    for alert in flood:
        ear.hear(alert)
    kept = set(ear.in_force)
    for alert in [crash, *flood]:
        ear.hear(alert)

    assert len(kept) == 20
    assert "4097-0" in kept
    assert set(ear.in_force) == kept


def test_a_boot_in_1970_keeps_what_was_known_no_longer_than_it_holds(
    ear: Ear, station: SignedStation, clock: ManualClock
) -> None:
    ear.hear(later(station.alert(validity_duration_s=300), status="cancel"))
    clock.step(-clock.now())

    again = ear.restarted()
    kept = json.loads(json.dumps(ear.known.remember(now=1.8e9, monotonic=clock.monotonic())))
    again.known.recall(kept, now=clock.now(), monotonic=clock.monotonic())

    assert len(again.known) >= 1
    clock.advance(300 + LINGER_S)
    again.expired()
    assert len(again.known) == 0


@pytest.mark.parametrize(
    "spoilt",
    [
        {},
        {"station": "x"},
        {"detection_time": None},
        {"valid_until": float("nan")},
        {"reference_time": float("inf")},
        {"epoch": 1, "type": "flood", "at": [1, 2]},
        {"epoch": 1, "type": "fire", "at": [1]},
        {"epoch": 1, "type": "fire", "at": None},
    ],
)
def test_a_spoilt_memory_costs_what_is_spoilt_alone(
    ear: Ear, station: SignedStation, clock: ManualClock, spoilt: dict[str, object]
) -> None:
    ear.hear(station.alert(1))
    now, monotonic = clock.now(), clock.monotonic()
    (kept,) = ear.known.remember(now=now, monotonic=monotonic)
    other = KnownAlerts()

    other.recall([{**kept, **spoilt} if spoilt else {}, kept], now=now, monotonic=monotonic)

    assert other.get(4097, "4097-1") is not None


VERSIONS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 5), st.sampled_from(["new", "update", "cancel", "negate"])),
    max_size=40,
)  # fmt: skip


@given(VERSIONS, st.randoms())
def test_the_order_of_arrival_never_changes_the_end(
    versions: list[tuple[int, int, str]], chance: object
) -> None:
    """Whatever the network does to the order, the newest version decides."""
    clock = ManualClock()
    station = SignedStation(clock=clock)
    alerts = [
        later(station.alert(event), reference, status=status)
        for event, reference, status in versions
    ]
    shuffled = list(alerts)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    newest: dict[str, tuple[float, bool]] = {}
    ear = Ear(clock)
    for alert in shuffled:
        ear.hear(alert)
        version = (alert.reference_time, alert.terminated)
        newest[alert.event_id] = max(newest.get(alert.event_id, version), version)

    assert set(ear.in_force) == {event for event, (_, ended) in newest.items() if not ended}
