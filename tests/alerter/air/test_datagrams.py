from __future__ import annotations

import json

import pytest
from alerter.air import datagrams, heartbeat
from alerter.air.datagrams import alert_payload, fit, room_for_alert
from alerter.air.transmitter import Totals
from hypothesis import given, settings
from hypothesis import strategies as st

from hazardcast.contract.digest import digest
from hazardcast.contract.errors import ConfigError
from hazardcast.contract.incident_types import IncidentType, Severity
from hazardcast.contract.messages import Alert, Datagram
from hazardcast.signing import trust
from hazardcast.signing.envelope import MAX_DATAGRAM_BYTES, Algorithm, seal

ALGORITHMS: list[Algorithm] = ["EdDSA", "HS256"]
BIG = 999_999_999_999_999
TEXT = st.text(
    st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"]),
    min_size=1,
    max_size=64,
)


def longest(road: str | None = None, reported_type: str | None = None) -> Alert:
    """An alert each of whose fields is as long as it gets."""
    return Alert(
        event_id="4294967295-" + "9" * 15, status="cancel", revision=10**9, detection_time=1_800_000_000.123,
        reference_time=1_800_000_000.123, validity_duration_s=86_400, cause_code=94, sub_cause_code=6,
        information_quality=7, awareness_distance_m=10_000, traffic_direction=1,
        event_heading_deg=359.123456789012, station_type=15, confirmed_at=1_800_000_000.123,
        ts=1_800_000_000.123, type=IncidentType.COLLISION, severity=Severity.CRITICAL, lat=-37.1234567,
        lon=-127.1234567, distance_m=999_999.9, clip_hint=False, camera="c" * 40, test=False,
        road=road, reported_type=reported_type,
    )  # fmt: skip


def sealed(alert: Alert, algorithm: Algorithm) -> str:
    signer = trust.signer_of(trust.generate_jwk(algorithm))
    payload = alert_payload(
        station=2**32 - 1, epoch=9_999_999_999, seq=BIG, tx=9_999_999_999.999999, tick=BIG,
        copy=(6, 7), alert=fit(alert, room_for_alert(kid=signer.kid, alg=algorithm)).encode(),
    )  # fmt: skip
    return seal(payload.encode(), signer)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("text", ["x" * 64, "사" * 64, "😀" * 64, '"' * 64, "\\" * 64])
def test_the_longest_alert_fits_into_a_datagram(algorithm: Algorithm, text: str) -> None:
    datagram = sealed(longest(text, text), algorithm)
    assert len(datagram.encode()) <= MAX_DATAGRAM_BYTES


@settings(max_examples=50, deadline=None)
@given(road=TEXT | st.none(), reported_type=TEXT | st.none())
def test_no_text_makes_a_datagram_too_long(road: str | None, reported_type: str | None) -> None:
    assert len(sealed(longest(road, reported_type), "EdDSA").encode()) <= MAX_DATAGRAM_BYTES


def test_what_an_alert_needs_without_free_texts_is_promised() -> None:
    assert len(longest().encode().encode()) <= datagrams.NEEDED_BYTES
    with pytest.raises(ConfigError, match="too long"):
        room_for_alert(kid="k" * 200, alg="EdDSA")


def test_ordinary_texts_are_kept_whole(alert: Alert) -> None:
    named = alert.model_copy(
        update={"road": "경부고속도로 부산방향 12.3km", "reported_type": "전복"}
    )
    assert fit(named, room_for_alert(kid="12345678", alg="EdDSA")) == named


def test_the_text_of_a_payload_is_the_datagram_that_it_says(alert: Alert) -> None:
    text = alert_payload(
        station=4097, epoch=7, seq=8, tx=1_800_000_000.123456, tick=9, copy=(1, 2),
        alert=alert.encode(),
    )  # fmt: skip
    expected = Datagram(
        kind="alert", station=4097, epoch=7, seq=8, tx=1_800_000_000.123456, tick=9, copy_=(1, 2),
        alert=alert,
    )  # fmt: skip
    assert Datagram.decode(text) == expected
    assert json.loads(text) == json.loads(expected.encode())


def test_a_heartbeat_tells_totals_and_what_is_in_force(alert: Alert) -> None:
    beat = heartbeat.compose(Totals(12, 10, 2, 11), [alert], state="ok")
    assert (beat.last_alert_seq, beat.sent_alert_datagrams, beat.sent_heartbeats) == (11, 10, 2)
    assert (beat.active_count, beat.active_digest) == (1, digest([alert]))


def test_a_heartbeat_names_the_cameras_that_do_not_broadcast_everything_at_once(
    alert: Alert,
) -> None:
    withheld = heartbeat.withholding(confirm=["north", "south"], shadow=["south"])
    beat = heartbeat.compose(Totals(1, 0, 1, 0), [], state="ok", withheld=withheld)

    assert (beat.confirm, beat.shadow, beat.withholding_count) == (
        ("north", "south"),
        ("south",),
        2,
    )
    assert "shadow" not in heartbeat.compose(Totals(1, 0, 1, 0), [], state="ok").encode()


def test_however_many_they_are_the_heartbeat_fits_into_a_datagram() -> None:
    names = [f"camera-with-a-rather-long-name-numbr-{n:03}" for n in range(300)]
    withheld = heartbeat.withholding(confirm=names, shadow=names)
    beat = heartbeat.compose(
        Totals(9**9, 9**9, 9**9, 9**9), [], state="degraded", withheld=withheld
    )

    assert beat.withholding_count == 300
    assert 1 <= len(beat.confirm or ()) <= len(names)
    assert len(beat.encode()) < 800
