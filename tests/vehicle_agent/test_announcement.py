from __future__ import annotations

import re

import pytest
from vehicle_agent.announcement import (
    Announcement,
    Word,
    alert_line,
    clock_text,
    speed_text,
)
from vehicle_agent.clock_trust import ClockState
from vehicle_agent.sighting import Sighting
from vehicle_agent.speed_policy import Advice

from hazardcast.contract.messages import Alert, Datagram
from hazardcast.signing.envelope import open_unverified
from hazardcast.testing import ManualClock, SignedStation

CLOCK = ManualClock()
STATION = SignedStation(clock=CLOCK)


def sighting(alert: Alert, *, clock_error_s: float | None = 0.5) -> Sighting:
    datagram = Datagram.decode(open_unverified(STATION.say(alert)).payload)
    now = CLOCK.now()
    return Sighting(datagram, STATION.kid, "multicast", now, 1.0, now, clock_error_s)


def line(alert: Alert, word: Word = Word.NEW, **changes: object) -> str:
    fields = {"distance_m": alert.distance_m, **changes}
    if "sighting" not in fields:
        fields["sighting"] = sighting(alert)
    text = alert_line(Announcement(word, alert, **fields), alert.confirmed_at + 0.003)  # type: ignore[arg-type]
    return re.sub(r"\d\d:\d\d:\d\d\.\d{3}", "TIME", text)


def test_a_new_alert_is_one_line() -> None:
    assert line(STATION.alert(17)) == (
        "[RECV] TIME NEW collision high 4097-17 500 m ahead on segment_A"
        "  latency 3 ms  (copy 1/7, multicast)"
    )


def test_a_test_says_so_first() -> None:
    assert line(STATION.alert(test=True)).startswith("[RECV] TIME TEST NEW ")


def test_what_is_not_known_is_left_out() -> None:
    bare = STATION.alert(distance_m=None, road=None)

    assert line(bare, sighting=None) == "[RECV] TIME NEW collision high 4097-1"


def test_an_event_behind_is_told_apart() -> None:
    assert "500 m behind on" in line(STATION.alert(), ahead=False)


def test_an_unknown_type_is_named_as_reported() -> None:
    assert "NEW unknown (landslide) high" in line(
        STATION.alert(type="unknown", reported_type="landslide")
    )


def test_an_expired_alert_has_no_transport() -> None:
    assert line(STATION.alert(), Word.EXPIRED, sighting=None) == (
        "[RECV] TIME EXPIRED collision high 4097-1 500 m ahead on segment_A"
    )


def test_without_a_trusted_clock_no_latency_is_claimed() -> None:
    alert = STATION.alert()
    text = line(alert, sighting=sighting(alert, clock_error_s=None))

    assert "latency" not in text
    assert text.endswith("CLOCK UNSYNCED: inform only  (copy 1/7, multicast)")


def test_a_late_joiners_line_claims_no_latency_either() -> None:
    assert "in force for 3 ms" in line(STATION.alert(), before_joining=True)


@pytest.mark.parametrize("mark", ["\x1b[2J", "\x9b2J", "\u202e", "\u2028", "\n", "\u200b"])
def test_marks_that_deceive_are_replaced(mark: str) -> None:
    alert = STATION.alert().model_copy(update={"road": f"a{mark}b"})

    assert line(alert, sighting=None).isprintable()


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (ClockState("kernel", 0.02, 0.01), "CLOCK OK by kernel, within 20 ms"),
        (ClockState("none", None, None), "CLOCK UNSYNCED: alerts inform only"),
        (ClockState("none", None, 5.0), "CLOCK UNSYNCED, +5.0 s against the station: alerts inform only"),
        (ClockState("kernel", 0.02, 5.0), "STATION CLOCK -5.0 s from ours: its datagrams are refused"),
    ],
)  # fmt: skip
def test_the_clock_is_told_in_words(state: ClockState, text: str) -> None:
    assert clock_text(state) == text


def test_the_speed_is_told_in_words() -> None:
    alert = STATION.alert()

    assert speed_text(None) == "no limit"
    assert speed_text(Advice(7.0, alert)) == "slow to 7.0 m/s (25 km/h) for collision 4097-1"
    assert speed_text(Advice(0.0, alert)) == "stop for collision 4097-1"
