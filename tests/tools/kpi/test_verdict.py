"""Evidence in, rows out: what holds, what does not, and what cannot be told."""

from __future__ import annotations

from typing import Any

import pytest
from hazardcast_tools.kpi.evidence import Evidence, Published
from hazardcast_tools.kpi.verdict import Row, Run, verdict

from hazardcast.contract.messages import ClipState, Receipt
from hazardcast.testing import ManualClock, SignedStation

CLOCK = ManualClock()
NOW = CLOCK.now()
BEGAN, ENDED = Published(NOW), Published(NOW + 60, ending=True)


def receipt(at: float, *, ticks: int, lost: int = 0, **changes: Any) -> Receipt:
    counters = {
        "station": 4097, "epoch": 1, "datagrams_expected": ticks + 10,
        "datagrams_unique": ticks + 10 - lost, "ticks_expected": ticks, "ticks_delivered": ticks - lost,
    }  # fmt: skip
    fields = {
        "vehicle": "v1", "event_id": "4097-1", "revision": 0, "status": "new",
        "result": "displayed", "station": 4097, "epoch": 1, "seq": 1, "copy": (0, 7),
        "path": "multicast", "tx": at + 0.002, "confirmed_at": at, "received_at": at + 0.003,
        "displayed_at": at + 0.010, "published_at": at + 0.012, "residence_s": 0.009,
        "display_s": 0.007, "clock_error_s": 0.001, "reception": [counters],
    }  # fmt: skip
    return Receipt.parse({**fields, **changes})


def judged(*receipts: tuple[Receipt, float], **more: Any) -> dict[str, Row]:
    evidence = Evidence()
    for one, heard_at in receipts:
        evidence.receipt(one, heard_at)
    run = Run(["v1"], BEGAN, ENDED, [])
    rows = verdict(run, evidence, more.get("deadline"), clip=False)
    return {row.what: row for row in rows}


def good(lost: int = 0, **changes: Any) -> dict[str, Row]:
    return judged(
        (receipt(NOW, ticks=1, **changes), NOW + 0.015),
        (receipt(NOW + 60, ticks=121, lost=lost, **changes), NOW + 60.015),
    )


BOUND = "confirmed → console, at most (round trip, no clocks compared)"
ONE_WAY = "confirmed → console, one way (synchronised clocks)"


def test_120_of_120_ticks_pass_and_say_how_little_that_proves() -> None:
    row = good()["v1: ticks received"]
    assert row.holds
    assert "120 of 120" in row.found
    assert row.proves == "proves ≥ 97.5 % at 95% confidence; 299 with 0 missed would prove 99 %"


@pytest.mark.parametrize(("lost", "holds"), [(1, True), (2, False)])
def test_two_ticks_of_120_are_too_many(lost: int, holds: bool) -> None:
    assert good(lost)["v1: ticks received"].holds is holds


def test_the_bound_takes_the_round_trip_less_what_came_after_the_line() -> None:
    values = good()[BOUND].values
    assert values
    assert values["max_ms"] == pytest.approx(13.0, abs=0.01)


def test_one_way_is_told_with_its_error_and_apart_from_the_bound() -> None:
    row = good()[ONE_WAY]
    assert row.holds
    assert "max 10.0 ms" in row.found
    assert "± 1.0 ms" in row.found


def test_without_a_synchronised_clock_one_way_is_not_told() -> None:
    rows = good(clock_error_s=None)
    assert rows[ONE_WAY].holds is None
    assert "not measured" in rows[ONE_WAY].found
    assert rows[BOUND].holds


def test_an_alert_shown_late_fails() -> None:
    rows = judged((receipt(NOW, ticks=1), NOW + 0.7), (receipt(NOW + 60, ticks=121), NOW + 60.015))
    assert rows[BOUND].holds is False


def test_a_vehicle_that_stays_silent_fails_everything_it_owes() -> None:
    rows = judged((receipt(NOW, ticks=1), NOW + 0.015))
    assert rows["versions shown on the vehicles' consoles"].holds is False
    assert rows[BOUND].holds is False
    assert rows["v1: reception"].holds is False


def test_the_sender_s_own_count_is_believed_before_the_vehicles() -> None:
    """A vehicle that does not know of what it missed would report 100 %."""
    station, evidence = SignedStation(clock=CLOCK), Evidence()
    evidence.receipt(receipt(NOW, ticks=1), NOW + 0.015)
    evidence.receipt(receipt(NOW + 60, ticks=101), NOW + 60.015)
    first, last = (station.alert(confirmed_at=one.confirmed_at) for one in (BEGAN, ENDED))
    evidence.datagram(station.say(first).decode())
    for _ in range(119):
        evidence.datagram(station.say(first).decode())
    evidence.datagram(station.say(last).decode())

    rows = {
        row.what: row for row in verdict(Run(["v1"], BEGAN, ENDED, []), evidence, None, clip=False)
    }

    assert rows["v1: ticks received"].holds is False
    assert "100 of 120; sender says 120" in rows["v1: ticks received"].found


def test_who_is_not_concerned_owes_no_line() -> None:
    rows = judged(
        (receipt(NOW, ticks=1), NOW + 0.015),
        (receipt(NOW + 60, ticks=121, result="irrelevant"), NOW + 60.015),
    )
    assert rows["versions shown on the vehicles' consoles"].found == "1 of 1"


@pytest.mark.parametrize(
    ("state", "coverage", "holds"),
    [("ready", 1.0, True), ("partial", 1.0, False), ("ready", 0.98, False)],
)
def test_only_a_whole_clip_holds(state: str, coverage: float, holds: bool) -> None:
    evidence = Evidence(published={NOW: BEGAN})
    evidence.alert(SignedStation(clock=CLOCK).alert(confirmed_at=NOW), NOW + 0.01)
    window = {"start": NOW, "end": NOW + 1}
    evidence.clip(
        ClipState.parse(
            {"event_id": "4097-1", "camera": "north", "state": state, "requested": window,
             "updated_at": NOW, "coverage": coverage}
        )
    )  # fmt: skip
    rows = verdict(Run(["v1"], BEGAN, ENDED, []), evidence, None, clip=True)
    assert rows[-1].holds is holds


def test_what_the_alerter_counts_as_lost_fails() -> None:
    rows = judged(deadline={"met": 3.0, "missed": 0.0, "lost": 1.0})
    assert rows["alerter's own count of versions per vehicle"].holds is False


@pytest.mark.parametrize("text", ["", "a.b", "..", "é.é.é", "e30.e30.e30", "a.%%%.c"])
def test_garbage_on_the_second_path_is_not_counted(text: str) -> None:
    evidence = Evidence()
    evidence.datagram(text)
    assert not evidence.ticks_sent
