"""The alert as DENM: encoded by pycrate's modules, read by asn1tools from a grammar of our own."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import asn1tools
import pytest
from alerter.exports import denm
from alerter.exports.denm import NoDenmError
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.contract.its_time import epoch_s, its_ms
from hazardcast.contract.messages import Alert
from hazardcast.testing import ManualClock, SignedStation

STATION = SignedStation(clock=ManualClock())
GRAMMAR = Path(__file__).with_name("asn1") / "denm.asn"
READER = asn1tools.compile_files(str(GRAMMAR), "uper")


def uper(alert: Alert) -> bytes:
    if importlib.util.find_spec("pycrate_asn1dir") is None:
        pytest.skip("the denm extra is not installed")
    from alerter.exports import denm_uper

    return denm_uper.encode(alert)


def read(alert: Alert) -> dict[str, Any]:
    return dict(READER.decode("DENM", uper(alert)))


def test_an_independent_decoder_reads_the_alert() -> None:
    alert = STATION.alert(17, lat=37.1234567, lon=-127.7654321, event_heading_deg=90.0)
    alert = alert.model_copy(update={"detection_time": 1_167_609_600.0})

    message = read(alert)

    assert message["header"] == {"protocolVersion": 2, "messageID": 1, "stationID": 4097}
    management = message["denm"]["management"]
    assert management["actionID"] == {"originatingStationID": 4097, "sequenceNumber": 17}
    assert management["detectionTime"] == 94_694_401_000
    assert management["referenceTime"] == its_ms(alert.reference_time)
    assert "termination" not in management
    assert management["eventPosition"]["latitude"] == 371_234_567
    assert management["eventPosition"]["longitude"] == -1_277_654_321
    assert management["eventPosition"]["altitude"]["altitudeConfidence"] == "unavailable"
    assert management["validityDuration"] == alert.validity_duration_s
    assert management["transmissionInterval"] == 500
    assert management["stationType"] == 15
    heading = {"headingValue": 900, "headingConfidence": 127}
    assert message["denm"]["location"]["eventPositionHeading"] == heading
    assert message["denm"]["situation"]["informationQuality"] == alert.information_quality


@pytest.mark.parametrize(
    ("kind", "cause", "choice"),
    [
        ("collision", (2, 0), {"accident2": 0}),
        ("rollover", (2, 2), {"accident2": 2}),
        ("fire", (94, 0), {"stationaryVehicle94": 6}),
        ("blockage", (10, 0), {"impassability5": 0}),
        ("unknown", (10, 0), {"hazardousLocation-ObstacleOnTheRoad10": 0}),
    ],
)
def test_the_cause_is_what_each_release_calls_it(
    kind: str, cause: tuple[int, int], choice: dict[str, int]
) -> None:
    from hazardcast.contract.incident_types import CAUSES, IncidentType

    codes = CAUSES[IncidentType(kind)]
    alert = STATION.alert(type=kind, cause_code=codes.code, sub_cause_code=codes.sub_code)

    told = read(alert)["denm"]["situation"]["eventType"]

    assert (told["causeCode"], told["subCauseCode"]) == cause
    assert denm.vanetza(alert)["situation"]["eventType"] == {"ccAndScc": choice}


@pytest.mark.parametrize(
    ("status", "termination", "number"),
    [("cancel", "isCancellation", 0), ("negate", "isNegation", 1)],
)
def test_an_end_carries_its_termination_and_no_situation(
    status: str, termination: str, number: int
) -> None:
    alert = STATION.alert(17, status=status, revision=3)

    payload = read(alert)["denm"]

    assert payload["management"]["termination"] == termination
    assert set(payload) == {"management"}
    told = denm.vanetza(alert)
    assert told["management"]["termination"] == number
    assert "situation" not in told
    assert "location" not in told


def test_an_update_keeps_identity_and_detection_and_moves_the_reference_time() -> None:
    first = STATION.alert(17)
    later = first.model_copy(
        update={"status": "update", "revision": 1, "reference_time": first.reference_time + 1.5}
    )

    before, after = (read(one)["denm"]["management"] for one in (first, later))

    assert after["actionID"] == before["actionID"]
    assert after["detectionTime"] == before["detectionTime"]
    assert after["referenceTime"] - before["referenceTime"] == 1500


@pytest.mark.parametrize(
    ("distance_m", "code"),
    [(0, 0), (50, 0), (51, 1), (200, 2), (500, 3), (1000, 4), (5000, 5), (10_000, 6), (10_001, 7)],
)
def test_the_awareness_distance_is_never_told_too_short(distance_m: int, code: int) -> None:
    assert denm.relevance_distance(distance_m) == code


@given(
    st.floats(-90, 90), st.floats(-180, 180), st.integers(0, 86_400), st.integers(0, 3),
    st.one_of(st.none(), st.floats(0, 359.999)), st.floats(1.2e9, 4e9),
)  # fmt: skip
def test_whatever_an_alert_may_hold_can_be_encoded_and_read(
    lat: float, lon: float, validity_s: int, direction: int, heading: float | None, at: float
) -> None:
    alert = STATION.alert(
        lat=lat, lon=lon, validity_duration_s=validity_s, traffic_direction=direction,
        event_heading_deg=heading, detection_time=at, reference_time=at,
    )  # fmt: skip

    management = read(alert)["denm"]["management"]

    assert abs(management["eventPosition"]["latitude"] / 1e7 - lat) <= 1e-7
    assert abs(management["eventPosition"]["longitude"] / 1e7 - lon) <= 1e-7
    assert management["validityDuration"] == validity_s
    assert abs(epoch_s(management["detectionTime"]) - at) <= 0.001


def test_vanetza_gets_its_own_names_and_units() -> None:
    alert = STATION.alert(17, lat=37.5, lon=127.25, event_heading_deg=90.0)
    alert = alert.model_copy(update={"detection_time": 1_167_609_600.25})

    told = denm.vanetza(alert)

    management = told["management"]
    assert told["stationId"] == 4097
    assert management["actionId"] == {"originatingStationId": 4097, "sequenceNumber": 17}
    assert management["detectionTime"] == 94_694_401.25
    position = management["eventPosition"]
    assert (position["latitude"], position["longitude"]) == (37.5, 127.25)
    assert management["awarenessDistance"] == 5
    assert management["trafficDirection"] == 0
    assert told["location"]["eventPositionHeading"] == {"value": 900, "confidence": 127}


def test_a_number_beyond_16_bits_is_counted_on() -> None:
    assert denm.action_id(STATION.alert(65_536 + 17)).number == 17


@pytest.mark.parametrize("event_id", ["4097", "4097-x", "x-17", "-17", "4294967296-1"])
def test_a_name_that_is_not_a_stations_is_no_denm(event_id: str) -> None:
    with pytest.raises(NoDenmError, match="event_id"):
        denm.release_1(STATION.alert().model_copy(update={"event_id": event_id}))
