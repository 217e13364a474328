"""An operator's word: carried out at once, kept, and answered; one of two wins."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hazardcast.contract.topics import ACTIVE, DECIDED, JOURNAL
from tests.alerter.deciding.conftest import SHADOW, Site

SiteWith = Callable[..., Site]


@pytest.fixture
def site(site_with: SiteWith) -> Site:
    return site_with()


def test_approving_broadcasts_it_as_sure_as_can_be_and_the_operator_reports_it(
    waits: Site,
) -> None:
    waits.sees(event_id="n-1")
    told = waits.decides("approve", reason="other", note="Two cars.")

    assert (told.result, told.effect, told.by, told.note) == (
        "done",
        "broadcast",
        "kim",
        "Two cars.",
    )
    assert (waits.said.status, waits.said.information_quality) == ("new", 7)
    assert waits.said.confirmed_at == waits.clock.now()
    assert not waits.pending
    assert waits.sees(event_id="n-1", status="cancel") == "unchanged"


def test_rejecting_drops_it_and_its_camera_does_not_bring_it_back(waits: Site) -> None:
    waits.sees(event_id="n-1")
    told = waits.decides("reject", reason="shadow")

    assert (told.effect, waits.pending) == ("dropped", [])
    assert waits.sees(event_id="n-1", status="update", confidence=0.99) == "dropped"
    assert waits.on_air == []


@pytest.mark.parametrize("end", ["reject", "withdrawn", "timeout"])
@pytest.mark.parametrize(
    ("another", "sure"),
    [
        ({"event_id": "n-2"}, False),
        ({"event_id": "n-2"}, True),
        ({"event_id": None}, True),
        ({"event_id": "n-1", "severity": "critical"}, True),
        ({"event_id": "n-1", "severity": "critical"}, False),
        ({"event_id": "n-1", "type": "fire"}, True),
        ({"event_id": "n-1", "type": "fire"}, False),
    ],
)
def test_what_is_over_swallows_nothing_but_the_same_under_its_own_id(
    waits: Site, end: str, another: dict[str, Any], sure: bool
) -> None:
    waits.sees(event_id="n-1")
    waits.is_over(end)
    waits.operators(1)
    waits.passes(1.0)
    assert waits.sees(event_id="n-1", confidence=0.5) == "dropped"

    assert waits.sees(confidence=0.95 if sure else 0.5, **another) == ("new" if sure else "pending")
    assert (len(waits.on_air), len(waits.pending)) == ((1, 0) if sure else (0, 1))
    if another["event_id"] == "n-1":  # means the new one from now on, however it is told
        assert waits.sees(event_id="n-1", status="new" if sure else "update") != "dropped"


@pytest.mark.parametrize("confidence", [0.5, 0.99])
def test_what_was_rejected_is_dropped_until_its_camera_is_silent(
    waits: Site, confidence: float
) -> None:
    waits.sees(event_id="n-1")
    waits.decides("reject")
    for _ in range(5):
        waits.passes(119.0)
        waits.operators(1)
        assert waits.sees(event_id="n-1", status="update", confidence=confidence) == "dropped"
    waits.passes(121.0)
    waits.operators(1)

    assert waits.sees(event_id="n-1", confidence=confidence) in ("new", "pending")


def test_confirming_makes_a_version_and_a_camera_that_loses_sight_does_not_end_it(
    site: Site,
) -> None:
    site.sees(event_id="n-1")
    told = site.decides("confirm")

    assert (told.effect, told.revision, site.said.information_quality) == ("broadcast", 1, 7)
    assert site.sees(event_id="n-1", status="cancel") == "unchanged"
    assert site.ids() == [site.said.event_id]


@pytest.mark.parametrize(("action", "status"), [("clear", "cancel"), ("negate", "negate")])
def test_clearing_and_negating_end_it_at_once_whoever_reports_it(
    site: Site, action: str, status: str
) -> None:
    site.sees(event_id="n-1")
    site.sees("south", event_id="s-1")
    told = site.decides(action)

    assert (told.effect, site.said.status, site.ids()) == ("ended", status, [])
    last = site.broker.messages(ACTIVE)[-1]
    assert (last.status, site.broker.retained.get(f"v2x/active/{last.event_id}")) == (status, None)


@pytest.mark.parametrize("action", ["clear", "negate"])
def test_what_a_person_ended_its_camera_does_not_bring_back(site: Site, action: str) -> None:
    site.sees(event_id="n-1")
    site.decides(action)
    results = set()
    for _ in range(60):
        site.passes(1.0)
        results |= {site.sees(event_id="n-1", status=status) for status in ("update", "new")}

    assert results == {"ended"}


@pytest.mark.parametrize("action", ["clear", "negate"])
@pytest.mark.parametrize("status", ["update", "new"])
@pytest.mark.parametrize(
    "worse", [{"type": "fire"}, {"severity": "critical"}], ids=["another kind", "graver"]
)
def test_what_no_person_judged_is_heard_though_its_camera_calls_it_by_the_same_name(
    site: Site, action: str, status: str, worse: dict[str, Any]
) -> None:
    site.sees(event_id="n-1")
    ended = site.said.event_id
    site.decides(action)
    site.passes(5.0)
    assert site.sees(event_id="n-1", status="update") == "ended"

    assert site.sees(event_id="n-1", status=status, **worse) == "new"
    assert site.said.event_id != ended
    assert site.sees(event_id="n-1", status="update", **worse) == "unchanged"
    assert site.sees(event_id="n-1", status="cancel") == "cancel"


@pytest.mark.parametrize("status", ["update", "new"])
def test_a_camera_that_was_silent_for_long_is_heard_anew_and_one_that_goes_on_is_not(
    site: Site, status: str
) -> None:
    site.sees(event_id="n-1", severity="critical")
    site.decides("negate")
    for _ in range(5):
        site.passes(50.0)
        assert site.sees(event_id="n-1", status=status) == "ended"
    site.passes(119.0)
    assert site.sees(event_id="n-1", status=status) == "ended"
    site.passes(121.0)

    assert site.sees(event_id="n-1", status=status) == "new"


def test_a_new_event_at_the_same_place_is_heard_all_the_same(site: Site) -> None:
    site.sees(event_id="n-1")
    site.decides("negate")
    site.passes(40.0)

    assert site.sees(event_id="n-2") == "new"
    assert site.sees("south", event_id="s-1") in ("update", "unchanged")


def test_a_person_with_no_account_does_not_end_what_an_operator_confirmed(site: Site) -> None:
    site.sees(event_id="n-1")
    site.decides("confirm")
    event_id = site.said.event_id

    assert site.asks(event_id=event_id, status="cancel").action == "unchanged"  # type: ignore[union-attr]
    assert site.ids() == [event_id]


def test_the_second_of_two_is_told_who_was_first(site: Site) -> None:
    site.sees()
    event_id, revision = site.said.event_id, site.said.revision
    site.decides("confirm", by="kim", event_id=event_id, if_revision=revision)
    told = site.decides("negate", by="lee", event_id=event_id, if_revision=revision)

    assert (told.result, told.refused, told.revision) == ("refused", "stale", 1)
    assert (told.by, told.first_by, told.first_action) == ("lee", "kim", "confirm")
    assert site.ids() == [event_id]


def test_of_what_waits_the_second_is_told_too(waits: Site) -> None:
    waits.sees()
    event_id = waits.pending[0].event_id
    waits.decides("reject", by="kim")
    late = waits.decides("approve", by="lee", event_id=event_id, if_revision=0)

    assert (late.refused, late.first_by, late.first_action) == ("ended", "kim", "reject")
    assert waits.on_air == []


def test_a_version_that_a_camera_made_since_refuses_a_decision_too(site: Site) -> None:
    site.sees(event_id="n-1")
    site.sees(event_id="n-1", status="update", severity="critical")
    told = site.decides("negate", if_revision=0)

    assert (told.refused, told.revision, told.first_by) == ("stale", 1, None)


def test_what_another_reporter_broadcast_meanwhile_is_said(waits: Site) -> None:
    waits.sees()
    event_id = waits.pending[0].event_id
    waits.asks(lat=37.12345, lon=127.12345)
    told = waits.decides("reject", event_id=event_id, if_revision=0)

    assert (told.refused, told.detail) == ("stale", "another reporter has seen it: it is broadcast")


@pytest.mark.parametrize(
    ("late_s", "refused"), [(59.0, None), (61.0, "late"), (3600.0, "late"), (-61.0, "late"), (-5.0, None)]
)  # fmt: skip
def test_a_decisions_age_is_judged_by_its_own_time(
    site: Site, late_s: float, refused: str | None
) -> None:
    site.sees()
    told = site.decides("negate", ts=site.clock.now() - late_s)

    assert told.refused == refused


def test_latency_counts_from_the_decision(site: Site) -> None:
    site.sees()
    site.passes(7.0)
    site.decides("negate", ts=site.clock.now() - 0.125)

    assert site.said.confirmed_at == pytest.approx(site.clock.now() - 0.125, abs=0.002)


def test_a_decision_that_is_delivered_twice_is_carried_out_once_and_answered_twice(
    site: Site,
) -> None:
    site.sees()
    revision, event_id = site.said.revision, site.said.event_id
    for _ in range(2):
        told = site.decides("confirm", decision_id="d-1", event_id=event_id, if_revision=revision)
        assert told.result == "done"

    assert [status for _, status in site.on_air] == ["new", "update"]


@pytest.mark.parametrize(
    ("action", "waiting"),
    [("approve", False), ("reject", False), ("confirm", True), ("clear", True), ("negate", True)],
)
def test_an_action_that_does_not_fit_is_refused(
    action: str, waiting: bool, site_with: SiteWith
) -> None:
    site = site_with(**({"north": {"mode": "confirm", "on_timeout": "drop"}} if waiting else {}))
    site.sees()
    before = len(site.on_air)

    assert site.decides(action).refused == "unfit"
    assert len(site.on_air) == before


def test_a_decision_on_nothing_is_refused(site: Site) -> None:
    site.sees()

    assert site.decides("negate", event_id="4097-77").refused == "unknown"


def test_a_decision_on_another_events_topic_is_refused(site: Site) -> None:
    site.sees()
    event_id = site.said.event_id
    decision = {"event_id": event_id, "action": "negate", "by": "x", "if_revision": 0,
                "ts": site.clock.now()}  # fmt: skip
    site.broker.send("v2x/decision/4097-500", json.dumps(decision).encode())

    assert site.broker.messages(DECIDED)[-1].refused == "unfit"
    assert site.ids() == [event_id]


def test_a_retained_decision_is_of_the_past(site: Site) -> None:
    site.sees()
    event_id = site.said.event_id
    decision = {"event_id": event_id, "action": "negate", "by": "x", "if_revision": 0,
                "ts": site.clock.now()}  # fmt: skip
    site.broker.retained[f"v2x/decision/{event_id}"] = json.dumps(decision).encode()
    site.start()

    assert site.ids() == [event_id]


def test_in_shadow_a_word_is_noted_and_nothing_is_broadcast(site_with: SiteWith) -> None:
    site = site_with(north=SHADOW)
    site.sees()
    told = site.decides("approve")

    assert (told.effect, site.on_air, site.pending) == ("noted", [], [])


def test_everything_decided_is_in_the_journal_and_every_verdict(site: Site) -> None:
    site.sees()
    site.decides("negate", reason="shadow", note="Tree.")
    verdict = {"event_id": site.said.event_id, "verdict": "false", "by": "kim",
               "ts": site.clock.now(), "camera": "north", "type": "collision"}  # fmt: skip
    site.broker.send(f"v2x/verdict/{site.said.event_id}", json.dumps(verdict).encode())

    entries = site.broker.messages(JOURNAL)
    assert [entry.kind for entry in entries] == ["alert", "alert", "decided", "verdict"]
    assert (entries[1].reporter, entries[2].decided.note) == ("operator:kim", "Tree.")  # type: ignore[union-attr]


@pytest.mark.parametrize("field", ["by", "source", "negate"])
def test_a_report_cannot_decide_for_a_person(site: Site, field: str) -> None:
    site.sees(event_id="n-1")
    told = site.answers(event_id="n-1", camera="north", **{field: "kim"})

    assert [warning.field for warning in told.warnings] == [field]
    assert site.asks(event_id="n-1", status="negate").reason == "schema"  # type: ignore[union-attr]


def test_what_an_operator_confirmed_is_so_after_a_restart(site: Site) -> None:
    site.sees(event_id="n-1")
    site.decides("confirm")
    event_id = site.said.event_id
    site.start()

    assert site.sees(event_id="n-1", status="cancel") == "unchanged"
    assert site.ids() == [event_id]
