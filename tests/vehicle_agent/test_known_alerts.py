from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vehicle_agent.known_alerts import LINGER_S, Hearing, KnownAlerts, Outcome

from hazardcast.catalogue import Severity
from hazardcast.messages import Alert
from hazardcast.testing import ManualClock, SignedStation


class Ear:
    """Known alerts at a clock that the station shares, `behind_s` apart from the vehicle's."""

    def __init__(self, clock: ManualClock, most: int = 100) -> None:
        self.clock = clock
        self.known = KnownAlerts(most)

    def hear(self, alert: Alert, *, station: int = 4097, sent_ago_s: float = 0.0) -> Outcome:
        hearing = Hearing(
            station=station, tx=self.clock.now() - sent_ago_s, monotonic=self.clock.monotonic()
        )
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
