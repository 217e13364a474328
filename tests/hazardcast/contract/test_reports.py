from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.contract import reports
from hazardcast.contract.messages import Incident
from hazardcast.contract.reports import Reading, Unreadable

CAMERAS = {"north", "south"}
LEFT_OUT = None


def reading(payload: bytes | str | dict[str, Any]) -> Reading:
    if isinstance(payload, dict):
        payload = json.dumps(payload)
    read = reports.read(payload.encode() if isinstance(payload, str) else payload, CAMERAS)
    assert isinstance(read, Reading), read
    return read


def refused(payload: bytes | str | dict[str, Any]) -> Unreadable:
    if isinstance(payload, dict):
        payload = json.dumps(payload)
    read = reports.read(payload.encode() if isinstance(payload, str) else payload, CAMERAS)
    assert isinstance(read, Unreadable), read
    return read


def told(read: Reading | Unreadable) -> dict[str, Any]:
    return {warning.field: warning.used for warning in read.warnings}


def test_a_report_as_the_contract_has_it_is_taken_as_it_is() -> None:
    report = {
        "type": "fire", "ts": 1737930000.1, "severity": "low", "lat": 37.1, "lon": 127.1, "road": "A",
        "distance_m": 5, "clip_hint": False, "camera": "north", "confidence": 1, "status": "update",
        "event_id": "4097-1", "test": True, "evidence": {"a": [1]}, "reported_type": None,
    }  # fmt: skip
    assert reading(report) == Reading(Incident.parse(report))


@pytest.mark.parametrize(
    ("field", "value", "used"),
    [
        ("severity", "High", "high"),
        ("severity", " CRITICAL ", "critical"),
        ("severity", "awful", LEFT_OUT),
        ("severity", None, LEFT_OUT),
        ("severity", 3, LEFT_OUT),
        ("severity", ["high"], LEFT_OUT),
        ("test", None, LEFT_OUT),
        ("test", "n/a", LEFT_OUT),
        ("test", 2, True),
        ("test", -0.5, True),
        ("test", "2", True),
        ("test", "0.0", False),
        ("test", "inf", LEFT_OUT),
        ("test", "1 0", LEFT_OUT),
        ("test", 10**399, True),
        ("test", 10**400, LEFT_OUT),
        ("test", {}, LEFT_OUT),
        ("test", " True ", True),
        ("test", "drill", True),
        ("test", "훈련", True),
        ("test", "모의훈련", True),
        ("test", "모의 훈련", True),
        ("test", "모의", True),
        ("test", "Simulation", True),
        ("test", "Exercise", True),
        ("test", "아니오", False),
        ("test", "실제", LEFT_OUT),
        ("test", "real", LEFT_OUT),
        ("test", "no drill", LEFT_OUT),
        ("test", "훈련 아님", LEFT_OUT),
        ("clip_hint", None, LEFT_OUT),
        ("clip_hint", "perhaps", LEFT_OUT),
        ("clip_hint", " no", False),
        ("status", None, LEFT_OUT),
        ("status", " New", "new"),
        ("confidence", 85, 0.85),
        ("confidence", "85", 0.85),
        ("confidence", "85 %", 0.85),
        ("confidence", "1%", 0.01),
        ("confidence", 2, 0.02),
        ("confidence", 100, 1.0),
        ("confidence", 1.5, LEFT_OUT),
        ("confidence", 101, LEFT_OUT),
        ("confidence", -0.1, LEFT_OUT),
        ("confidence", True, LEFT_OUT),
        ("confidence", "high", LEFT_OUT),
        ("road", "segment_A\n", "segment_A"),
        ("road", "a\x1b[2J\u202eb\ufffe", "a [2J b"),
        ("road", "a" * 80, "a" * 63 + "…"),
        ("road", "\ud800", LEFT_OUT),
        ("road", 12, "12"),
        ("road", True, LEFT_OUT),
        ("camera", "North", "north"),
        ("camera", " south\n", "south"),
        ("camera", "East-1", LEFT_OUT),
        ("camera", "east-1", LEFT_OUT),
        ("camera", "../etc", LEFT_OUT),
        ("camera", 7, LEFT_OUT),
        ("camera", "", LEFT_OUT),
        ("distance_m", -1, LEFT_OUT),
        ("distance_m", True, LEFT_OUT),
        ("distance_m", "500 m", LEFT_OUT),
        ("distance_m", 10**400, LEFT_OUT),
        ("ts", "yesterday", LEFT_OUT),
        ("ts", "2026-11-27 15:00", 1795834800.0),
        ("ts", "2026-11-27", 1795867200.0),
        ("ts", 1_795_800_000_250_000, 1795800000.25),
        ("ts", "1795800000250000000", 1795800000.25),
        ("ts", 10**400, LEFT_OUT),
        ("ts", 1e20, LEFT_OUT),
        ("ts", True, LEFT_OUT),
        ("ts", -5, LEFT_OUT),
        ("ts", [], LEFT_OUT),
        ("confirmed_at", "2026-11-27 15:00", LEFT_OUT),
        ("evidence", "a picture", LEFT_OUT),
        ("event_id", 17, "17"),
        ("event_id", " 4097-1\n", "4097-1"),
        ("event_id", "", LEFT_OUT),
        ("event_id", True, LEFT_OUT),
        ("event_id", ["a"], LEFT_OUT),
        ("report_id", 12, "12"),
    ],
)
def test_a_field_that_is_odd_loses_no_accident(field: str, value: object, used: object) -> None:
    read = reading({"type": "collision", field: value})
    plain = Incident.parse({"type": "collision"} | ({} if used is LEFT_OUT else {field: used}))

    assert (read.incident, told(read)) == (plain, {field: used})


@pytest.mark.parametrize("yes", [True, 1, "true", "TRUE", "yes", "on"])
def test_what_is_plainly_a_test_stays_one(yes: object) -> None:
    assert reading({"type": "fire", "test": yes}).incident.test is True


@pytest.mark.parametrize(
    "mark",
    [
        {"type": "test"}, {"event_id": "test"}, {"road": "test"}, {"reported_type": "test"},
        {"report_id": "self-test"}, {"camera": "test"}, {"kind": "test"}, {"simulated": True},
        {"is_test": True}, {"source": "test"}, {"by": "test"}, {"evidence": {"test": True}},
        {"actual": False}, {"cap_status": "Exercise"},
    ],
)  # fmt: skip
def test_nothing_but_test_makes_a_report_a_test(mark: dict[str, Any]) -> None:
    assert reading({"type": "fire"} | mark).incident.test is False


@pytest.mark.parametrize(
    "place",
    [
        {"lat": 37.1}, {"lon": 127.1}, {"lat": 37.1, "lon": None}, {"lat": 127.1, "lon": 37.1},
        {"lat": "37,5", "lon": "127,1"}, {"lat": True, "lon": False}, {"lat": "north", "lon": 127.1},
        {"lat": 37.1, "lon": 181}, {"lat": [37.1], "lon": {}}, {"lat": 10**400, "lon": 127.1},
        {"lat": "NaN", "lon": "inf"},
    ],
)  # fmt: skip
def test_a_place_that_is_none_is_left_out_whole(place: dict[str, Any]) -> None:
    read = reading({"type": "fire"} | place)

    assert (read.incident.lat, read.incident.lon) == (None, None)
    assert set(told(read)) == {"lat", "lon"}


def test_numbers_as_text_are_numbers() -> None:
    read = reading({"type": "fire", "lat": " 37.5", "lon": "127.1", "confidence": "0.5"})

    assert (read.incident.lat, read.incident.lon, read.incident.confidence) == (37.5, 127.1, 0.5)
    assert read.warnings == ()


def test_what_a_receiver_without_a_fix_reports_is_said() -> None:
    assert set(told(reading({"type": "fire", "lat": 0, "lon": 0}))) == {"lat", "lon"}


def test_infinite_numbers_are_left_out() -> None:
    read = reading('{"type":"fire","ts":1e999,"lat":NaN,"lon":-Infinity,"distance_m":Infinity}')

    assert read.incident == Incident.parse({"type": "fire"})
    assert set(told(read)) == {"ts", "lat", "lon", "distance_m"}


@pytest.mark.parametrize("second", ["60Z", "60.25Z", "60+00:00", "60z"])
def test_a_leap_second_is_the_next_minutes_first(second: str) -> None:
    read = reading({"type": "fire", "ts": f"2016-12-31T23:59:{second}"})

    assert read.incident.ts == 1483228800.0 + (0.25 if "." in second else 0.0)
    assert read.warnings == ()


def test_an_odd_event_id_names_the_same_event_each_time() -> None:
    first, again, other = (
        reading({"type": "fire", "event_id": name}).incident.event_id
        for name in ("사고/17", "사고/17", "사고/18")
    )

    assert first is not None
    assert first == again != other


@pytest.mark.parametrize(
    ("report", "field"),
    [
        ({}, "type"),
        ({"type": None}, "type"),
        ({"type": 3}, "type"),
        ({"type": ["fire"]}, "type"),
        ({"type": True}, "type"),
        ({"type": "fire", "status": "gone"}, "status"),
        ({"type": "fire", "status": "negate"}, "status"),
        ({"type": "fire", "status": ""}, "status"),
        ({"type": "fire", "status": 0}, "status"),
        ({"type": "fire", "status": False}, "status"),
        ({"type": "fire", "status": ["new"]}, "status"),
    ],
)
def test_what_must_not_be_guessed_is_refused(report: dict[str, Any], field: str) -> None:
    assert refused(report).problem.field == field


def test_a_refusal_knows_the_reporters_name_for_the_report_and_what_else_was_odd() -> None:
    read = refused({"report_id": "r-1", "status": "gone", "type": "fire", "By": "me"})

    assert (read.report_id, told(read)) == ("r-1", {"By": None})


def test_a_persons_decision_is_not_made_here() -> None:
    read = reading({"type": "fire", "by": "me", "source": "operator", "negate": True})

    assert read.incident == Incident.parse({"type": "fire"})
    assert set(told(read)) == {"by", "source", "negate"}


def test_a_word_that_is_no_type_is_told_as_unknown_and_kept() -> None:
    read = reading({"type": "사고\n없음"})

    assert (read.incident.type, read.incident.reported_type) == ("unknown", "사고 없음")
    assert told(read) == {"type": "unknown"}


def test_a_word_of_the_table_needs_no_warning() -> None:
    read = reading({"type": "교통사고"})

    assert (read.incident.type, read.incident.reported_type, read.warnings) == (
        "collision",
        None,
        (),
    )


def test_names_of_fields_are_known_in_any_case() -> None:
    read = reading({"Type": "fire", "LAT": 37.1, "Lon": 127.1, "eventId": "a", "STATUS": "cancel"})

    named = {"type": "fire", "lat": 37.1, "lon": 127.1, "event_id": "a", "status": "cancel"}
    assert read.incident == Incident.parse(named)
    assert told(read)["eventId"] == "event_id"


def test_fields_of_other_names_are_ignored() -> None:
    assert reading({"type": "fire", "colour": "red", "latitude": 3}) == reading({"type": "fire"})


@pytest.mark.parametrize(
    "payload",
    [
        b'{"type":"fire"}\0\0', b'\xef\xbb\xbf{"type":"fire"}', '{"type":"fire"}'.encode("utf-16"),
        '{"type":"fire"}'.encode("utf-16-be"), '{"type":"화재"}'.encode("cp949"),
        '{"type":"fire","x":"ß"}'.encode("latin-1"), b'[{"type":"fire"}]', b'"{\\"type\\":\\"fire\\"}"',
        b'{"type":"fire","evidence":{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}}",
    ],
)  # fmt: skip
def test_an_object_in_odd_wrapping_is_unwrapped_and_said(payload: bytes) -> None:
    read = reading(payload)

    assert (read.incident.type, set(told(read))) == ("fire", {"payload"})


@pytest.mark.parametrize("payload", [b' \r\n{"type":"fire"}\n', b'{"type":"fire","evidence":{"a":1,"a":2}}', b'{"type":"fire","x":' + b"9" * 5000 + b"}"])  # fmt: skip
def test_what_is_odd_but_harmless_is_no_matter(payload: bytes) -> None:
    assert reading(payload).warnings == ()


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"{", b"nothing", b"[]", b'[{"type":"fire"},{"type":"fire"}]', b"3", b"null",
        b'"fire"', b'{"type":"fire"}{"type":"fire"}', b'{"type":"fire"', b"[" * 60_000, b"\0",
        b'{"type":"fire","evidence":' + b"[" * 60_000 + b"}", b"\xff", b"\xff\xfe", b"NaN",
        b'{"type":"fire","road":"' + b"x" * 70_000 + b'"}', b"type=fire", b"{'type':'fire'}",
    ],
)  # fmt: skip
def test_what_is_not_one_object_is_refused_in_words(payload: bytes) -> None:
    problem = refused(payload).problem

    assert problem.field is None
    assert problem.reason.startswith(("not JSON: ", "expected a JSON object, got ", "payload of "))


def test_a_field_that_stands_twice() -> None:
    alike = reading('{"type":"fire","status":"new","status":"new"}')
    last = reading('{"type":"fire","road":"A","road":"B"}')
    doubtful = reading('{"type":"fire","test":true,"test":false,"event_id":"a","event_id":"b"}')

    assert told(alike) == {"status": LEFT_OUT}
    assert (last.incident.road, told(last)) == ("B", {"road": LEFT_OUT})
    assert (doubtful.incident, set(told(doubtful))) == (
        Incident.parse({"type": "fire"}),
        {"test", "event_id"},
    )
    assert refused('{"type":"fire","status":"new","status":"cancel"}').problem.field == "status"


@pytest.mark.parametrize(
    "marks",
    [
        '"test":true,"test":false', '"test":false,"test":true', '"test":true,"Test":false',
        '"Test":false,"test":true', '"test":false,"TEST":true', '"Test":true,"TEST":false',
        '"Test":false,"Test":true', '"test":true,"test":false,"Test":true', '"test":"n/a","Test":true',
        '"test":true,"Test":"real"', '"test":"perhaps","test":"훈련"',
    ],
)  # fmt: skip
def test_marks_of_a_test_that_differ_are_told_as_real_and_said(marks: str) -> None:
    read = reading('{"type":"fire",' + marks + "}")

    assert not read.incident.test
    assert "given twice, differently: told as real" in [one.problem for one in read.warnings]


@pytest.mark.parametrize(
    "marks", ['"test":true,"test":"yes"', '"test":1,"Test":"훈련"', '"test":null,"test":true']
)
def test_marks_of_a_test_that_agree_in_other_words_are_one(marks: str) -> None:
    assert reading('{"type":"fire",' + marks + "}").incident.test


@pytest.mark.parametrize("name", ["status", "Status"])
def test_a_status_given_twice_under_one_name_is_refused_however_it_is_spelt(name: str) -> None:
    twice = f'{{"type":"fire","{name}":"cancel","{name}":"new"}}'

    assert refused(twice).problem.field == "status"


def test_a_status_that_stands_there_in_two_spellings_is_never_taken_for_a_new_incident() -> None:
    cancel = reading('{"type":"fire","event_id":"a","status":null,"Status":"cancel"}')
    alike = reading('{"type":"fire","status":"update","event_id":"a","STATUS":"update"}')

    assert (cancel.incident.status, alike.incident.status) == ("cancel", "update")
    assert reading('{"type":"fire","status":"new","Status":" New"}').incident.status == "new"
    for first, second in (("status", "Status"), ("STATUS", "Status")):
        doubtful = {"type": "fire", "event_id": "a", first: "new", second: "cancel"}
        assert refused(doubtful).problem.field == "status"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=8,
)
OPTIONAL = sorted(set(Incident.model_fields) - {"type", "status"})


@given(st.dictionaries(st.sampled_from(OPTIONAL), json_values))
def test_no_value_of_any_other_field_loses_a_collision(fields: dict[str, object]) -> None:
    read = reading({"type": "collision"} | fields)

    assert (read.incident.type, read.incident.status) == ("collision", "new")
    assert Incident.decode(read.incident.encode()) == read.incident
    for warning in read.warnings:
        assert warning.encode().encode()


@given(st.dictionaries(st.text(max_size=12), json_values), st.binary(max_size=200))
def test_whatever_comes_is_read_or_refused(fields: dict[str, object], payload: bytes) -> None:
    for text in (json.dumps(fields).encode(), payload, b'{"type":"fire",' + payload):
        assert isinstance(reports.read(text, CAMERAS), Reading | Unreadable)


def test_a_report_without_a_name_is_named_by_its_text() -> None:
    assert reports.report_id(b'{"type":"fire"}', None) == "88989cfed26be7c1"
    assert reports.report_id(b'{"type":"fire"}', "mine") == "mine"
