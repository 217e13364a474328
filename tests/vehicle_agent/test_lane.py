"""What gives way at a limit, and a lane on which nothing takes anything else along."""

from __future__ import annotations

import threading

import pytest
from vehicle_agent.fault import SAID_EVERY_S, Fault
from vehicle_agent.giving_way import Claim, first_to_go, gravity
from vehicle_agent.lane import Lane

from hazardcast.testing import ManualClock, SignedStation, eventually

NORTH, SOUTH = (4097, "north"), (4097, "south")


def test_the_slight_gives_way_before_the_grave_and_the_older_before_the_newer() -> None:
    claims = [Claim(NORTH, 4), Claim(NORTH, 1), Claim(SOUTH, 1), Claim(SOUTH, 3)]

    assert first_to_go(claims, 40)[0] is claims[1]


def test_what_is_over_gives_way_before_all_else() -> None:
    claims = [Claim(SOUTH, 1), Claim(NORTH, 4, over=True), Claim(SOUTH, 1)]

    assert first_to_go(claims, 2) == [claims[1]]


def test_who_holds_more_than_a_tenth_gives_way_whatever_it_calls_its_own() -> None:
    flood = [Claim(NORTH, 4) for _ in range(30)]
    modest = [Claim((4097, f"camera-{number}"), 1) for number in range(10)]

    assert first_to_go([*modest, *flood], 40) == [flood[0]]


def test_several_that_are_over_go_at_once_but_never_one_that_is_not() -> None:
    claims = [Claim(NORTH, 4, over=number % 2 == 0) for number in range(1000)]

    gone = first_to_go(claims, 999)
    assert len(gone) > 1
    assert all(claim.over for claim in gone)


def test_a_rehearsal_weighs_less_than_the_slightest_alert() -> None:
    station = SignedStation(clock=ManualClock())
    order = [station.alert(severity=severity) for severity in ("low", "medium", "high", "critical")]

    assert [gravity(alert) for alert in order] == [1, 2, 3, 4]
    assert gravity(station.alert(severity="critical", test=True)) < gravity(order[0])


@pytest.fixture
def done() -> list[str]:
    return []


def test_a_lane_does_what_waits_in_order_whatever_a_job_raises(
    clock: ManualClock, done: list[str]
) -> None:
    lane = Lane("csv", clock)
    lane.put(lambda: done.append("a"))
    lane.put(lambda: done.append(str(1 / 0)))
    lane.put(lambda: done.append("b"))
    lane.start()
    lane.close(5)

    assert done == ["a", "b"]
    assert lane.idle


def test_a_later_word_about_the_same_takes_the_place_of_the_earlier(
    clock: ManualClock, done: list[str]
) -> None:
    """Such as the speed to keep to, of which only the newest means anything."""
    lane, free = Lane("cmd_vel", clock, most=1), threading.Event()
    lane.start()
    lane.put(lambda: free.wait(10))
    eventually(lambda: not lane._waiting)
    for speed in ("7.0", "0.5", "none"):
        lane.put(lambda speed=speed: done.append(speed), about="speed")  # type: ignore[misc]
    free.set()
    lane.close(5)

    assert done == ["none"]


def test_a_lane_that_is_stuck_lets_the_process_end(clock: ManualClock) -> None:
    lane, free = Lane("console", clock), threading.Event()
    lane.start()
    lane.put(lambda: free.wait(10))

    lane.close(0.05)

    assert lane.works
    free.set()


def test_a_fault_is_said_once_recalled_seldom_and_its_end_is_said(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    fault = Fault("csv", clock)
    for _ in range(10):
        fault.failed(OSError(28, "full"))
    clock.advance(SAID_EVERY_S)
    fault.failed(OSError(28, "full"))
    fault.worked()
    fault.worked()

    assert [record.message for record in caplog.records] == ["failing; the rest goes on"] * 2 + ["works again"]  # fmt: skip


def test_a_fault_that_comes_and_goes_fills_no_log(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    fault = Fault("csv", clock)
    for _ in range(100):
        fault.failed("full")
        fault.worked()

    assert len(caplog.records) == 2
