"""At the broker only the console speaks for operators, and no account gained more by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hazardcast.contract.topics import (
    DECIDED,
    DECISIONS,
    JOURNAL,
    OBSERVATIONS,
    PENDING,
    REPLAY_REQUESTS,
    VERDICTS,
    Topic,
)  # fmt: skip

ACL = Path(__file__).resolve().parents[2] / "mosquitto" / "acl"


def grants() -> dict[str, set[tuple[str, str]]]:
    """Account → what it may do with which topics."""
    found: dict[str, set[tuple[str, str]]] = {}
    account = ""
    for line in ACL.read_text().splitlines():
        words = line.split()
        if words[:1] == ["user"]:
            account = words[1]
        elif words[:1] == ["topic"]:
            found.setdefault(account, set()).add((words[1], words[2]))
    return found


def may_say(topic: Topic) -> set[str]:
    return {
        account
        for account, rows in grants().items()
        if rows & {("write", topic.filter), ("readwrite", topic.filter)}
    }


@pytest.mark.parametrize(
    ("topic", "accounts"),
    [
        (DECISIONS, {"console"}),
        (VERDICTS, {"console"}),
        (REPLAY_REQUESTS, {"console"}),
        (OBSERVATIONS, {"console"}),
        (PENDING, {"alerter"}),
        (DECIDED, {"alerter"}),
        (JOURNAL, {"alerter"}),
    ],
    ids=lambda value: value.template if isinstance(value, Topic) else "",
)
def test_who_may_say_it(topic: Topic, accounts: set[str]) -> None:
    assert may_say(topic) == accounts


def test_people_and_other_systems_may_say_incidents_and_clip_requests_alone() -> None:
    said = {topic for right, topic in grants()["operator"] if right != "read"}

    assert said == {"v2x/alert", "v2x/clip-request"}


@pytest.mark.parametrize("topic", [DECISIONS, VERDICTS, REPLAY_REQUESTS])
def test_the_alerter_hears_it(topic: Topic) -> None:
    assert ("read", topic.filter) in grants()["alerter"]
