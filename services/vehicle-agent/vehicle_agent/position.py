"""Where the vehicle is: a fix, how long it holds, and what a GPS daemon says of it. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass

from hazardcast.contract.terminal_text import printable
from vehicle_agent.announcement import clock_time
from vehicle_agent.relevance import Pose

STALE_AFTER_S = 5.0
"""At 50 m/s a vehicle is then 250 m from where it was: half of the nearest distance that counts."""
MOVING_MPS = 1.0
"""Slower than this the course of a receiver is noise."""
MODE_2D = 2  # gpsd's TPV.mode: 0 unknown, 1 no fix, 2 2D, 3 3D


@dataclass(frozen=True)
class Fix:
    """A place, and the course over ground where it is known."""

    lat_deg: float
    lon_deg: float
    heading_deg: float | None
    monotonic: float
    """When it was had."""


def pose(fix: Fix | None, monotonic: float) -> Pose:
    """What may be said of the place now: of a stale fix nothing; every alert then concerns us."""
    if fix is None or monotonic - fix.monotonic > STALE_AFTER_S:
        return Pose()
    return Pose(fix.lat_deg, fix.lon_deg, fix.heading_deg)


def read_gpsd(line: str | bytes, monotonic: float, before: Fix | None) -> Fix | None:
    """The fix in a line of gpsd's JSON (TPV, gpsd_json(5)), None in any other line.

    Standing still keeps the heading of the fix `before`.
    """
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or said.get("class") != "TPV":
        return None
    mode, lat, lon = said.get("mode"), _number(said, "lat", 90), _number(said, "lon", 180)
    if not isinstance(mode, int) or mode < MODE_2D or lat is None or lon is None:
        return None
    return Fix(lat, lon, _heading(said, before), monotonic)


def _heading(said: dict[str, object], before: Fix | None) -> float | None:
    track, speed_mps = _number(said, "track", 360), _number(said, "speed", 1e4)
    if track is None or (speed_mps is not None and speed_mps < MOVING_MPS):
        return before.heading_deg if before else None
    return track % 360.0 % 360.0  # what is next to nothing below 0 comes out as 360


def _number(said: dict[str, object], name: str, most: float) -> float | None:
    value = said.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= most else None  # not a number is not <= either


def position_line(found: Pose, source: str, age_s: float | None, now: float) -> str:
    """The line of the position, when it is had or lost."""
    if found.lat_deg is not None:
        what = f"POSITION OK by {source}"
    elif age_s is None:
        what = f"POSITION UNKNOWN, no fix by {source} yet: every alert concerns us"
    else:
        what = f"POSITION LOST, last fix by {source} {age_s:.0f} s ago: every alert concerns us"
    return printable(f"[POS] {clock_time(now)} {what}")
