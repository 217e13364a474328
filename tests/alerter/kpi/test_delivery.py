from __future__ import annotations

from typing import Any

import pytest
from alerter.kpi import delivery
from alerter.kpi.delivery import LossReports
from alerter.kpi.fleet import Fleet
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.contract.messages import Receipt, ReceptionCounters, ServiceStatus

NOW = 1_800_000_000.0
STATION, EPOCH = 4097, 7


def receipt(**changes: Any) -> Receipt:
    """Confirmed at 0, sent at 10 ms, received 20 ms later, shown after 5 ms, receipt after 8 ms."""
    fields: dict[str, Any] = {
        "vehicle": "car-1", "event_id": "4097-1", "revision": 0, "status": "new",
        "result": "displayed", "station": STATION, "epoch": EPOCH, "seq": 3, "copy_": (0, 7),
        "path": "multicast", "tx": NOW + 0.010, "confirmed_at": NOW, "received_at": NOW + 0.030,
        "displayed_at": NOW + 0.035, "published_at": NOW + 0.038, "residence_s": 0.008,
        "display_s": 0.005,
    }  # fmt: skip
    return Receipt(**{**fields, **changes})


def counters(expected: int, unique: int, ticks: tuple[int, int] = (0, 0)) -> ReceptionCounters:
    return ReceptionCounters(
        station=STATION, epoch=EPOCH, datagrams_expected=expected, datagrams_unique=unique,
        ticks_expected=ticks[0], ticks_delivered=ticks[1],
    )  # fmt: skip


def status(
    vehicle: str, state: str = "online", service: str = "vehicle-agent", boot: str | None = None
) -> ServiceStatus:
    detail = {"boot": boot} if boot else {}
    fields = {"service": service, "instance": vehicle, "state": state, "version": "1", "ts": NOW}
    return ServiceStatus.parse({**fields, "detail": detail})


def test_the_bound_is_both_ways_and_no_vehicle_clock_enters_it() -> None:
    proven = delivery.latency(receipt(), received_at=NOW + 0.060)
    assert proven is not None
    assert proven.rtt_bound_s == pytest.approx(0.010 + 0.042 + 0.005, abs=1e-6)
    lying = receipt(received_at=NOW + 9e5, displayed_at=NOW + 9e5, published_at=NOW + 9e5)
    assert delivery.latency(lying, received_at=NOW + 0.060) == proven


@given(
    there=st.floats(0, 2), back=st.floats(0, 2), shown=st.floats(0, 1), rest=st.floats(0, 1),
    to_send=st.floats(0, 1), offset=st.floats(-1000, 1000),
)  # fmt: skip
def test_the_bound_is_never_below_the_truth(
    there: float, back: float, shown: float, rest: float, to_send: float, offset: float
) -> None:
    tx = NOW + to_send
    answer = receipt(
        tx=tx, display_s=shown, residence_s=shown + rest, received_at=tx + there + offset,
        displayed_at=tx + there + shown + offset,
    )  # fmt: skip
    proven = delivery.latency(answer, received_at=tx + there + shown + rest + back)
    assert proven is not None
    assert proven.rtt_bound_s >= to_send + there + shown - 1e-5
    assert proven.synced_s is None


@pytest.mark.parametrize(
    ("error_s", "told"), [(None, False), (0.0, True), (0.04, True), (0.2, False)]
)
def test_synced_is_told_only_where_the_vehicle_vouches_for_its_clock(
    error_s: float | None, told: bool
) -> None:
    proven = delivery.latency(receipt(clock_error_s=error_s), received_at=NOW + 0.06)
    assert proven is not None
    assert proven.synced_s == (pytest.approx(0.035, abs=1e-6) if told else None)


@pytest.mark.parametrize(
    "impossible", [{"residence_s": 5.0}, {"display_s": -0.1}, {"display_s": 0.5}, {"tx": NOW + 9.0}]
)
def test_times_that_contradict_each_other_prove_nothing(impossible: dict[str, float]) -> None:
    assert delivery.latency(receipt(**impossible), received_at=NOW + 0.06) is None


def test_half_a_second_is_in_time_and_more_is_not() -> None:
    late = delivery.latency(receipt(), received_at=NOW + 0.51)
    good = delivery.latency(receipt(), received_at=NOW + 0.50)
    assert late is not None
    assert good is not None
    assert (good.in_time, late.in_time) == (True, False)


def test_growth_is_counted_once_and_a_restarted_vehicle_counts_anew() -> None:
    reports = LossReports(station=STATION, epoch=EPOCH)
    grown = [
        reports.take(receipt(reception=(entry,)), float(at))
        for at, entry in enumerate(
            [counters(10, 9, (4, 4)), counters(30, 28, (9, 8)), counters(5, 5, (2, 2))]
        )
    ]
    assert [(g.datagrams_expected, g.datagrams_unique) for g in grown] == [
        (10, 9),
        (20, 19),
        (5, 5),
    ]
    assert [(g.ticks_expected, g.ticks_delivered) for g in grown] == [(4, 4), (5, 4), (2, 2)]


def test_another_epoch_or_station_is_not_counted() -> None:
    reports = LossReports(station=STATION, epoch=EPOCH + 1)
    assert reports.take(receipt(reception=(counters(10, 0),)), 0.0) == delivery.Counted()
    assert reports.worst(0.0) == 0.0


def test_the_worst_vehicle_of_the_last_minute_decides() -> None:
    reports = LossReports(station=STATION, epoch=EPOCH)
    reports.take(receipt(vehicle="a", reception=(counters(100, 100),)), 0.0)
    reports.take(receipt(vehicle="b", reception=(counters(100, 80),)), 10.0)
    assert reports.worst(20.0) == pytest.approx(0.2)
    assert reports.worst(71.0) == 0.0


def test_a_vehicle_that_was_there_owes_a_receipt_and_silence_is_a_loss() -> None:
    fleet = Fleet()
    for vehicle in ("a", "b"):
        fleet.status(status(vehicle), 0.0)
    fleet.sent(("4097-1", 0), 1.0)
    assert fleet.received(receipt(vehicle="a"), 1.1) == "first"
    assert fleet.received(receipt(vehicle="a"), 1.2) == "again"
    assert fleet.lost(10.9) == 0
    assert fleet.lost(11.0) == 1
    assert fleet.lost(12.0) == 0


def test_a_late_joiner_is_no_latency_but_one_with_a_burst_copy_was_there() -> None:
    fleet = Fleet()
    fleet.sent(("4097-1", 0), 0.0)
    assert fleet.received(receipt(vehicle="late", copy_=(0, 1)), 60.0) == "late_joiner"
    assert fleet.received(receipt(vehicle="quiet", copy_=(2, 7)), 0.2) == "first"


def test_a_vehicle_that_stopped_or_fell_silent_owes_nothing() -> None:
    fleet = Fleet()
    fleet.status(status("a"), 0.0)
    fleet.sent(("4097-1", 0), 1.0)
    fleet.status(status("a", "stopped"), 2.0)
    fleet.status(status("b"), 3.0)
    fleet.sent(("4097-2", 0), 100.0)
    assert fleet.lost(200.0) == 0
    assert fleet.online == frozenset()


def test_a_vehicle_that_died_still_owes_what_was_sent_while_it_was_there() -> None:
    fleet = Fleet()
    fleet.status(status("a"), 0.0)
    fleet.status(status("rec", service="recorder"), 0.0)
    fleet.sent(("4097-1", 0), 1.0)
    fleet.status(status("a", "offline"), 2.0)
    assert fleet.lost(20.0) == 1


def test_a_receipt_for_what_this_process_did_not_announce_is_not_judged() -> None:
    assert Fleet().received(receipt(), 0.0) == "unknown"


def twins() -> Fleet:
    """Two vehicles of one name, both of which say again that they are there."""
    fleet = Fleet()
    for at, boot in enumerate(["one", "other", "one", "other"]):
        fleet.status(status("a", boot=boot), float(at))
    return fleet


def test_two_vehicles_of_one_name_are_two_and_the_one_that_hears_nothing_is_missed() -> None:
    fleet = twins()
    assert fleet.given_twice == {"a"}
    assert len(fleet.online) == 2

    fleet.sent(("4097-1", 0), 4.0)

    assert fleet.received(receipt(vehicle="a", boot="one"), 4.1) == "first"
    assert fleet.received(receipt(vehicle="a", boot="one"), 4.2) == "again"
    assert fleet.lost(20.0) == 1


def test_the_end_of_one_of_two_is_not_the_others() -> None:
    fleet = twins()

    fleet.status(status("a", "offline", boot="one"), 5.0)

    assert fleet.online == {("a", "other")}
    assert not fleet.given_twice


def test_a_vehicle_that_was_started_anew_is_one_and_owes_what_it_owed() -> None:
    fleet = Fleet()
    fleet.status(status("a", boot="before"), 0.0)
    fleet.sent(("4097-1", 0), 1.0)

    fleet.status(status("a", boot="after"), 2.0)
    fleet.status(status("a", "offline", boot="before"), 3.0)

    assert fleet.online == {("a", "after")}
    assert not fleet.given_twice
    assert fleet.received(receipt(vehicle="a", boot="after"), 4.0) == "first"
    assert fleet.lost(20.0) == 0


def test_what_a_broker_that_was_put_back_retains_is_no_second_vehicle() -> None:
    fleet = Fleet()
    for at, boot in enumerate(["before", "after"]):
        fleet.status(status("a", boot=boot), float(at))

    fleet.status(status("a", boot="before"), 2.0, retained=True)

    assert fleet.online == {("a", "after")}


def test_a_name_is_given_twice_no_more_when_one_of_two_falls_silent() -> None:
    fleet = twins()

    for at in range(30, 150, 30):
        fleet.status(status("a", boot="one"), float(at))

    assert fleet.online == {("a", "one")}


def test_counters_of_two_of_one_name_are_not_mixed() -> None:
    reports = LossReports(station=STATION, epoch=EPOCH)
    for boot, (expected, unique) in {"one": (100, 100), "other": (200, 100)}.items():
        reports.take(receipt(boot=boot, reception=(counters(0, 0),)), 0.0)
        reports.take(receipt(boot=boot, reception=(counters(expected, unique),)), 1.0)

    assert reports.worst(2.0) == 0.5
