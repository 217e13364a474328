"""What a run will do follows from its seed, and every kind of fault gets its turn."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from tests.chaos.kinds import BY_NAME, KINDS
from tests.chaos.reports import REPORTERS, Amount, number_of, place_of, render, script
from tests.chaos.schedule import APART_S, GAP_S, HEAL_S, plan
from tests.chaos.witness import line_shown, row_shown

STORM_S = 135.0
SEEDS = range(20)


def test_the_same_seed_gives_the_same_run() -> None:
    amount = Amount(10, STORM_S)

    assert plan(7, STORM_S) == plan(7, STORM_S) != plan(8, STORM_S)
    assert script(7, amount) == script(7, amount) != script(8, amount)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_kind_of_fault_comes_in_three_minutes(seed: int) -> None:
    planned = plan(seed, STORM_S)

    missing = {kind.name for kind in KINDS} - {one.kind.name for one in planned}
    assert len(missing) <= 1, missing
    assert all(0 <= one.begin_s < one.end_s <= STORM_S for one in planned)


@pytest.mark.parametrize("seed", SEEDS)
def test_in_a_lane_one_fault_comes_at_a_time_and_the_station_has_time_to_heal(seed: int) -> None:
    planned = plan(seed, STORM_S)
    for lane, (least_s, _) in GAP_S.items():
        mine = [one for one in planned if one.kind.lane == lane]
        assert all(b.begin_s - a.end_s >= least_s - 1e-9 for a, b in pairwise(mine))
    assert GAP_S["station"][0] > HEAL_S


@pytest.mark.parametrize("seed", SEEDS)
def test_the_alerter_never_ends_while_its_disk_or_the_names_fail(seed: int) -> None:
    planned = plan(seed, STORM_S)
    ends = [one for one in planned if one.kind.ends_station]
    for disk in (one for one in planned if one.kind.apart):
        assert all(
            disk.end_s + APART_S <= one.begin_s + 1e-9 or one.end_s + APART_S <= disk.begin_s + 1e-9
            for one in ends
        )


def test_a_fault_befalls_only_whom_it_can() -> None:
    for seed in SEEDS:
        for one in plan(seed, STORM_S):
            assert one.kind.lane != "car" or one.subject in one.kind.only
    assert BY_NAME not in next(
        kind.only for kind in KINDS if kind.name == "car's interface made anew"
    )


def test_a_place_tells_whose_it_is() -> None:
    assert all(number_of(*place_of(number)) == number for number in (1, 2, 999, 6000))
    assert number_of(37.12345, 127.12345) is None


def test_reports_are_what_they_are_meant_to_be() -> None:
    now, found = 1_700_000_000.0, script(3, Amount(10, STORM_S))
    told = [case for case in found.cases.values() if case.told]
    odd = {case.label for case in told} - {"", "flapping"}

    assert len(odd) >= 15
    assert len({case.label for case in found.cases.values() if not case.told}) >= 10
    assert len({case.producer_id.split("-")[0] for case in told}) == REPORTERS + 1
    for case in told:
        body = json.loads(render(case, "new", now))
        assert (body["lat"], body["lon"]) == case.place
        assert case.ts != "seconds" or body["ts"] == now
        assert json.loads(render(case, "cancel", now))["event_id"] == body["event_id"]


def test_cancels_come_after_what_they_end() -> None:
    found = script(3, Amount(10, STORM_S))
    begun: set[int] = set()
    for say in found.says:
        if say.word == "new":
            begun.add(say.number)
        assert say.number in begun


LINE = "[RECV] 12:00:01.123 {}NEW collision high 4097-17 on chaos-3-  latency 3 ms  (copy 1/7, multicast)"


def test_a_line_on_a_console_is_understood() -> None:
    found = line_shown("car-1", 2, 5.0, LINE.format("TEST "))

    assert found
    assert (found.event_id, found.word, found.type, found.severity) == ("4097-17", "NEW", "collision", "high")  # fmt: skip
    assert found.test
    assert line_shown("car-1", 2, 5.0, "[LINK] 12:00:01.123 LINK OK") is None
    unknown = line_shown("car-1", 2, 5.0, LINE.format("").replace("collision", "unknown (fire drill)"))  # fmt: skip
    assert unknown
    assert unknown.type == "unknown"
    for broken in (LINE.format("")[:40], LINE.format("\x1b[2J")):
        with pytest.raises(ValueError):
            line_shown("car-1", 2, 5.0, broken)


def test_a_row_of_alerts_csv_is_understood() -> None:
    cells = ["4097-17", "NEW", "new", "0", "fire", "low", "chaos-3-", "1", *["1"] * 13]
    found = row_shown("car-1", 2, 5.0, ",".join(cells))

    assert found
    assert (found.type, found.road, found.test, found.version) == ("fire", "chaos-3-", True, ("0", "1"))  # fmt: skip
    assert row_shown("car-1", 1, 5.0, ",".join(["event_id", *["x"] * 20])) is None
    with pytest.raises(ValueError):
        row_shown("car-1", 1, 5.0, ",".join(cells[:9]))
