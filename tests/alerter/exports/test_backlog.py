"""What a subscriber that lags is still told: the grave and the newest state, never merely the old."""

from __future__ import annotations

from typing import Any

from alerter.exports.backlog import Backlog, Due

from hazardcast.contract.messages import Alert
from hazardcast.testing import SignedStation


def version(number: int, **changes: Any) -> Alert:
    return SignedStation().alert(number, **changes)


def drained(backlog: Backlog) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    while due := backlog.take(0.0):
        found.append((due.alert.event_id, due.alert.status))
    return found


def test_the_newest_is_never_what_gives_way_to_the_old() -> None:
    backlog = Backlog(10)
    gone = sum(backlog.put(Due(version(n), 1.0), told=()) for n in range(15))

    assert gone == 5
    assert drained(backlog) == [(f"4097-{n}", "new") for n in range(5, 15)]


def test_outdated_versions_go_first_then_ends_of_what_was_never_told_then_the_slight() -> None:
    backlog = Backlog(6)
    for alert in (
        version(1, severity="low"),
        version(2, severity="critical"),
        version(3, severity="high"),
        version(3, severity="high", status="update"),
        version(4, severity="critical", status="cancel"),
        version(5, severity="low", status="cancel"),
        version(6, severity="high"),
        version(7, severity="high"),
        version(8, severity="high"),
    ):
        backlog.put(Due(alert, 1.0), told={"4097-5"})

    assert drained(backlog) == [
        ("4097-2", "new"), ("4097-3", "update"), ("4097-5", "cancel"), ("4097-6", "new"),
        ("4097-7", "new"), ("4097-8", "new"),
    ]  # fmt: skip


def test_a_flapping_source_takes_nothing_from_the_accident_of_another() -> None:
    backlog = Backlog(20)
    backlog.put(Due(version(1, severity="low"), 1.0), told=())
    for number in range(2, 500):
        for status in ("new", "cancel"):
            alert = version(number, severity="critical", status=status)
            backlog.put(Due(alert, 1.0), told=())

    assert ("4097-1", "new") in drained(backlog)
