"""What an operator decides: said once, kept, and answered by the alerter."""

from __future__ import annotations

import threading
from typing import Any

import httpx
import pytest

from hazardcast.contract import topics
from tests.console.actions.conftest import Console


def decide(
    client: httpx.Client, event_id: str, action: str, revision: int = 0, **more: Any
) -> httpx.Response:
    headers = {"if-match": f'"{revision}"'}
    return client.post(
        f"alerts/{event_id}/decision", json={"action": action, **more}, headers=headers
    )


def test_a_false_alarm_is_said_kept_and_judged(console: Console) -> None:
    alert = console.on_air()

    answer = decide(console.by("olivia"), alert.event_id, "negate", reason="shadow", note="")

    assert (answer.status_code, answer.json()["effect"]) == (202, "ended")
    (said,) = console.alerter.heard
    assert (said.by, said.action, said.if_revision, said.reason, said.note) == ("olivia", "negate", 0, "shadow", None)  # fmt: skip
    assert [(one.by, one.action, one.camera, one.id) for one in console.kept] == [("olivia", "negate", "north", said.decision_id)]  # fmt: skip
    (verdict,) = console.broker.messages(topics.VERDICTS)
    assert (verdict.verdict, verdict.by, verdict.reason) == ("false", "olivia", "shadow")


@pytest.mark.parametrize(("action", "verdict"), [("approve", ["true"]), ("reject", ["false"])])
def test_what_waits_is_approved_or_rejected(
    console: Console, action: str, verdict: list[str]
) -> None:
    console.waiting()
    assert decide(console.by("olivia"), "4097-9", action, revision=2).status_code == 202
    assert [one.verdict for one in console.broker.messages(topics.VERDICTS)] == verdict


def test_that_it_is_over_is_no_verdict(console: Console) -> None:
    alert = console.on_air()
    decide(console.by("olivia"), alert.event_id, "clear")
    assert not console.broker.messages(topics.VERDICTS)


def test_of_two_at_once_one_wins_and_the_other_learns_by_whom(console: Console) -> None:
    alert = console.on_air()
    console.alerter.hold.clear()
    answers: list[httpx.Response] = []
    first = threading.Thread(
        target=lambda: answers.append(decide(console.by("olivia"), alert.event_id, "confirm"))
    )
    first.start()
    while not console.alerter.heard:
        pass

    second = decide(console.by("otto"), alert.event_id, "negate")

    console.alerter.hold.set()
    first.join(5)
    assert answers[0].status_code == 202
    assert (second.status_code, second.json()["by"]) == (412, "olivia")
    assert len(console.alerter.heard) == 1


def test_an_older_revision_than_the_present_one_is_refused(console: Console) -> None:
    alert = console.on_air(revision=3)
    answer = decide(console.by("olivia"), alert.event_id, "clear", revision=2)
    assert (answer.status_code, answer.json()["revision"]) == (412, 3)
    assert not console.alerter.heard


def test_what_the_alerter_refuses_is_told_and_may_be_tried_again(console: Console) -> None:
    alert = console.on_air()
    console.alerter.answers = {
        "result": "refused",
        "refused": "stale",
        "first_by": "kim",
        "revision": 4,
    }
    refused = decide(console.by("olivia"), alert.event_id, "clear")
    assert (refused.status_code, refused.json()["by"], refused.json()["revision"]) == (
        412,
        "kim",
        4,
    )

    console.alerter.answers = {
        "result": "refused",
        "refused": "late",
        "detail": "decided too long ago",
    }
    late = decide(console.by("otto"), alert.event_id, "clear")
    assert (late.status_code, late.json()["detail"]) == (409, "decided too long ago")
    assert not console.broker.messages(topics.VERDICTS)


def test_an_alerter_that_says_nothing_leaves_it_open(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.actions.desk.ANSWERED_WITHIN_S", 0.05)
    alert = console.on_air()
    console.alerter.answers = None
    assert decide(console.by("olivia"), alert.event_id, "clear").json()["result"] == "sent"


def test_while_the_broker_is_away_nothing_is_said_and_nothing_waits(console: Console) -> None:
    alert = console.on_air()
    console.bus.connected = False
    said = len(console.broker.published)
    client = console.by("olivia")

    refused = [
        decide(client, alert.event_id, "clear"),
        client.post("incidents", json={"type": "fire"}),
        client.post("clip-requests", json={"camera": "north", "ts": 1.0}),
    ]
    console.bus.connected = True

    assert [one.status_code for one in refused] == [503] * 3
    assert len(console.broker.published) == said
    assert not console.kept
    assert decide(client, alert.event_id, "clear").status_code == 202, "and she may try again"


@pytest.mark.parametrize("event_id", ["4097-77", "4097-1"])
def test_an_event_of_another_camera_answers_as_one_that_is_not_there(
    console: Console, event_id: str
) -> None:
    console.waiting("4097-1", camera="south")
    answer = decide(console.by("nora"), event_id, "approve", revision=2)
    assert (answer.status_code, answer.json()["detail"]) == (404, "there is no such event in force")
    assert not console.alerter.heard


@pytest.mark.parametrize("name", ["victor", None])
def test_who_only_looks_does_nothing(console: Console, name: str | None) -> None:
    alert = console.on_air()
    client = console.by(name)
    answers = [
        decide(client, alert.event_id, "negate"),
        client.post("incidents", json={"type": "fire"}),
        client.post("clip-requests", json={"camera": "north", "ts": 1.0}),
        client.post("clips/4097-1/hold"),
    ]
    assert {one.status_code for one in answers} == {403 if name else 401}
    assert not console.alerter.heard
    assert not console.kept


def test_an_action_that_does_not_fit_is_refused(console: Console) -> None:
    alert = console.on_air()
    assert decide(console.by("olivia"), alert.event_id, "approve").status_code == 409
    assert decide(console.by("olivia"), alert.event_id, "explode").status_code == 422


@pytest.mark.parametrize(("header", "status"), [(None, 428), ("3", 400), ("*", 400), ('"x"', 400)])
def test_the_revision_that_was_seen_is_named(
    console: Console, header: str | None, status: int
) -> None:
    headers = {} if header is None else {"if-match": header}
    answer = console.by("olivia").post(
        "alerts/4097-1/decision", json={"action": "clear"}, headers=headers
    )
    assert answer.status_code == status
