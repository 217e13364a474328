"""What of the alarms was true, by people's verdicts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hazardcast.contract import alarms
from hazardcast.contract.messages import Alert, JournalEntry, Pending
from tests.hazardcast.contract.test_messages import EXAMPLES

ALERT = json.loads((EXAMPLES / "Alert.json").read_text())
PENDING = json.loads((EXAMPLES / "Pending.json").read_text())
AT = 1_800_000_000.0
Entry = Callable[..., JournalEntry]


def entry(kind: str, **facts: Any) -> JournalEntry:
    return JournalEntry.parse(
        {"station": 1, "epoch": 1, "sequence": 1, "kind": kind, "ts": AT, **facts}
    )


def alert(event_id: str, confidence: float | None = None, **changes: Any) -> JournalEntry:
    told = Alert.parse({**ALERT, "event_id": event_id, "camera": "north", "ts": AT, **changes})
    return entry("alert", alert=json.loads(told.encode()), confidence=confidence)


def waits(event_id: str, confidence: float) -> JournalEntry:
    told = Pending.parse({**PENDING, "event_id": event_id, "confidence": confidence})
    return entry("pending", pending=json.loads(told.encode()))


def decided(event_id: str, action: str, *, ts: float = AT, result: str = "done") -> JournalEntry:
    facts = {"event_id": event_id, "result": result, "action": action, "revision": 0, "ts": ts}
    return entry("decided", decided={**facts, "by": "kim"})


def verdict(event_id: str, word: str, *, ts: float = AT) -> JournalEntry:
    return entry("verdict", verdict={"event_id": event_id, "verdict": word, "by": "kim", "ts": ts})


@pytest.mark.parametrize(
    ("said", "truth"),
    [
        ([], None),
        ([decided("1-1", "confirm")], "true"),
        ([decided("1-1", "approve")], "true"),
        ([decided("1-1", "negate")], "false"),
        ([decided("1-1", "reject")], "false"),
        ([decided("1-1", "clear")], None),
        ([decided("1-1", "timeout")], None),
        ([decided("1-1", "negate", result="refused")], None),
        ([verdict("1-1", "true")], "true"),
        ([decided("1-1", "negate", ts=AT + 1), verdict("1-1", "true", ts=AT + 9)], "true"),
        ([verdict("1-1", "true", ts=AT + 9), verdict("1-1", "unknown", ts=AT + 5)], "true"),
        ([verdict("2-2", "true")], None),
    ],
)
def test_the_newest_word_counts(said: list[JournalEntry], truth: str | None) -> None:
    for order in (1, -1):
        (alarm,) = alarms.gathered([*said, alert("1-1")][::order])

        assert alarm.verdict == truth


def test_an_entry_that_is_said_twice_is_one_alarm() -> None:
    entries = [alert("1-1", 0.6), alert("1-1", 0.8, status="update", revision=1)] * 2

    (alarm,) = alarms.gathered(entries)

    assert (alarm.confidence, alarm.broadcast) == (0.8, True)


def test_what_people_and_rehearsals_report_is_no_alarm_of_a_camera() -> None:
    assert alarms.gathered([alert("1-1", camera=None), alert("1-2", test=True)]) == []


def test_an_operators_certainty_is_not_the_cameras() -> None:
    by_person = alert("1-1", 1.0).model_copy(update={"reporter": "operator:kim"})

    (alarm,) = alarms.gathered([waits("1-1", 0.4), by_person])

    assert (alarm.confidence, alarm.broadcast) == (0.4, True)


def test_precision_at_each_confidence() -> None:
    entries = [
        alert("1-1", 0.95), decided("1-1", "confirm"),
        waits("1-2", 0.85), decided("1-2", "approve"),
        waits("1-3", 0.85), decided("1-3", "reject"),
        waits("1-4", 0.5), decided("1-4", "reject"),
        alert("1-5", 0.92),
        alert("1-6"), decided("1-6", "negate"),
    ]  # fmt: skip

    found = alarms.precision(alarms.gathered(entries), (0.0, 0.5, 0.8, 0.9, 0.99))

    assert [(one.alarms, one.true, one.false) for one in found] == [
        (6, 2, 3), (5, 2, 2), (4, 2, 1), (2, 1, 0), (0, 0, 0),
    ]  # fmt: skip
    assert [one.precision for one in found] == [0.4, 0.5, pytest.approx(2 / 3), 1.0, None]


def test_a_day_is_the_sites() -> None:
    entries = [
        alert("1-1", ts=1_735_743_600.0),  # 2025-01-01 15:00 UTC
        alert("1-2", ts=1_735_743_599.0),
        decided("1-1", "negate"),
    ]
    found = alarms.gathered(entries)

    rows = alarms.by_camera_and_day(found, ZoneInfo("Asia/Seoul"))
    assert [(row.day, row.alarms, row.false, row.unjudged) for row in rows] == [
        ("2025-01-01", 1, 0, 1), ("2025-01-02", 1, 1, 0),
    ]  # fmt: skip
    assert len(alarms.by_camera_and_day(found, ZoneInfo("UTC"))) == 1
