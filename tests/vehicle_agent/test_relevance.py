from __future__ import annotations

import math
from typing import Any

import pytest
from vehicle_agent.relevance import Pose, TrafficDirection, is_relevant

from hazardcast.contract.messages import Alert
from hazardcast.testing import ManualClock, SignedStation

STATION = SignedStation(clock=ManualClock())
LAT, LON = 37.0, 127.0
M_PER_DEG = 111_195.0


def alert(**changes: Any) -> Alert:
    return STATION.alert(lat=LAT, lon=LON, **changes)


def south_of_it(distance_m: float, heading_deg: float | None = None) -> Pose:
    return Pose(LAT - distance_m / M_PER_DEG, LON, heading_deg)


def test_without_a_position_every_alert_is_relevant() -> None:
    assert is_relevant(alert(awareness_distance_m=50), Pose())


@pytest.mark.parametrize(
    ("distance_m", "relevant"), [(0, True), (990, True), (1010, False), (90_000, False)]
)
def test_an_alert_reaches_as_far_as_its_awareness_distance(
    distance_m: float, relevant: bool
) -> None:
    assert is_relevant(alert(awareness_distance_m=1000), south_of_it(distance_m)) is relevant


@pytest.mark.parametrize(
    ("direction", "heading_deg", "relevant"),
    [
        (TrafficDirection.ALL, 0, True),
        (TrafficDirection.ALL, 180, True),
        (TrafficDirection.UPSTREAM, 0, True),
        (TrafficDirection.UPSTREAM, 30, True),
        (TrafficDirection.UPSTREAM, 180, False),
        (TrafficDirection.DOWNSTREAM, 0, False),
        (TrafficDirection.OPPOSITE, 0, False),
        (TrafficDirection.OPPOSITE, 180, True),
        (TrafficDirection.UPSTREAM, None, True),
    ],
)
def test_an_alert_for_one_direction_of_traffic_concerns_that_direction(
    direction: int, heading_deg: float | None, relevant: bool
) -> None:
    """The vehicle is 500 m south of an event on a road northwards."""
    event = alert(traffic_direction=int(direction), event_heading_deg=0.0)

    assert is_relevant(event, south_of_it(500, heading_deg)) is relevant


def test_a_vehicle_that_has_passed_is_downstream() -> None:
    north = Pose(LAT + 500 / M_PER_DEG, LON, 0.0)

    assert not is_relevant(alert(traffic_direction=1, event_heading_deg=0.0), north)
    assert is_relevant(alert(traffic_direction=2, event_heading_deg=0.0), north)


def test_an_alert_that_names_no_heading_concerns_every_direction() -> None:
    assert is_relevant(alert(traffic_direction=1), south_of_it(500, 180.0))


def test_next_to_the_event_ahead_and_behind_cannot_be_told() -> None:
    assert south_of_it(20, 180.0).is_ahead(alert()) is None
    assert south_of_it(200, 180.0).is_ahead(alert()) is False
    assert south_of_it(200, 0.0).is_ahead(alert()) is True


def test_distance_is_that_on_the_ground() -> None:
    distance_m = south_of_it(500).distance_m(alert())

    assert distance_m is not None
    assert math.isclose(distance_m, 500, rel_tol=0.01)
