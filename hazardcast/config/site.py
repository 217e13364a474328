"""`cameras.yaml`: the site and its cameras. An unknown key is an error."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
    field_validator,
)

from hazardcast.config import alerting, push_slots, settings, site_problems, yaml_lines
from hazardcast.config.alerting import Alerting, Policy
from hazardcast.config.push_slots import MOST_SLOTS
from hazardcast.config.yaml_lines import Document, YamlError
from hazardcast.contract.errors import ConfigError
from hazardcast.contract.fields import (
    CAMERA_ID_PATTERN,
    NUMBER,
    Heading,
    Latitude,
    Longitude,
    Real,
    StationId,
    Text,
)
from hazardcast.contract.incident_types import IncidentType
from hazardcast.machine import refusals
from hazardcast.media import camera_address, camera_url
from hazardcast.media.camera_url import NETWORK_SCHEMES
from hazardcast.media.ffmpeg import Transport

Language = Literal["en", "ko"]
Fraction = Annotated[float, Field(ge=0, le=1), NUMBER]
Polygon = Annotated[tuple[tuple[Fraction, Fraction], ...], Field(min_length=3)]
FourPoints = Annotated[tuple[tuple[Real, Real], ...], Field(min_length=4, max_length=4)]
NOWHERE = (
    "a slot without a position may not be auto, nor on_timeout: broadcast, nor auto_confidence "
    "below 1: nobody knows where its client is"
)
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Position(_Config):
    """A place on the ground (WGS 84)."""

    lat_deg: Latitude
    """Degrees, north is positive."""
    lon_deg: Longitude
    """Degrees, east is positive."""


class Zones(_Config):
    """Polygons in fractions of the frame's width and height."""

    road: Polygon | None = None
    """Where the road is: what stands elsewhere is left out. The whole picture when left out."""
    ignore: tuple[Polygon, ...] = ()
    """What is not looked at: a burnt-in clock, a screen, leaves."""


class GroundPoints(_Config):
    """Four points of the road: fractions of the frame, and where they are, in metres."""

    picture: FourPoints
    """The four points in the picture, fractions of its width and height."""
    metres: FourPoints
    """The same four on the road, m, in any right-angled system."""


class Site(_Config):
    """The station that sends, and where it stands."""

    station_id: StationId = 4097
    """The sender's number in every datagram and event id; one of its own for each site."""
    id: Annotated[str, Field(pattern=CAMERA_ID_PATTERN)] | None = None
    """What the site is called in stored events: a-z, 0-9 and -; its station_id when left out."""
    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = ("en", "ko")
    """The console's languages, the first is the one for who asks for neither: en, ko."""
    name: Text = "demo site"
    """What people call the site."""
    position: Position = Position(lat_deg=37.12345, lon_deg=127.12345)
    """Where it is: the place of reports that name none, from cameras that have none."""
    road: Text | None = None
    """The road of reports that name none, from cameras that have none."""
    time_zone: str = "UTC"
    """The zone in which people here read the time, as IANA names it: Asia/Seoul."""
    alerting: Alerting = Alerting()
    """Which reports of the cameras are broadcast at once, and which wait for a person."""

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("expected a time zone as IANA names it, such as Asia/Seoul") from None
        return name

    @property
    def key(self) -> str:
        """What the site is called in stored events."""
        return self.id or str(self.station_id)


class Camera(_Config):
    """One camera, merged with the file's defaults."""

    url: str
    """rtsp(s)://, http(s)://, a file's path, a folder's path with / at its end,
    v4l2:///dev/video0, demo://collision, or push:// for one whose pictures a client brings; no
    credentials in it."""
    detect_url: str | None = None
    """The camera's second stream, which the detector reads instead."""
    credentials: str | None = None
    """The environment variable that holds user:password; of a pushed camera, its token."""
    loop: StrictBool = True
    """A file starts again at its end; a folder with its first file after the last."""
    finished: Literal["stay", "move"] = "stay"
    """What becomes of a folder's file that has been played: it stays, or moves to `done/` in it."""
    position: Position | None = None
    """The piece of road that it sees: the place of what it reports. The site's when left out."""
    heading_deg: Heading | None = None
    """Which way the camera looks, degrees clockwise from true north; it says nothing about who
    drives where."""
    traffic_heading_deg: Heading | None = None
    """Which way the traffic in view goes, where all of it goes one way, degrees clockwise from true
    north: only vehicles on that way are warned."""
    road: Text | None = None
    """The road's name, as vehicles show it; the site's when left out."""
    distance_m: Annotated[float, Field(ge=0), NUMBER] | None = None
    """How far ahead it is, m, as vehicles show it."""
    zones: Zones = Zones()
    """What of the picture is road, and what is not to be looked at."""
    ground: GroundPoints | None = None
    """Where the road lies in the picture, for speeds in m/s; learnt from the size of cars, to about
    a third, when left out."""
    segment_s: Annotated[float, Field(ge=1, le=60), NUMBER] = 10.0
    """Length of a recorded file, s; it ends at the next key frame."""
    retention_h: Annotated[float, Field(gt=0), NUMBER] = 24.0
    """Recordings older than this are removed, h."""
    retention_gb: Annotated[float, Field(gt=0), NUMBER] = 100.0
    """Recordings beyond this are removed, oldest first, GB (10⁹ bytes)."""
    detect_fps: Annotated[float, Field(gt=0, le=60), NUMBER] = 8.0
    """Frames looked at, a second."""
    rtsp_transport: Transport = "auto"
    """auto asks for TCP first, and for UDP where a camera refuses that or then sends nothing."""
    alerting: Alerting = Alerting()
    """Which of its reports are broadcast at once; goes before the site's."""

    @field_validator("alerting")
    @classmethod
    def _settled(cls, policy: Alerting) -> Alerting:
        return alerting.settled(policy)

    @field_validator("url", "detect_url")
    @classmethod
    def _tidy(cls, url: str | None) -> str | None:
        return None if url is None else camera_url.tidy(url)

    @field_validator("detect_url")
    @classmethod
    def _network(cls, url: str | None) -> str | None:
        if url is not None and camera_url.scheme_of(url) not in NETWORK_SCHEMES:
            raise ValueError("use rtsp or http: this is a network camera's second stream")
        return url

    @field_validator("credentials")
    @classmethod
    def _variable(cls, name: str | None) -> str | None:
        """A password written here by mistake must not be repeated in errors."""
        if name is not None and not VARIABLE.fullmatch(name):
            raise ValueError("expected the name of a variable, which holds user:password")
        return name

    @property
    def scheme(self) -> str:
        """`rtsp` of `rtsp://…`; empty for the path of a file."""
        return camera_url.scheme_of(self.url)

    @property
    def is_local(self) -> bool:
        """True for what the camera service makes a stream of: drawn, file, folder, USB, pushed."""
        return self.scheme not in NETWORK_SCHEMES

    @property
    def is_pushed(self) -> bool:
        """Whether a client brings its pictures to the camera service."""
        return self.scheme == camera_url.PUSH

    @property
    def file(self) -> Path | None:
        """The file that plays the camera, if one does."""
        return camera_url.file_of(self.url)

    @property
    def folder(self) -> Path | None:
        """The folder whose files play the camera one after another, if one does."""
        return camera_url.folder_of(self.url)

    @property
    def device(self) -> str | None:
        """The Video4Linux device that is the camera, if one is."""
        return camera_url.device_of(self.url)


class Push(_Config):
    """Cameras for whoever comes with the token of a slot."""

    slots: Annotated[int, Field(ge=0, le=MOST_SLOTS), NUMBER] = 0
    """How many, with the ids push-1, push-2 and so on; what is written of one under `cameras` holds
    for it."""


class SiteConfig(_Config):
    """The whole file."""

    site: Site = Site()
    """The station that sends, and where it stands."""
    cameras: dict[Annotated[str, Field(pattern=CAMERA_ID_PATTERN)], Camera]
    """The cameras by id: a-z, 0-9 and -, at most 40; used in topics, folders and metric labels."""
    push: Push = Push()
    """Cameras for whoever comes with the token of a slot."""

    @property
    def without_token(self) -> list[str]:
        """The pushed cameras that name no variable with their token: one is made for each."""
        return [name for name, one in self.cameras.items() if one.is_pushed and not one.credentials]

    def policy(self, camera: str, kind: IncidentType) -> Policy:
        """What holds for a camera's reports of a type; of no camera of ours: as for people's."""
        known = self.cameras.get(camera)
        return known.alerting.policy(kind) if known else Policy()

    def withholding(self, mode: alerting.Mode) -> list[str]:
        """The cameras for which a mode holds, for one type of incident at least."""
        return [
            name
            for name, camera in self.cameras.items()
            if any(camera.alerting.policy(kind).mode == mode for kind in IncidentType)
        ]

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
            file, line, camera and key.
    """
    try:
        with path.open("rb") as file:
            document = yaml_lines.read(file.read(yaml_lines.MOST_BYTES + 1))
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such file; copy config/cameras.yaml and name your cameras"
        ) from None
    except OSError as error:
        raise ConfigError(refusals.in_words(error, settings.variable_of)) from None
    except YamlError as error:
        place = ".".join(str(part) for part in error.path)
        text = f"{place}: {error}" if place else str(error)
        raise ConfigError(f"{path}{site_problems.located(error.line, text)}") from None
    return _checked(document, source=str(path))


def parse(data: Any, *, source: str) -> SiteConfig:
    """Check decoded YAML; `source` names it in errors.

    Raises:
        ConfigError: as `load`, without lines.
    """
    return _checked(Document(data), source=source)


def _checked(document: Document, *, source: str) -> SiteConfig:
    data, lines = document.data, document.lines
    if not isinstance(data, dict):
        empty = "" if data is not None else "; the file is empty"
        said = f"expected a mapping with `site` and `cameras`{empty}"
        raise ConfigError(source + site_problems.located(lines.get(()), said))
    if not isinstance(data.get("defaults") or {}, dict):
        said = "defaults: expected a mapping of keys and values"
        raise ConfigError(source + site_problems.located(lines.get(("defaults",)), said))
    if problem := push_slots.problem(data):
        raise ConfigError(source + site_problems.located(lines.get(problem.path), problem.text))
    try:
        config = _validated(_merged(data), document)
    except ValidationError as error:
        raise ConfigError(source + site_problems.sentence(error, SiteConfig, lines)) from None
    if name := _automatic_nowhere(config):
        line = site_problems.line_of(("cameras", name, "alerting"), lines)
        raise ConfigError(
            source + site_problems.located(line, f"cameras.{name}.alerting: {NOWHERE}")
        )
    return config


def _automatic_nowhere(config: SiteConfig) -> str | None:
    """A slot whose reports would be broadcast by themselves, and of a place that nobody wrote."""
    for name in push_slots.ids(config.push.slots):
        camera = config.cameras[name]
        policies = [camera.alerting.policy(kind) for kind in IncidentType]
        if camera.position is None and any(map(alerting.is_automatic, policies)):
            return name
    return None


def _merged(data: dict[str, Any]) -> dict[str, Any]:
    """The file's data with `defaults` laid under each camera, and the site's policy under both."""
    rest = {key: value for key, value in data.items() if key != "defaults"}
    defaults, cameras = dict(data.get("defaults") or {}), push_slots.with_slots(data)
    site = data.get("site")
    if isinstance(site, dict) and "alerting" in site:
        defaults["alerting"] = alerting.layered(site["alerting"], defaults.get("alerting"))
    if isinstance(cameras, dict):
        rest["cameras"] = {
            name: _over(defaults, camera) if isinstance(camera, dict) else camera
            for name, camera in cameras.items()
        }
    return rest


def _over(defaults: dict[str, Any], camera: dict[str, Any]) -> dict[str, Any]:
    if push_slots.is_pushed({**defaults, **camera}):
        defaults = {**defaults, "alerting": alerting.confirmed(defaults.get("alerting"))}
    merged = {**defaults, **camera}
    if "alerting" in defaults and "alerting" in camera:
        merged["alerting"] = alerting.layered(defaults["alerting"], camera["alerting"])
    return merged


def _validated(data: dict[str, Any], document: Document) -> SiteConfig:
    """Where a text belongs, `007`, `no` and `1e3` are texts, as they are written.

    Raises:
        ValidationError: a key or value is wrong.
    """
    try:
        return SiteConfig.model_validate(data)
    except ValidationError as error:
        texts = [one["loc"] for one in error.errors() if one["type"] == "string_type"]
        if not [path for path in texts if _write(data, path, document)]:
            raise
    return SiteConfig.model_validate(data)


def _write(data: Any, path: yaml_lines.Path, document: Document) -> bool:
    """Put the words of the file at `path`, if it has any."""
    words = document.written.get(site_problems.origin(path, document.lines))
    if words is None:
        return False
    for part in path[:-1]:
        data = data[part]
    data[path[-1]] = words
    return True


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
