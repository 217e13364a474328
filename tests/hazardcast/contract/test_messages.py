from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.contract.errors import DecodeError
from hazardcast.contract.messages import (
    Alert,
    CameraStatus,
    ClipRequest,
    ClipState,
    Datagram,
    Decided,
    Decision,
    Detections,
    Evidence,
    Incident,
    JournalEntry,
    Message,
    Pending,
    RealtimeEvent,
    Receipt,
    ReplayRequest,
    SelfTest,
    ServiceStatus,
    Verdict,
)
from hazardcast.contract.report_warnings import ReportWarnings

EXAMPLES = Path(__file__).parents[1] / "examples"
MODELS: dict[str, type[Message]] = {
    model.__name__: model
    for model in (Alert, ClipRequest, ClipState, Datagram, Decided, Decision, Detections, Evidence, Incident, JournalEntry, Pending, RealtimeEvent, Receipt, ReplayRequest, ReportWarnings, SelfTest, ServiceStatus, Verdict)
}  # fmt: skip

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=8,
)


def problem(payload: object) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        Incident.decode(payload if isinstance(payload, str) else json.dumps(payload))
    return caught.value


def test_the_least_that_is_accepted_is_a_type() -> None:
    incident = Incident.decode('{"type":"collision"}')

    assert (incident.type, incident.severity, incident.clip_hint) == ("collision", "high", True)
    assert incident.ts is None


@pytest.mark.parametrize(
    "ts",
    [1737930000.123, 1737930000123, "1737930000.123", "1737930000123", "2025-01-26T22:20:00.123Z", "2025-01-27T07:20:00.123+09:00"],
)  # fmt: skip
def test_time_is_understood_in_every_form(ts: object) -> None:
    assert Incident.parse({"type": "fire", "ts": ts}).ts == pytest.approx(1737930000.123, abs=1e-4)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "type"),
        ({"type": 3}, "type"),
        ({"type": "fire", "ts": "yesterday"}, "ts"),
        ({"type": "fire", "ts": "2025-01-26T22:20:00"}, "ts"),
        ({"type": "fire", "ts": True}, "ts"),
        ({"type": "fire", "ts": -5}, "ts"),
        ({"type": "fire", "severity": "awful"}, "severity"),
        ({"type": "fire", "lat": 91, "lon": 0}, "lat"),
        ({"type": "fire", "lat": "north", "lon": 0}, "lat"),
        ({"type": "fire", "camera": "../etc"}, "camera"),
        ({"type": "fire", "camera": "North 1"}, "camera"),
        ({"type": "fire", "event_id": "a/b"}, "event_id"),
        ({"type": "fire", "confidence": 1.5}, "confidence"),
        ({"type": "fire", "distance_m": -1}, "distance_m"),
        ({"type": "fire", "road": "x" * 65}, "road"),
        ({"type": "fire", "road": "a\x1b[2Jb"}, "road"),
        ({"type": "fire", "road": "a\x9b2Jb"}, "road"),
        ({"type": "fire", "road": "a\u202eb"}, "road"),
        ({"type": "fire", "status": "negate"}, "status"),
        ({"type": "fire", "clip_hint": "perhaps"}, "clip_hint"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, object], field: str) -> None:
    assert problem(fields).field == field


def test_half_a_position_is_refused() -> None:
    assert "lat and lon" in problem({"type": "fire", "lat": 37.0}).reason


@pytest.mark.parametrize("text", ["", "{", "nothing", "[]", "3", '"collision"', "null", "[" * 100_000, '{"type":"fire","confidence":NaN}', '{"type":"fire","ts":1e999}'])  # fmt: skip
def test_what_is_not_an_object_of_finite_numbers_is_refused(text: str) -> None:
    assert problem(text).reason


def test_a_megabyte_is_refused_before_it_is_read() -> None:
    assert "1000000 bytes" in problem("x" * 1_000_000).reason


def test_a_type_that_is_new_to_us_is_kept_as_reported() -> None:
    incident = Incident.parse({"type": "wildlife"})

    assert (incident.type, incident.reported_type) == ("unknown", "wildlife")


def with_booleans(value: Any) -> Iterator[Any]:
    """`value` with one number after the other made a boolean: 1 is true, any other false."""
    if isinstance(value, bool):
        return
    if isinstance(value, int | float):
        yield value == 1
        return
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()  # fmt: skip
    for key in keys:
        for changed in with_booleans(value[key]):
            copy = value.copy()
            copy[key] = changed
            yield copy


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_a_boolean_is_no_number_in_any_message(path: Path) -> None:
    message = json.loads(path.read_text())
    for free in ("evidence", "reasons", "detail", "body"):  # whose content is the sender's own
        if isinstance(message.get(free), dict):
            message[free] = {}
    for changed in with_booleans(message):
        with pytest.raises(DecodeError):
            MODELS[path.stem.split(".")[0]].parse(changed)


def test_unknown_fields_are_ignored() -> None:
    assert Incident.parse({"type": "fire", "colour": "red"}) == Incident.parse({"type": "fire"})


@given(st.dictionaries(st.sampled_from([*Incident.model_fields, "else"]), json_values))
def test_any_object_is_either_an_incident_or_a_decode_error(data: dict[str, object]) -> None:
    try:
        incident = Incident.parse(data)
    except DecodeError as error:
        assert str(error)
    else:
        assert Incident.decode(incident.encode()) == incident


@given(st.sampled_from(sorted(MODELS)), st.binary(max_size=300) | st.text(max_size=300))
def test_no_bytes_make_any_message_crash(name: str, payload: bytes | str) -> None:
    try:
        MODELS[name].decode(payload)
    except DecodeError as error:
        assert str(error)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_golden_examples_decode_for_ever(path: Path) -> None:
    model = MODELS[path.stem.split(".")[0]]

    message = model.decode(path.read_bytes())

    assert json.loads(message.encode()) == json.loads(path.read_text())


def test_every_message_has_a_golden_example() -> None:
    assert {path.stem.split(".")[0] for path in EXAMPLES.glob("*.json")} == set(MODELS)


def test_a_remark_that_is_too_long_is_cut_and_the_status_is_told_all_the_same() -> None:
    status = CameraStatus(camera="north", state="unreadable", detail="no such file: /" + "x" * 300)

    assert status.detail is not None
    assert (len(status.detail), status.detail[:14], status.detail[-1]) == (
        200,
        "no such file: ",
        "…",
    )
