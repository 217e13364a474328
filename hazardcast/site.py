"""`cameras.yaml`: the site and its cameras. An unknown key is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from hazardcast import camera_address, problems, settings
from hazardcast.errors import ConfigError
from hazardcast.ffmpeg import Transport
from hazardcast.fields import CAMERA_ID_PATTERN, Heading, Latitude, Longitude, StationId, Text

Fraction = Annotated[float, Field(ge=0, le=1)]
Polygon = Annotated[tuple[tuple[Fraction, Fraction], ...], Field(min_length=3)]
FourPoints = Annotated[tuple[tuple[float, float], ...], Field(min_length=4, max_length=4)]
NETWORK_SCHEMES = ("rtsp", "rtsps", "http", "https")
DEMO_SCENES = ("collision", "fire", "blockage", "normal", "queue")


class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Position(_Config):
    """A place on the ground (WGS 84)."""

    lat_deg: Latitude
    lon_deg: Longitude


class Zones(_Config):
    """Polygons in fractions of the frame's width and height."""

    road: Polygon | None = None
    ignore: tuple[Polygon, ...] = ()


class GroundPoints(_Config):
    """Four points of the road: fractions of the frame, and where they are, in metres."""

    picture: FourPoints
    metres: FourPoints


class Site(_Config):
    """The station that sends, and where it stands."""

    station_id: StationId = 4097
    name: Text = "demo site"
    position: Position = Position(lat_deg=37.12345, lon_deg=127.12345)
    road: Text | None = None


class Camera(_Config):
    """One camera, merged with the file's defaults."""

    url: str
    detect_url: str | None = None
    credentials: str | None = None
    loop: bool = True
    """A file starts again at its end."""
    position: Position | None = None
    heading_deg: Heading | None = None
    """Which way the camera looks; it says nothing about who drives where."""
    traffic_heading_deg: Heading | None = None
    """Which way the traffic in view goes, where all of it goes one way."""
    road: Text | None = None
    distance_m: Annotated[float, Field(ge=0)] | None = None
    zones: Zones = Zones()
    ground: GroundPoints | None = None
    segment_s: Annotated[float, Field(ge=1, le=60)] = 10.0
    retention_h: Annotated[float, Field(gt=0)] = 24.0
    retention_gb: Annotated[float, Field(gt=0)] = 100.0
    detect_fps: Annotated[float, Field(gt=0, le=60)] = 8.0
    rtsp_transport: Transport = "auto"
    """auto asks for TCP first, and for UDP where a camera refuses that or then sends nothing."""

    @field_validator("url", "detect_url")
    @classmethod
    def _no_credentials(cls, url: str | None) -> str | None:
        if url and "@" in urlsplit(url).netloc:
            raise ValueError(
                "credentials do not belong in a URL; "
                "name a variable in `credentials` that holds user:password"
            )
        return url

    @field_validator("url", "detect_url")
    @classmethod
    def _plain(cls, url: str | None) -> str | None:
        """The address with its scheme in small letters, as ffmpeg wants it."""
        if url is None:
            return None
        scheme, separator, rest = url.partition("://")
        if not (rest if separator else url).strip():
            raise ValueError("the address is empty")
        if not separator:
            return url
        if scheme.lower() in NETWORK_SCHEMES:
            camera_address.check_host(url)
        return f"{scheme.lower()}://{rest}"

    @model_validator(mode="after")
    def _understood(self) -> Camera:
        scheme = urlsplit(self.url).scheme
        if scheme == "demo" and urlsplit(self.url).netloc not in DEMO_SCENES:
            raise ValueError(
                f"url: no drawn scene of this name; there are {', '.join(DEMO_SCENES)}"
            )
        if scheme not in (*NETWORK_SCHEMES, "demo", "v4l2", "file", ""):
            raise ValueError(
                f"url: {scheme}:// is not understood; use rtsp, http, v4l2, demo or a file path"
            )
        return self

    @property
    def is_local(self) -> bool:
        """True for drawn, file and USB cameras, which the camera service turns into a stream."""
        return urlsplit(self.url).scheme not in NETWORK_SCHEMES

    @property
    def file(self) -> Path | None:
        """The file that plays the camera, if one does."""
        scheme = urlsplit(self.url).scheme
        if scheme == "file":
            return self._file_of(self.url.removeprefix("file://"))
        return Path(self.url) if not scheme else None

    @staticmethod
    def _file_of(text: str) -> Path:
        """`#` and `?` are letters of a file's name; `%20` is read where no file has it so."""
        path = Path(text)
        return path if path.exists() else Path(unquote(text))


class SiteConfig(_Config):
    """The whole file."""

    site: Site = Site()
    cameras: dict[Annotated[str, Field(pattern=CAMERA_ID_PATTERN)], Camera]

    def chosen(self, ids: frozenset[str] | None) -> dict[str, Camera]:
        """The cameras of `ids`, or all.

        Raises:
            ConfigError: an id that the file does not have.
        """
        unknown = sorted((ids or frozenset()) - self.cameras.keys())
        if unknown:
            raise ConfigError(f"HAZARDCAST_CAMERAS: no camera {unknown[0]!r} in the configuration")
        return {name: camera for name, camera in self.cameras.items() if ids is None or name in ids}


def load(path: Path) -> SiteConfig:
    """Read and check a `cameras.yaml`.

    Raises:
        ConfigError: the file is missing, is not YAML, or a key or value is wrong; the error names
            file, camera and key.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such file; copy config/cameras.yaml and name your cameras"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    return parse(data, source=str(path))


def parse(data: Any, *, source: str) -> SiteConfig:
    """Check decoded YAML; `source` names it in errors.

    Raises:
        ConfigError: as `load`.
    """
    if not isinstance(data, dict):
        raise ConfigError(f"{source}: expected a mapping with `site` and `cameras`")
    try:
        return SiteConfig.model_validate(_merged(data))
    except ValidationError as error:
        raise ConfigError(f"{source}: {_first_problem(error)}") from None


def _merged(data: dict[str, Any]) -> dict[str, Any]:
    """The file's data with `defaults` laid under each camera."""
    rest = {key: value for key, value in data.items() if key != "defaults"}
    defaults, cameras = data.get("defaults") or {}, data.get("cameras")
    if isinstance(defaults, dict) and isinstance(cameras, dict):
        rest["cameras"] = {
            name: {**defaults, **camera} if isinstance(camera, dict) else camera
            for name, camera in cameras.items()
        }
    return rest


def _first_problem(error: ValidationError) -> str:
    problem = problems.first(error)
    place = problems.place(problem)
    if problem["type"] == "extra_forbidden":
        return f"{place}: unknown key"
    if problem["loc"][-1] == "[key]":
        return f"{place}: a camera id is made of a-z, 0-9 and -"
    return f"{place}: {problems.sentence(problem)}"


def stream_url(camera_id: str, camera: Camera, *, camera_server: str, detect: bool = False) -> str:
    """The network address at which `camera` can be read, credentials included (never log it).

    Raises:
        ConfigError: the variable that should hold the credentials is not set.
    """
    if camera.is_local:
        return f"{camera_server.rstrip('/')}/{camera_id}.ts"
    url = camera.detect_url if detect and camera.detect_url else camera.url
    if camera.credentials is None:
        return url
    secret = settings.read_secret(camera.credentials)
    if not secret or ":" not in secret:
        raise ConfigError(
            f"cameras.{camera_id}.credentials: {camera.credentials} must hold user:password"
        )
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{camera_address.credentials(*secret.split(':', 1))}@{rest}"
