from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from detector.incidents import CLEAR_S, COOL_DOWN_S, IncidentBook
from detector.rules.hypothesis import Hypothesis
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.contract.incident_types import IncidentType, Severity

FPS = 8


def crash(x=100.0, kind=IncidentType.COLLISION, onset=1.0, opens=True):
    return Hypothesis(kind, onset, np.array([x, 100, x + 60, 150]), 0.8, opens=opens)


def play(book, spans, until_s, rest=lambda _t: False, start_s=0.0):
    """Feed the book; `spans` are (from, to, hypothesis)."""
    reports = []
    for number in range(int(start_s * FPS), int(until_s * FPS) + 1):
        t = number / FPS
        now = [one for start, end, one in spans if start <= t < end]
        reports += book.update(t, now, (), rest=rest(t))
    return reports


def test_a_flash_of_a_hypothesis_is_no_incident() -> None:
    assert play(IncidentBook(), [(2.0, 2.2, crash())], 10.0) == []


def test_what_its_rule_has_watched_for_long_enough_is_reported_at_once() -> None:
    settled = replace(crash(), settled=True)

    (report,) = play(IncidentBook(), [(2.0, 2.1, settled)], 6.0)

    assert report.t == 2.0


def test_a_surer_rule_beside_it_does_not_hold_it_up() -> None:
    settled, surer = replace(crash(), settled=True), replace(crash(), confidence=0.95)
    spans = [(2.0, 2.1, settled), (2.0, 2.1, surer)]

    assert [one.t for one in play(IncidentBook(), spans, 6.0)] == [2.0]


def test_what_holds_is_reported_once_with_its_onset() -> None:
    reports = play(IncidentBook(), [(2.0, 9.0, crash(onset=1.3))], 9.0)

    assert [(one.status, one.type) for one in reports] == [("new", IncidentType.COLLISION)]
    assert reports[0].onset_t == 1.3
    assert reports[0].t <= 3.0
    assert reports[0].severity is Severity.HIGH


def test_gaps_of_single_frames_do_not_stop_it() -> None:
    spans = [(2.0 + k * 0.5, 2.4 + k * 0.5, crash()) for k in range(10)]

    assert len(play(IncidentBook(), spans, 7.0)) == 1


@pytest.mark.parametrize(
    ("away_px", "later_s", "incidents"), [(110, 1.5, 1), (400, 1.5, 2), (110, 8.0, 2)]
)
def test_what_a_crash_throws_apart_is_one_event(away_px, later_s, incidents) -> None:
    other = crash(x=100.0 + away_px, onset=1.3 + later_s)
    spans = [(2.0, 14.0, crash(onset=1.3)), (2.0 + later_s, 14.0, other)]

    assert len(play(IncidentBook(), spans, 14.0)) == incidents


def test_it_is_cancelled_under_its_own_key_when_nothing_is_left_of_it() -> None:
    reports = play(IncidentBook(), [(2.0, 5.0, crash(onset=1.3))], 30.0)

    assert [one.status for one in reports] == ["new", "cancel"]
    assert reports[0].key_t == reports[1].key_t
    assert reports[1].t >= 5.0 + CLEAR_S - 0.5


def test_the_same_place_stays_quiet_for_a_while() -> None:
    spans = [(2.0, 5.0, crash()), (30.0, 34.0, crash(onset=29.0))]

    assert [one.status for one in play(IncidentBook(), spans, 60.0)] == ["new", "cancel"]


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ({"onset_t": 17.0, "confidence": 0.9}, True),
        ({"onset_t": 17.0, "type": IncidentType.FIRE, "confidence": 0.6}, True),
        ({"onset_t": 17.0, "confidence": 0.7}, False),
        ({"onset_t": 17.0, "type": IncidentType.BLOCKAGE, "confidence": 0.9}, False),
        ({"onset_t": 1.0, "confidence": 0.9}, False),
    ],
)
def test_what_begins_after_one_that_cleared_must_be_worse_or_surer(what, told) -> None:
    later = replace(crash(), **what)
    reports = play(IncidentBook(), [(2.0, 4.0, crash()), (18.0, 22.0, later)], 25.0)

    assert [one.status for one in reports] == ["new", "cancel"] + ["new"] * told
    assert not told or reports[2].key_t != reports[0].key_t


def test_after_the_cool_down_the_place_may_see_another() -> None:
    later = 20.0 + COOL_DOWN_S
    spans = [(2.0, 5.0, crash()), (later, later + 4, crash(onset=later - 1))]

    reports = play(IncidentBook(), spans, later + 5)

    assert [one.status for one in reports] == ["new", "cancel", "new"]


def test_two_places_are_two_incidents() -> None:
    book = IncidentBook()
    reports = play(book, [(2.0, 5.0, crash()), (2.0, 5.0, crash(x=900.0))], 5.0)

    assert [one.status for one in reports] == ["new", "new"]
    assert len({round(1000 * one.key_t) for one in reports}) == 2
    assert book.active == 2


def test_a_wreck_that_catches_fire_is_the_same_incident_refined() -> None:
    spans = [(2.0, 20.0, crash()), (8.0, 20.0, crash(kind=IncidentType.FIRE, onset=7.0))]

    reports = play(IncidentBook(), spans, 20.0)

    assert [(one.status, one.type.value) for one in reports] == [
        ("new", "collision"), ("update", "fire"),
    ]  # fmt: skip
    assert reports[1].key_t == reports[0].key_t
    assert reports[1].severity is Severity.CRITICAL


def test_a_collision_is_never_talked_down_to_a_blockage() -> None:
    spans = [(2.0, 20.0, crash()), (8.0, 20.0, crash(kind=IncidentType.BLOCKAGE))]

    assert len(play(IncidentBook(), spans, 20.0)) == 1


def test_a_weak_hypothesis_keeps_an_incident_open_but_begins_none() -> None:
    weak = crash(opens=False)

    assert play(IncidentBook(), [(2.0, 20.0, weak)], 20.0) == []
    both = play(IncidentBook(), [(2.0, 5.0, crash()), (5.0, 40.0, weak)], 40.0)
    assert [one.status for one in both] == ["new"]


def test_nothing_begins_or_ends_while_the_picture_cannot_be_trusted() -> None:
    book = IncidentBook()
    assert play(book, [(0.0, 5.0, crash())], 5.0, rest=lambda _t: True) == []

    play(book, [(5.0, 8.0, crash())], 8.0, start_s=5.0)
    blind = play(book, [], 60.0, rest=lambda t: t > 9.0, start_s=8.0)
    assert blind == []


frames = st.lists(
    st.lists(
        st.tuples(
            st.floats(0, 1200), st.sampled_from(list(IncidentType)[:4]), st.floats(-30, 0),
            st.booleans(),
        ),
        max_size=4,
    ),
    max_size=60,
)  # fmt: skip


@given(frames, st.floats(0.05, 5.0))
def test_every_report_makes_sense_whatever_the_rules_say(rows, step_s) -> None:
    book, t = IncidentBook(), 0.0
    opened: set[float] = set()
    closed: set[float] = set()
    for row in rows:
        t += step_s
        now = [crash(x, kind, t + age, opens) for x, kind, age, opens in row]
        for report in book.update(t, now, (), rest=False):
            if report.status == "new":
                assert report.key_t not in opened
                opened.add(report.key_t)
            else:
                assert report.key_t in opened - closed
            if report.status == "cancel":
                closed.add(report.key_t)
    assert book.active == len(opened - closed)
