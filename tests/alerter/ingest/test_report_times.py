from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from alerter.ingest import report_times
from alerter.ingest.refusal import Reason, Refusal
from alerter.ingest.report_times import Limits, Report
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.contract import reports
from hazardcast.contract.errors import DecodeError
from hazardcast.contract.messages import Incident
from hazardcast.contract.reports import Reading

NOW = 1_800_000_000.0


def judge(retained: bool = False, waited_s: float = 0.0, **fields: object) -> Report | Refusal:
    incident = Incident.parse({"type": "fire", **fields})
    return report_times.judge(
        incident, received_at=NOW, limits=Limits(), retained=retained, waited_s=waited_s
    )


def test_a_missing_time_is_the_time_of_receipt() -> None:
    report = judge()
    assert isinstance(report, Report)
    assert (report.ts, report.confirmed_at) == (NOW, NOW)


def test_a_retained_incident_without_a_time_is_refused() -> None:
    refusal = judge(retained=True)
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.RETAINED
    assert isinstance(judge(retained=True, ts=NOW - 3), Report)


def test_what_lay_at_the_door_too_long_and_has_no_time_is_no_news() -> None:
    refusal = judge(waited_s=7200.0)
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.STALE
    assert isinstance(judge(waited_s=30.0), Report)
    assert isinstance(judge(waited_s=7200.0, ts=NOW - 3), Report)


def test_a_refusal_says_how_far_off_the_time_is() -> None:
    assert str(judge(ts=NOW - 90)) == "ts: 90.0 s old, at most 60 s accepted"


def test_a_time_ahead_of_any_clock_is_the_time_of_receipt_and_said() -> None:
    report = judge(ts=NOW + 9)
    assert isinstance(report, Report)
    assert (report.ts, [str(one) for one in report.warnings]) == (
        NOW,
        [f"ts: 9.0 s ahead of its receipt (used {NOW})"],
    )
    near = judge(ts=NOW + 5)
    assert isinstance(near, Report)
    assert (near.ts, near.warnings) == (NOW + 5, ())


def test_a_retained_incident_from_the_future_is_refused() -> None:
    assert isinstance(judge(retained=True, ts=NOW + 9), Refusal)


@pytest.mark.parametrize("status", ["new", "cancel"])
def test_a_time_without_a_zone_is_now_unless_it_is_too_old_in_every_zone(status: str) -> None:
    def without_zone(age_h: float) -> Report | Refusal:
        local = datetime.fromtimestamp(NOW - 3600 * age_h, UTC).strftime("%Y-%m-%d %H:%M:%S")
        report = {"type": "fire", "ts": local, "status": status, "event_id": "a"}
        read = reports.read(json.dumps(report).encode())
        assert isinstance(read, Reading)
        return report_times.judge(read.incident, received_at=NOW, limits=Limits())

    for age_h in (-14, -9, 0, 11.9):
        fresh = without_zone(age_h)
        assert isinstance(fresh, Report)
        assert fresh.ts == NOW
    late = without_zone(72)
    if status == "new":
        assert str(late) == "ts: 216000.0 s old, at most 60 s accepted"
    else:  # the register knows what its reporter said since
        assert isinstance(late, Report)
        assert late.ts == NOW - 3600 * 60


def test_an_update_must_say_of_what() -> None:
    assert str(judge(status="update")) == "event_id: an update must say which event"


def test_a_cancel_may_carry_the_time_of_its_event() -> None:
    report = judge(ts=NOW - 600, status="cancel", event_id="a")
    assert isinstance(report, Report)
    assert report.ts == NOW - 600, "whether that is too old the register knows"


def test_a_retained_cancel_is_of_the_past_whatever_time_it_tells() -> None:
    for ts in (None, NOW, NOW - 600):
        refusal = judge(retained=True, ts=ts, status="cancel", event_id="a")
        assert isinstance(refusal, Refusal)
        assert refusal.reason is Reason.RETAINED


def test_a_retained_report_over_the_age_limit_is_no_news() -> None:
    refusal = judge(retained=True, ts=NOW - 61)
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.STALE


@pytest.mark.parametrize(
    ("claimed", "used"), [(NOW - 2, NOW - 2), (NOW - 3600, NOW), (NOW + 60, NOW)]
)
def test_an_impossible_confirmation_time_does_not_spoil_the_latency(
    claimed: float, used: float
) -> None:
    report = judge(confirmed_at=claimed)
    assert isinstance(report, Report)
    assert report.confirmed_at == used
    told = [(warning.field, warning.used) for warning in report.warnings]
    assert told == ([] if used == claimed else [("confirmed_at", used)])


def test_the_limits_are_the_operators() -> None:
    incident = Incident.parse({"type": "fire", "ts": NOW - 90})
    limits = Limits(max_age_s=100, max_future_s=0)
    assert isinstance(report_times.judge(incident, received_at=NOW, limits=limits), Report)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)
FIELDS = st.dictionaries(st.sampled_from(sorted(Incident.model_fields)), ANYTHING)


@given(fields=FIELDS)
def test_whatever_json_comes_it_is_judged_or_named_wrong(fields: dict[str, object]) -> None:
    try:
        incident = Incident.decode(json.dumps({"type": "fire", **fields}))
    except DecodeError as error:
        assert str(error)
        return
    outcome = report_times.judge(incident, received_at=NOW, limits=Limits())
    if isinstance(outcome, Report):
        assert outcome.ts <= NOW + 5.001
        assert outcome.ts >= NOW - 60.001 or incident.status == "cancel"


def test_a_megabyte_is_refused_before_it_is_read() -> None:
    with pytest.raises(DecodeError, match="at most 65536"):
        Incident.decode(b'{"type":"fire","road":"' + b"x" * 1_000_000 + b'"}')


@given(payload=st.binary(max_size=200))
def test_no_bytes_do_worse_than_not_to_parse(payload: bytes) -> None:
    try:
        Incident.decode(payload)
    except DecodeError as error:
        assert str(error)
