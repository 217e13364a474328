"""Where an incident is, by its own word, its camera's place or the site's."""

from __future__ import annotations

from dataclasses import dataclass

from hazardcast.config.site import Camera, SiteConfig
from hazardcast.contract.geo import distance_m
from hazardcast.contract.messages import Incident

LATITUDE_DECIMALS = 7  # about 1 cm, the resolution of DENM's ReferencePosition


@dataclass(frozen=True)
class Place:
    """Position (WGS 84, degrees), road and direction of an incident, and who can film it."""

    lat: float
    lon: float
    road: str | None = None
    distance_m: float | None = None
    heading_deg: float | None = None
    """The way of the traffic at the event, only where the site says that all of it goes there."""
    clip_camera: str | None = None
    reported: bool = False
    """True when the position is the incident's own."""


def place(incident: Incident, config: SiteConfig) -> Place:
    """Fill in what an incident leaves open; the position is never 0,0 for want of one."""
    camera = config.cameras.get(incident.camera) if incident.camera else None
    reported = _has_position(incident)
    lat, lon = _position(incident, camera, config)
    return Place(
        lat=round(lat, LATITUDE_DECIMALS),
        lon=round(lon, LATITUDE_DECIMALS),
        road=incident.road or _road(camera, config, reported=reported),
        distance_m=_distance_m(incident, camera),
        heading_deg=camera.traffic_heading_deg if camera else None,
        clip_camera=incident.camera if camera else nearest_camera(lat, lon, config),
        reported=reported,
    )


def _has_position(incident: Incident) -> bool:
    """Whether the incident knows its place; 0,0 is what a receiver without a fix reports."""
    return incident.lat is not None and (incident.lat, incident.lon) != (0.0, 0.0)


def _position(incident: Incident, camera: Camera | None, config: SiteConfig) -> tuple[float, float]:
    if _has_position(incident):
        assert incident.lat is not None
        assert incident.lon is not None
        return incident.lat, incident.lon
    return _where(camera, config)


def _where(camera: Camera | None, config: SiteConfig) -> tuple[float, float]:
    position = (camera and camera.position) or config.site.position
    return position.lat_deg, position.lon_deg


def _road(camera: Camera | None, config: SiteConfig, *, reported: bool) -> str | None:
    if camera and camera.road:
        return camera.road
    return config.site.road if camera or not reported else None


def _distance_m(incident: Incident, camera: Camera | None) -> float | None:
    if incident.distance_m is not None:
        return round(incident.distance_m, 1)
    return camera.distance_m if camera else None


def nearest_camera(lat: float, lon: float, config: SiteConfig) -> str | None:
    """The camera nearest to a position; one without a place of its own stands at the site's."""

    def away_m(name: str) -> tuple[float, str]:
        return distance_m(lat, lon, *_where(config.cameras[name], config)), name

    return min(config.cameras, key=away_m, default=None)
