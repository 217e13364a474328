"""Cameras and health over HTTP: what every service says of itself, with the age of its word."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from fastapi import APIRouter
from pydantic import BaseModel

from console.actions.board import Board, Heard
from console.doors.asking import Looking
from console.doors.viewer import Viewer
from hazardcast.config.settings import Settings
from hazardcast.config.site import Camera, SiteConfig
from hazardcast.contract.messages import CameraStatus
from hazardcast.contract.vocabulary import CameraState, ServiceState
from hazardcast.machine.clock import Clock
from hazardcast.mqtt.bus import Bus

RECORDER = "recorder"
"""Whose word on a camera counts: what it records is what is shown."""


class PictureFormat(NamedTuple):
    """What a camera's recorded pictures are; None where that is not known."""

    codec: str | None = None
    width: int | None = None
    height: int | None = None


FormatOf = Callable[[str], PictureFormat]


class PolicyFacts(BaseModel):
    """How a camera's reports go out; the strictest that holds for any type."""

    mode: Literal["auto", "confirm", "shadow"]


class CameraFacts(BaseModel):
    """A configured camera, and how the recorder has it."""

    id: str
    name: str
    lat: float
    lon: float
    heading_deg: float | None
    road: str | None
    policy: PolicyFacts
    state: CameraState
    detail: str | None
    last_frame_at: float | None
    at: float | None
    playlist: str
    codec: str | None
    """As ffmpeg names it: `h264`, `hevc`; null where nothing is recorded."""
    width: int | None
    """Pixels."""
    height: int | None


class ServiceFacts(BaseModel):
    """A service's newest word."""

    service: str
    instance: str
    state: ServiceState
    version: str
    said_at: float
    at: float
    detail: dict[str, Any]


class BrokerFacts(BaseModel):
    """Whether the broker is there."""

    connected: bool
    since: float | None
    at: float


class DiskFacts(BaseModel):
    """A volume that the console sees."""

    name: str
    total_bytes: int
    free_bytes: int
    at: float


class ClockFacts(BaseModel):
    """How far a service's clock is from this machine's: its words carry the time."""

    name: str
    offset_s: float
    at: float


class HealthFacts(BaseModel):
    """The station at a glance; each part says as of when."""

    now: float
    services: list[ServiceFacts]
    cameras: list[CameraFacts]
    broker: BrokerFacts
    disk: list[DiskFacts]
    clocks: list[ClockFacts]
    figures_url: str | None = None
    """Where Grafana draws them over time."""


class Station:
    """Answers from the board and the configuration."""

    def __init__(
        self,
        board: Board,
        bus: Bus,
        config: SiteConfig,
        settings: Settings,
        clock: Clock,
        *,
        format_of: FormatOf = lambda _: PictureFormat(),
    ) -> None:
        self._format_of = format_of
        self._board, self._bus, self._clock = board, bus, clock
        self._config, self._settings = config, settings
        self._withheld = {
            mode: frozenset(config.withholding(mode)) for mode in ("confirm", "shadow")
        }

    def cameras(self, viewer: Viewer) -> list[CameraFacts]:
        """The configured cameras that they may see."""
        words = self._words()
        return [
            self._camera(name, camera, words.get(name))
            for name, camera in self._config.cameras.items()
            if viewer.may_see(name)
        ]

    def _words(self) -> dict[str, tuple[CameraStatus, float]]:
        """The recorder's word on each camera, and when it came; one that is lost says nothing."""
        heard = [one for one in self._board.services() if one.status.service == RECORDER]
        return {
            camera.camera: (camera, one.at)
            for one in sorted(heard, key=lambda one: one.at)
            if one.status.online
            for camera in one.status.cameras
        }

    def _camera(
        self, name: str, camera: Camera, word: tuple[CameraStatus, float] | None
    ) -> CameraFacts:
        place = camera.position or self._config.site.position
        status, at = word or (None, None)
        return CameraFacts(
            id=name,
            name=name,
            lat=place.lat_deg,
            lon=place.lon_deg,
            heading_deg=camera.heading_deg,
            road=camera.road or self._config.site.road,
            policy=PolicyFacts(mode=self._mode(name)),
            state=status.state if status else CameraState.UNKNOWN,
            detail=status.detail if status else None,
            last_frame_at=status.last_frame_at if status else None,
            at=at,
            playlist=f"api/live-monitoring/hls/{name}/live.m3u8",
            **self._format_of(name)._asdict(),
        )

    def _mode(self, name: str) -> Literal["auto", "confirm", "shadow"]:
        if name in self._withheld["shadow"]:
            return "shadow"
        return "confirm" if name in self._withheld["confirm"] else "auto"

    def health(self, viewer: Viewer) -> HealthFacts:
        """The station at a glance."""
        now, heard = self._clock.now(), self._board.services()
        heard.sort(key=lambda one: (one.status.service, one.status.instance))
        broker = BrokerFacts(connected=self._bus.connected, since=self._board.broker_since, at=now)
        return HealthFacts(
            now=now,
            services=[_service(one, viewer) for one in heard],
            cameras=self.cameras(viewer),
            broker=broker,
            disk=self._disks(now),
            clocks=[_clock(one) for one in heard if one.status.online and one.live],
            figures_url=self._settings.grafana_url,
        )

    def _disks(self, now: float) -> list[DiskFacts]:
        places = {"archive": self._settings.archive, "console": self._settings.data_dir}
        found = []
        for name, folder in places.items():
            try:
                total, _, free = shutil.disk_usage(folder)
            except OSError:
                continue
            found.append(DiskFacts(name=name, total_bytes=total, free_bytes=free, at=now))
        return found


def _service(one: Heard, viewer: Viewer) -> ServiceFacts:
    """A service's word; its details may name any camera, so they are for who sees all."""
    status = one.status
    detail = status.detail.model_dump(mode="json", exclude_none=True)
    return ServiceFacts(
        service=status.service,
        instance=status.instance,
        state=status.state,
        version=status.version,
        said_at=status.ts,
        at=one.at,
        detail=detail if viewer.cameras is None else {},
    )


def _clock(one: Heard) -> ClockFacts:
    name = f"{one.status.service} {one.status.instance}"
    return ClockFacts(name=name, offset_s=one.status.ts - one.at, at=one.at)


def router(station: Station) -> APIRouter:
    """The routes of the station."""
    routes = APIRouter(prefix="/api/v1", tags=["station"])

    @routes.get("/cameras")
    def cameras(viewer: Looking) -> list[CameraFacts]:
        """The cameras that one may see."""
        return station.cameras(viewer)

    @routes.get("/health")
    def health(viewer: Looking) -> HealthFacts:
        """Services, cameras, broker, disk and clocks, each with the time of the word."""
        return station.health(viewer)

    return routes
