"""A recorded drive, played in real time. Pure but for the reading of the file."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

from hazardcast.contract import geo
from hazardcast.contract.errors import ConfigError
from hazardcast.machine.refusals import in_words
from vehicle_agent.position import Fix

MAX_BYTES = 50_000_000
APART_M = 0.5
"""Points nearer to each other than this tell no direction."""


class Point(NamedTuple):
    """A place on the drive, seconds after its beginning."""

    at_s: float
    lat_deg: float
    lon_deg: float


def load(path: Path) -> list[Point]:
    """The track points with times of a GPX 1.1 file, in the order of time.

    Raises:
        ConfigError: it cannot be read, is not GPX, or has no timed points.
    """
    try:
        text = path.read_bytes()[: MAX_BYTES + 1]
        return parse(text)
    except OSError as error:
        raise ConfigError(f"HAZARDCAST_VEHICLE_GPX: {in_words(error)}") from None
    except (ValueError, ET.ParseError) as error:
        raise ConfigError(f"HAZARDCAST_VEHICLE_GPX: {path}: {error}") from None


def parse(text: bytes) -> list[Point]:
    """As `load`.

    Raises:
        ValueError: what is wrong with it.
        ElementTree.ParseError: it is not XML.
    """
    if len(text) > MAX_BYTES or b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise ValueError("too large, or with definitions that a track does not need")
    timed = sorted(_timed(point) for point in ET.fromstring(text).iter() if _is_point(point))  # noqa: S314 - without definitions
    if not timed:
        raise ValueError("no track points with times")
    began_s = timed[0][0]
    return [Point(at_s - began_s, lat, lon) for at_s, lat, lon in timed]


def _is_point(element: ET.Element) -> bool:
    return element.tag.rpartition("}")[2] == "trkpt" and element.find("{*}time") is not None


def _timed(point: ET.Element) -> tuple[float, float, float]:
    lat, lon = float(point.attrib.get("lat", "nan")), float(point.attrib.get("lon", "nan"))
    if not (abs(lat) <= 90 and abs(lon) <= 180):
        raise ValueError("a track point without a place")
    moment = datetime.fromisoformat(point.findtext("{*}time", "").strip())
    if moment.tzinfo is None:
        raise ValueError("a track point's time has no zone")
    return moment.timestamp(), lat, lon


def at(track: Sequence[Point], since_s: float, monotonic: float) -> Fix:
    """Where the drive is `since_s` after its beginning; at its end the vehicle stands."""
    index = bisect.bisect_right(track, since_s, key=lambda point: point.at_s)
    before, after = track[max(0, index - 1)], track[min(index, len(track) - 1)]
    span_s = after.at_s - before.at_s
    share = min(1.0, max(0.0, (since_s - before.at_s) / span_s)) if span_s > 0 else 0.0
    return Fix(
        before.lat_deg + share * (after.lat_deg - before.lat_deg),
        before.lon_deg + share * (after.lon_deg - before.lon_deg),
        _heading(track, max(0, index - 1)),
        monotonic,
    )


def _heading(track: Sequence[Point], index: int) -> float | None:
    """The way from a point to the next that lies apart, else the way that led to it."""
    here = track[index]
    for there in track[index + 1 :]:
        if _apart(here, there):
            return geo.bearing_deg(*here[1:], *there[1:])
    for earlier in reversed(track[:index]):
        if _apart(earlier, here):
            return geo.bearing_deg(*earlier[1:], *here[1:])
    return None


def _apart(a: Point, b: Point) -> bool:
    return geo.distance_m(*a[1:], *b[1:]) >= APART_M
