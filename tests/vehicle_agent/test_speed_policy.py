from __future__ import annotations

import pytest
from vehicle_agent.relevance import Pose
from vehicle_agent.speed_policy import Concern, advise

from hazardcast.messages import Alert
from hazardcast.testing import ManualClock, SignedStation

STATION = SignedStation(clock=ManualClock())
CRUISING_MPS = 20.0


def target(*alerts: Alert, trusted: bool = True, pose: Pose | None = None) -> float | None:
    advice = advise([Concern(alert, trusted) for alert in alerts], pose or Pose(), CRUISING_MPS)
    return advice.target_mps if advice else None


def alert(kind: str, severity: str, distance_m: float | None = 2000.0, **changes: object) -> Alert:
    return STATION.alert(type=kind, severity=severity, distance_m=distance_m, **changes)


@pytest.mark.parametrize(
    ("severity", "expected_mps"),
    [("low", None), ("medium", 16.0), ("high", 10.0), ("critical", 6.0)],
)
@pytest.mark.parametrize("kind", ["collision", "fire", "blockage", "rollover"])
def test_severity_says_how_much_speed_is_left(
    kind: str, severity: str, expected_mps: float | None
) -> None:
    assert target(alert(kind, severity)) == expected_mps


@pytest.mark.parametrize(
    ("kind", "severity", "distance_m", "expected_mps"),
    [
        ("collision", "high", 500, 0.5),
        ("collision", "high", 501, 10.0),
        ("fire", "high", 499, 0.5),
        ("rollover", "high", 100, 0.5),
        ("collision", "critical", 100, 0.5),
        ("collision", "medium", 100, 16.0),
        ("collision", "low", 10, None),
        ("blockage", "critical", 200, 0.0),
        ("blockage", "critical", 201, 6.0),
        ("blockage", "high", 100, 10.0),
        ("collision", "high", None, 10.0),
    ],
)
def test_near_the_event_more_is_asked(
    kind: str, severity: str, distance_m: float | None, expected_mps: float | None
) -> None:
    assert target(alert(kind, severity, distance_m)) == expected_mps


def test_the_vehicles_own_position_counts_before_the_reporters_distance() -> None:
    event = alert("collision", "high", 100.0, lat=37.0, lon=127.0)

    assert target(event, pose=Pose(37.01, 127.0)) == 10.0
    assert target(event, pose=Pose(37.001, 127.0)) == 0.5


def test_an_event_behind_the_vehicle_informs() -> None:
    event = alert("collision", "high", 100.0, lat=37.0, lon=127.0)

    assert target(event, pose=Pose(36.999, 127.0, 180.0)) is None


@pytest.mark.parametrize("severity", ["low", "medium", "high", "critical"])
def test_an_unknown_incident_informs(severity: str) -> None:
    assert target(alert("unknown", severity, 10.0)) is None


def test_a_test_never_brakes() -> None:
    assert target(alert("collision", "critical", 10.0, test=True)) is None


def test_what_is_not_known_to_be_fresh_never_brakes() -> None:
    assert target(alert("collision", "critical", 10.0), trusted=False) is None


def test_the_strictest_alert_decides() -> None:
    assert (
        target(alert("fire", "medium"), alert("blockage", "critical"), alert("collision", "low"))
        == 6.0
    )


def test_without_alerts_there_is_no_limit() -> None:
    assert target() is None
