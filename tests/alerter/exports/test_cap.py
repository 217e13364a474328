"""The CAP message, read by a parser that knows only OASIS CAP 1.2's schema."""

from __future__ import annotations

import re
from typing import Any

import pytest
from alerter.exports import cap
from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.contract.incident_types import IncidentType, Severity
from hazardcast.contract.messages import Alert
from hazardcast.testing import ManualClock, SignedStation

STATION = SignedStation(clock=ManualClock())
CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"
ALERT = [
    "identifier",
    "sender",
    "sent",
    "status",
    "msgType",
    "source?",
    "scope",
    "restriction?",
    "addresses?",
    "code*",
    "note?",
    "references?",
    "incidents?",
    "info*",
]
INFO = [
    "language?",
    "category+",
    "event",
    "responseType*",
    "urgency",
    "severity",
    "certainty",
    "audience?",
    "eventCode*",
    "effective?",
    "onset?",
    "expires?",
    "senderName?",
    "headline?",
    "description?",
    "instruction?",
    "web?",
    "contact?",
    "parameter*",
    "resource*",
    "area*",
]
AREA = ["areaDesc", "polygon*", "circle*", "geocode*", "altitude?", "ceiling?"]
PAIR = ["valueName", "value"]
WORDS = {
    "status": "Actual Exercise System Test Draft",
    "msgType": "Alert Update Cancel Ack Error",
    "scope": "Public Restricted Private",
    "category": "Geo Met Safety Security Rescue Fire Health Env Transport Infra CBRNE Other",
    "responseType": "Shelter Evacuate Prepare Execute Avoid Monitor Assess AllClear None",
    "urgency": "Immediate Expected Future Past Unknown",
    "severity": "Extreme Severe Moderate Minor Unknown",
    "certainty": "Observed Likely Possible Unlikely Unknown",
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")
CIRCLE = re.compile(r"-?\d+(\.\d+)?,-?\d+(\.\d+)? \d+(\.\d+)?(e[+-]?\d+)?")
NAME = re.compile(r"[^ ,<&]+")


def follows(element: Any, content: list[str]) -> None:
    """The children are those of the schema's sequence, in its order and number."""
    pattern = "".join(
        f"(?:{one.rstrip('?*+')} ){one[-1] if one[-1] in '?*+' else ''}" for one in content
    )
    names = "".join(child.tag.removeprefix(CAP) + " " for child in element)
    assert re.fullmatch(pattern, names), (element.tag, names)
    assert all(child.tag.startswith(CAP) for child in element)


def valid(text: bytes) -> Any:
    """The message, held against the schema: structure, words, times, areas."""
    root = ElementTree.fromstring(text)
    assert root.tag == f"{CAP}alert"
    follows(root, ALERT)
    for info in root.iter(f"{CAP}info"):
        follows(info, INFO)
    for area in root.iter(f"{CAP}area"):
        follows(area, AREA)
    for name in ("parameter", "eventCode"):
        for pair in root.iter(CAP + name):
            follows(pair, PAIR)
    for name, words in WORDS.items():
        assert all(one.text in words.split() for one in root.iter(CAP + name))
    for name in ("sent", "effective", "onset", "expires"):
        assert all(TIME.fullmatch(one.text) for one in root.iter(CAP + name))
    for name in ("identifier", "sender"):
        assert all(NAME.fullmatch(one.text) for one in root.iter(CAP + name))
    assert all(CIRCLE.fullmatch(one.text) for one in root.iter(f"{CAP}circle"))
    return root


def text(root: Any, path: str) -> str | None:
    return root.findtext("/".join(CAP + part for part in path.split("/")))


def later(alert: Alert, **changes: Any) -> Alert:
    return alert.model_copy(update={"reference_time": alert.reference_time + 5, **changes})


def test_a_new_alert_is_an_alert() -> None:
    alert = STATION.alert(17, lat=37.5, lon=127.25, awareness_distance_m=5000)
    alert = alert.model_copy(
        update={"detection_time": 1_167_609_600.9, "reference_time": 1_167_609_601.0}
    )

    root = valid(cap.message(alert))

    assert text(root, "identifier") == "4097-17.0"
    assert text(root, "sender") == "hazardcast-4097"
    assert (text(root, "status"), text(root, "msgType")) == ("Actual", "Alert")
    assert text(root, "references") is None
    assert text(root, "sent") == "2007-01-01T00:00:01-00:00"
    assert text(root, "info/onset") == "2007-01-01T00:00:00-00:00"
    assert text(root, "info/expires") == "2007-01-01T00:15:00-00:00"
    assert text(root, "info/severity") == "Severe"
    assert text(root, "info/area/circle") == "37.5000000,127.2500000 5"
    parameters = {
        one[0].text: one[1].text for one in root.iter(f"{CAP}parameter")
    }  # fmt: skip
    assert parameters["hazardcast:event_id"] == "4097-17"


def test_update_and_cancel_name_the_messages_before() -> None:
    first = STATION.alert(17)
    update = later(first, status="update", revision=1)
    cancel = later(update, status="cancel", revision=2)
    told = [cap.reference(first)]

    second = valid(cap.message(update, told))
    third = valid(cap.message(cancel, [*told, cap.reference(update)]))

    assert text(second, "msgType") == "Update"
    sent = text(valid(cap.message(first)), "sent")
    assert text(second, "references") == f"hazardcast-4097,4097-17.0,{sent}"
    assert text(third, "msgType") == "Cancel"
    assert len(str(text(third, "references")).split(" ")) == 2
    assert text(third, "info/responseType") == "AllClear"
    assert text(third, "incidents") == "4097-17"


def test_an_update_of_what_was_never_told_is_an_alert() -> None:
    root = valid(cap.message(STATION.alert(status="update", revision=4)))

    assert text(root, "msgType") == "Alert"


def test_a_cancel_always_names_what_it_cancels() -> None:
    root = valid(cap.message(STATION.alert(17, status="cancel", revision=3)))

    assert str(text(root, "references")).startswith("hazardcast-4097,4097-17.2,")


def test_a_rehearsal_is_an_exercise() -> None:
    assert text(valid(cap.message(STATION.alert(test=True))), "status") == "Exercise"


@given(
    st.sampled_from(IncidentType), st.sampled_from(Severity),
    st.sampled_from(["new", "update", "cancel", "negate"]), st.integers(0, 7),
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=60),
    st.floats(-90, 90), st.floats(-180, 180), st.integers(0, 100_000),
)  # fmt: skip
def test_whatever_an_alert_may_hold_is_valid_cap(
    kind: str,
    severity: str,
    status: str,
    quality: int,
    road: str,
    lat: float,
    lon: float,
    away: int,
) -> None:
    alert = STATION.alert(type=kind, severity=severity, status=status, lat=lat, lon=lon)
    alert = alert.model_copy(
        update={"information_quality": quality, "road": road, "awareness_distance_m": away}
    )

    valid(cap.message(alert, [cap.reference(STATION.alert())]))


ILLEGAL_IN_XML = [
    "\x00",
    "\x0b",
    "\x1b",
    "\ud800",
    "\udfff",
    "\ufffe",
    "\uffff",
    "\x7f",
    "\u202e",
    "\U0001ffff",
]


@pytest.mark.parametrize("character", ILLEGAL_IN_XML, ids=lambda one: f"U+{ord(one):04X}")
@pytest.mark.parametrize("field", ["road", "reported_type", "camera"])
def test_no_text_of_a_report_breaks_the_document(field: str, character: str) -> None:
    alert = STATION.alert(17).model_copy(update={field: f"A{character}한 <&>"})

    root = valid(cap.message(alert))

    assert "한 <&>" in "".join(root.itertext())
