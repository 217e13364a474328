"""What a reporter is told of a report that was odd."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from alerter.doors.answers import WORDS_BURST, Answer, Door, Voice
from alerter.ingest.refusal import Reason, Refusal
from prometheus_client import REGISTRY

from hazardcast.contract.report_warnings import ReportWarnings
from hazardcast.contract.topics import WARNINGS
from hazardcast.testing import ManualClock, MemoryBroker, MemoryBus

ODD = b'{"type":"fire","camera":"north","severity":"awful","lat":91,"lon":0,"confidence":85}'


class Listener:
    """A voice, and what is heard of it."""

    def __init__(self, desk: Any) -> None:
        self.desk = desk
        self.clock = ManualClock()
        self.broker = MemoryBroker()
        self.bus: MemoryBus = self.broker.bus(self.clock)
        self.voice = Voice(self.bus, self.clock)

    def report(self, payload: bytes, door: Door = Door("mqtt")) -> Answer:  # noqa: B008 - frozen
        told: Answer = self.desk.read(payload)
        self.voice.tell(told, payload, door)
        return told

    @property
    def heard(self) -> list[ReportWarnings]:
        return self.broker.messages(WARNINGS)


@pytest.fixture
def listener(desk: Any) -> Listener:
    return Listener(desk)


def test_what_could_not_be_used_is_said_with_what_the_alert_says_instead(
    listener: Listener,
) -> None:
    listener.report(ODD, Door("http", "10.0.0.7"))

    (said,) = listener.heard
    assert {warning.field: warning.used for warning in said.warnings} == {
        "severity": "high", "lat": 37.12345, "lon": 127.12345, "confidence": 0.85,
    }  # fmt: skip
    assert (said.door, said.sender, said.result) == ("http", "10.0.0.7", "new")
    assert (said.event_id, len(said.report_id), said.refused) == ("4097-1", 16, None)


def test_a_refusal_says_why(listener: Listener) -> None:
    listener.report(b'{"type":"fire","status":"gone","report_id":"pager-12"}')

    (said,) = listener.heard
    assert (said.result, said.field, said.reason) == ("refused", "status", "schema")
    assert (said.report_id, said.event_id) == ("pager-12", None)
    assert said.refused


def test_of_a_report_without_fault_nothing_is_said(listener: Listener) -> None:
    listener.report(b'{"type":"fire"}')

    assert listener.heard == []


def test_a_report_that_has_a_name_is_answered_whatever_it_led_to(listener: Listener) -> None:
    listener.report(b'{"type":"fire","report_id":"a"}')
    listener.report(b'{"type":"fire","report_id":"b"}')

    assert [(said.report_id, said.result, said.event_id) for said in listener.heard] == [
        ("a", "new", "4097-1"),
        ("b", "unchanged", "4097-1"),
    ]


def test_a_flood_of_odd_reports_is_no_flood_of_words(listener: Listener) -> None:
    for _ in range(1000):
        listener.report(ODD)
    flooded = len(listener.heard)
    listener.clock.advance(1.0)
    listener.report(ODD)

    assert flooded == WORDS_BURST
    assert listener.heard[-1].unsaid == 1000 - WORDS_BURST


def test_while_the_broker_is_away_nothing_is_put_into_the_outbox(listener: Listener) -> None:
    listener.bus.connected = False
    listener.report(ODD)

    assert listener.heard == []


def test_the_log_and_the_metrics_tell_it_too(
    listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    def count(kind: str) -> float:
        labels = {"kind": kind}
        return REGISTRY.get_sample_value("hazardcast_report_warnings_total", labels) or 0.0

    before = count("severity"), count("other")
    with caplog.at_level(logging.WARNING):
        listener.report(b'{"type":"fire","severity":"awful","By":"me"}')

    assert "severity: " in caplog.records[-1].warnings  # type: ignore[attr-defined]
    assert (count("severity"), count("other")) == (before[0] + 1, before[1] + 1)


def test_letters_that_no_text_can_hold_are_said_all_the_same(listener: Listener) -> None:
    told = b'{"type":"\\ud800","report_id":"\\ud800a\\u0000","\\ud800by":1,"camera":"\\udfff"}'
    listener.report(told, Door("file", "\udcff\x1b[2J.json"))

    assert (listener.heard[0].report_id, listener.heard[0].sender) == ("a", "[2J.json")


def test_a_refusal_from_within_is_counted_under_its_reason(listener: Listener) -> None:
    def count() -> float:
        labels = {"reason": "ended"}
        return REGISTRY.get_sample_value("hazardcast_alerts_rejected_total", labels) or 0.0

    before = count()
    listener.voice.tell(Answer(Refusal(Reason.ENDED, "has ended", "event_id")), b"{}", Door("mqtt"))

    assert count() == before + 1
