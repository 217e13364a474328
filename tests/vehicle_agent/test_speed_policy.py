from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vehicle_agent.relevance import Pose
from vehicle_agent.speed_policy import Concern, Policy, advise

from hazardcast.contract.messages import Alert
from hazardcast.testing import ManualClock, SignedStation

STATION = SignedStation(clock=ManualClock())
CRUISING_MPS = 20.0


def target(
    *alerts: Alert, trusted: bool = True, pose: Pose | None = None, policy: Policy = "owner"
) -> float | None:
    concerns = [Concern(alert, trusted) for alert in alerts]
    advice = advise(concerns, pose or Pose(), CRUISING_MPS, policy)
    return advice.target_mps if advice else None


def alert(kind: str, severity: str, distance_m: float | None = 2000.0, **changes: Any) -> Alert:
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


SEVERITIES = ("low", "medium", "high", "critical")
BY_SEVERITY = (None, 16.0, 10.0, 6.0)
STOP, CREEP = (0.0,) * 4, (0.5,) * 4
Row = tuple[float | None, ...]
OWNER: dict[str, dict[float, Row]] = {
    "collision": {0: CREEP, 200: CREEP, 499.9: CREEP, 500: CREEP, 500.1: BY_SEVERITY},
    "rollover": {0: CREEP, 200: CREEP, 500: CREEP, 500.1: BY_SEVERITY},
    "fire": {0: CREEP, 200: CREEP, 500: CREEP, 500.1: BY_SEVERITY},
    "blockage": {0: STOP, 199.9: STOP, 200: STOP, 200.1: BY_SEVERITY, 500: BY_SEVERITY},
    "unknown": {0: (None,) * 4, 200: (None,) * 4, 500: (None,) * 4},
}
GRAVE = (None, 16.0, 0.5, 0.5)
GRADED: dict[str, dict[float, Row]] = {
    "collision": {0: GRAVE, 500: GRAVE, 500.1: BY_SEVERITY},
    "rollover": {0: GRAVE, 500: GRAVE, 500.1: BY_SEVERITY},
    "fire": {0: GRAVE, 500: GRAVE, 500.1: BY_SEVERITY},
    "blockage": {0: (None, 16.0, 10.0, 0.0), 200: (None, 16.0, 10.0, 0.0), 200.1: BY_SEVERITY},
    "unknown": {0: (None,) * 4},
}


@pytest.mark.parametrize(
    ("policy", "kind", "distance_m", "severity", "expected_mps"),
    [
        (policy, kind, distance_m, severity, expected_mps)
        for policy, table in (("owner", OWNER), ("graded", GRADED))
        for kind, distances in table.items()
        for distance_m, row in [*distances.items(), (None, distances.get(500.1, BY_SEVERITY))]
        for severity, expected_mps in zip(SEVERITIES, row, strict=True)
        if not (kind == "unknown" and distance_m is None)
    ],
)
def test_near_the_event_the_owners_rules_hold(
    policy: Policy, kind: str, distance_m: float | None, severity: str, expected_mps: float | None
) -> None:
    """At every severity, unless they were chosen graded; with no distance known, the severity's."""
    assert target(alert(kind, severity, distance_m), policy=policy) == expected_mps


@pytest.mark.parametrize(("kind", "expected_mps"), [("fire", 0.5), ("blockage", 0.0)])
def test_the_owners_rules_hold_by_the_vehicles_own_position(kind: str, expected_mps: float) -> None:
    event = alert(kind, "low", 5000.0, lat=37.0, lon=127.0)

    assert target(event, pose=Pose(36.999, 127.0)) == expected_mps
    assert target(event, pose=Pose(36.99, 127.0)) is None


def test_a_slow_vehicle_is_not_asked_to_go_faster() -> None:
    concern = Concern(alert("collision", "low", 10.0), trusted=True)

    assert advise([concern], Pose(), 0.4) is None


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


POSES = st.one_of(
    st.just(Pose()),
    st.builds(
        Pose, st.floats(36.9, 37.3), st.floats(126.9, 127.3),
        st.one_of(st.none(), st.floats(0, 359.9)),
    ),
)  # fmt: skip
ALERTS = st.builds(
    alert,
    st.sampled_from(["collision", "fire", "blockage", "rollover", "unknown"]),
    st.sampled_from(["low", "medium", "high", "critical"]),
    st.one_of(st.none(), st.floats(0, 20_000)),
    test=st.booleans(),
)


@given(st.lists(ALERTS, max_size=6), POSES, st.floats(0, 60))
def test_no_alert_ever_asks_for_more_than_cruising_or_less_than_standing(
    alerts: list[Alert], pose: Pose, cruising_mps: float
) -> None:
    advice = advise([Concern(one, True) for one in alerts], pose, cruising_mps)

    assert advice is None or 0.0 <= advice.target_mps < cruising_mps


@given(st.lists(ALERTS, max_size=5), ALERTS, POSES)
def test_one_alert_more_never_asks_for_more_speed(
    alerts: list[Alert], another: Alert, pose: Pose
) -> None:
    before = target(*alerts, pose=pose)
    after = target(*alerts, another, pose=pose)

    assert (after if after is not None else CRUISING_MPS) <= (
        before if before is not None else CRUISING_MPS
    )


@given(st.lists(ALERTS, max_size=6), POSES)
def test_only_what_is_fresh_real_and_known_slows_the_vehicle(
    alerts: list[Alert], pose: Pose
) -> None:
    assert target(*alerts, trusted=False, pose=pose) is None
    advice = advise([Concern(one, True) for one in alerts], pose, CRUISING_MPS)
    assert advice is None or not (advice.alert.test or advice.alert.type == "unknown")


@given(
    st.sampled_from(["collision", "fire", "blockage", "rollover"]),
    st.sampled_from(["low", "medium", "high", "critical"]),
    st.floats(0, 20_000), st.floats(0, 20_000),
)  # fmt: skip
def test_nearer_is_never_faster(kind: str, severity: str, a_m: float, b_m: float) -> None:
    near, far = (
        target(alert(kind, severity, distance_m)) for distance_m in (min(a_m, b_m), max(a_m, b_m))
    )

    assert (CRUISING_MPS if near is None else near) <= (CRUISING_MPS if far is None else far)
