"""Distances and bearings on the ground, over the few kilometres that an alert concerns."""

from __future__ import annotations

import math

EARTH_RADIUS_M = 6_371_008.8  # mean radius R1, IUGG


def distance_m(lat1_deg: float, lon1_deg: float, lat2_deg: float, lon2_deg: float) -> float:
    """Great-circle distance by the haversine formula (Sinnott 1984), stable for near points."""
    lat1, lat2 = math.radians(lat1_deg), math.radians(lat2_deg)
    half_dlat = (lat2 - lat1) / 2
    half_dlon = math.radians(lon2_deg - lon1_deg) / 2
    a = math.sin(half_dlat) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(half_dlon) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, a)))


def bearing_deg(lat1_deg: float, lon1_deg: float, lat2_deg: float, lon2_deg: float) -> float:
    """Initial bearing from point 1 to point 2, clockwise from true north, in [0, 360)."""
    lat1, lat2 = math.radians(lat1_deg), math.radians(lat2_deg)
    dlon = math.radians(lon2_deg - lon1_deg)
    east = math.sin(dlon) * math.cos(lat2)
    north = math.cos(lat1) * math.sin(lat2) - math.sin(lat1) * math.cos(lat2) * math.cos(dlon)
    return math.degrees(math.atan2(east, north)) % 360.0 % 360.0


def heading_difference_deg(a_deg: float, b_deg: float) -> float:
    """Smallest angle between two headings, in [0, 180]."""
    return abs((a_deg - b_deg + 180.0) % 360.0 - 180.0)
