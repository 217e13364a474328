"""Does an alert concern this vehicle? When in doubt, it does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from hazardcast.contract import geo
from hazardcast.contract.messages import Alert

NEAR_M = 50.0
"""Closer than this neither position is good enough to tell ahead from behind."""
SAME_WAY_DEG = 90.0


class TrafficDirection(IntEnum):
    """DENM's trafficDirection (TS 103 831, TS 102 894-2 TrafficDirection)."""

    ALL = 0
    UPSTREAM = 1
    """Traffic on its way to the event."""
    DOWNSTREAM = 2
    """Traffic that has passed it."""
    OPPOSITE = 3


@dataclass(frozen=True)
class Pose:
    """Where a vehicle is and where it goes, as far as it knows."""

    lat_deg: float | None = None
    lon_deg: float | None = None
    heading_deg: float | None = None

    def distance_m(self, alert: Alert) -> float | None:
        """Straight distance to the event; None without a position."""
        if self.lat_deg is None or self.lon_deg is None:
            return None
        return geo.distance_m(self.lat_deg, self.lon_deg, alert.lat, alert.lon)

    def is_ahead(self, alert: Alert) -> bool | None:
        """Whether the event lies before the vehicle; None when that cannot be told."""
        distance_m = self.distance_m(alert)
        if distance_m is None or distance_m < NEAR_M or self.heading_deg is None:
            return None
        assert self.lat_deg is not None
        assert self.lon_deg is not None
        bearing_deg = geo.bearing_deg(self.lat_deg, self.lon_deg, alert.lat, alert.lon)
        return geo.heading_difference_deg(bearing_deg, self.heading_deg) <= SAME_WAY_DEG


def is_relevant(alert: Alert, pose: Pose) -> bool:
    """Within the awareness distance, and in the direction of traffic that the alert concerns."""
    distance_m = pose.distance_m(alert)
    if distance_m is None:
        return True
    return distance_m <= alert.awareness_distance_m and _concerns_direction(alert, pose)


def _concerns_direction(alert: Alert, pose: Pose) -> bool:
    if alert.traffic_direction == TrafficDirection.ALL:
        return True
    if alert.event_heading_deg is None or pose.heading_deg is None:
        return True
    difference_deg = geo.heading_difference_deg(alert.event_heading_deg, pose.heading_deg)
    same_way = difference_deg <= SAME_WAY_DEG
    if alert.traffic_direction == TrafficDirection.OPPOSITE:
        return not same_way
    ahead = pose.is_ahead(alert)
    passed = alert.traffic_direction == TrafficDirection.DOWNSTREAM
    return same_way and (ahead is None or ahead is not passed)
