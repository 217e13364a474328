"""The deployment's settings from `HAZARDCAST_*` variables; the only reader of the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from hazardcast.config.database_url import with_password
from hazardcast.config.setting_values import Name, Port, PortOfAnother, default_instance
from hazardcast.contract import validation_errors
from hazardcast.contract.errors import ConfigError
from hazardcast.machine import refusals
from hazardcast.net.addresses import Host, HttpServer, Interface, MulticastGroup, join

PREFIX = "HAZARDCAST_"
OPENCV_OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
_OPENCV_AT_START = os.environ.get(OPENCV_OPTIONS, "")


class Settings(BaseSettings):
    """Where this deployment's broker, files and ports are; everything starts with none set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", allow_inf_nan=False
    )

    config: Path = Field(
        Path("config/cameras.yaml"), description="the file that names site and cameras"
    )
    data_dir: Path = Field(
        Path("data"), description="recordings, clips, keys, state and dropped events live below it"
    )
    instance: Name = Field(
        default_factory=default_instance,
        description="this process's name on `v2x/status`; the host's name when unset",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="least severe line that is logged"
    )
    log_format: Literal["auto", "text", "json"] = Field(
        "auto", description="`auto`: text on a terminal, JSON lines otherwise"
    )

    secrets_dir: Path | None = Field(
        None,
        description="folder of files named after settings (`hazardcast_mqtt_password`), for what should not stand in the environment",
    )

    mqtt_host: Host = Field("127.0.0.1", description="the broker")
    mqtt_port: PortOfAnother = Field(1883, description="the broker's port")
    mqtt_username: str | None = Field(None, description="account at the broker")
    mqtt_password: SecretStr | None = Field(None, description="its password")
    mqtt_ca: Path | None = Field(
        None, description="CA certificate; when set, the connection is TLS"
    )

    metrics_host: Host = Field("127.0.0.1", description="address of `/metrics` and `/healthz`")
    metrics_port: Port = Field(
        9100,
        description="port of `/metrics` and `/healthz` (the alerter serves them on its HTTP port too)",
    )

    cameras: str | None = Field(
        None, description="comma-separated camera ids that this process is bound to; all when unset"
    )
    camera_server: HttpServer = Field(
        "http://127.0.0.1:8090", description="where drawn, file, USB and pushed cameras are streams"
    )
    camera_host: Host = Field("127.0.0.1", description="address the camera service listens on")
    camera_port: Port = Field(8090, description="port the camera service listens on")
    push_host: Host = Field("127.0.0.1", description="address that takes pushed pictures")
    push_port: Port = Field(8091, description="port that takes pushed pictures")
    ffmpeg: Path | None = Field(
        None, description="the ffmpeg to use; else the one on PATH, else that of imageio-ffmpeg"
    )
    mosquitto: Path | None = Field(
        None,
        description="the mosquitto to start without Docker; else the one found, else the embedded amqtt",
    )

    model: Path | None = Field(
        None,
        description="ONNX detection model, the name of a fetched one (`hazardcast models list`), or `roadside` or `background` subtraction, which are built in; `roadside` when unset",
    )
    model_threads: Annotated[int, Field(ge=1, le=64)] = Field(
        1, description="inference threads of the detector"
    )
    model_provider: Literal[
        "auto", "cpu", "cuda", "tensorrt", "openvino", "rocm", "coreml", "directml"
    ] = Field(
        "auto",
        description="ONNX Runtime's execution provider; `auto`: CUDA or ROCm where the runtime has it, else the CPU",
    )
    models_dir: Path | None = Field(
        None, description="where fetched models are kept; `models` in the data directory when unset"
    )
    models_url: str | None = Field(
        None, description="a mirror to fetch models from: file names are appended to it"
    )

    multicast_group: MulticastGroup = Field(
        "239.20.20.20", description="group of the alert datagrams"
    )
    multicast_port: PortOfAnother = Field(5520, description="port of the alert datagrams")
    multicast_interface: Interface | None = Field(
        None,
        description="interface name or address to send and join on; the system's choice when unset",
    )
    multicast_ttl: Annotated[int, Field(ge=0, le=255)] = Field(
        1, description="IP TTL of the datagrams (not the alert's validity)"
    )
    unicast: str | None = Field(
        None,
        description="comma-separated host:port list that gets every datagram too, where multicast is dropped",
    )

    http_host: Host = Field("127.0.0.1", description="address of the alerter's HTTP interface")
    http_port: Port = Field(8080, description="port of the alerter's HTTP interface")
    http_token: SecretStr | None = Field(
        None,
        description="bearer token of `POST /alert`; made at first start (`keys/http.token`) when unset",
    )
    denm: bool = Field(
        False,
        description="publish each alert as DENM JSON on `vanetza/in/denm` too, for a Vanetza-NAP at the broker",
    )
    subscribers: str | None = Field(
        None,
        description="comma-separated `FORMAT=URL` list that every version of an alert is sent to by HTTP POST; formats: `json` (default), `cap` (CAP 1.2), `denm-json`, `denm-uper` (needs the `denm` extra)",
    )
    ingest_max_age_s: Annotated[float, Field(gt=0)] = Field(
        60.0, description="an incident older than this is rejected"
    )
    ingest_max_future_s: Annotated[float, Field(ge=0)] = Field(
        5.0, description="an incident dated further ahead than this counts from its receipt"
    )
    journal_days: Annotated[float, Field(gt=0)] = Field(
        400.0, description="what the alerter broadcast and what was decided is kept so many days"
    )
    journal_mb: Annotated[float, Field(gt=0)] = Field(
        500.0, description="and at most so many megabytes of it, the oldest goes first"
    )
    clip_pre_s: Annotated[float, Field(ge=0, le=3600)] = Field(
        300.0, description="video kept from before an incident"
    )
    clip_post_s: Annotated[float, Field(ge=0, le=3600)] = Field(
        300.0, description="video kept from after an incident"
    )

    clip_retention_days: Annotated[float, Field(gt=0)] = Field(
        30.0, description="clips older than this are removed"
    )
    clip_retention_gb: Annotated[float, Field(gt=0)] = Field(
        50.0, description="clips beyond this many gigabytes are removed, oldest first"
    )
    clip_retention_count: Annotated[int, Field(ge=1)] = Field(
        1000, description="clips beyond this many are removed, oldest first"
    )
    clip_key: Path | None = Field(
        None,
        description="key that signs clips; `keys/clipper.jwk` below the data directory, made at first start, when unset",
    )
    free_space_floor_gb: Annotated[float, Field(ge=0)] = Field(
        2.0, description="recordings are removed, oldest first, to keep this much disk free"
    )

    archive_dir: Path | None = Field(
        None,
        description="where the console finds `recordings/` and `clips/`, which it only reads; the data directory when unset",
    )
    console_host: Host = Field("127.0.0.1", description="address the console listens on")
    console_port: Port = Field(8088, description="port of the console")
    console_published: Host | None = Field(
        None,
        description="address at which the console is published where that is not the one it listens on, as for a container",
    )
    console_password: SecretStr | None = Field(
        None,
        description="first password of the console's account `admin`; made at first start (`keys/console.password`) when unset",
    )
    console_proxies: str | None = Field(
        None,
        description="comma-separated networks of the proxies in front of the console, such as `10.0.0.5/32`: only their word on who asks and on TLS is believed",
    )
    grafana_url: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = Field(
        None, description="where Grafana is published; the console's page of health leads there")  # fmt: skip
    database_url: SecretStr | None = Field(
        None,
        description="where the console keeps events: `sqlite:///file`, `postgresql://user:password@host/name` or `mysql://…`; the file `console/console.sqlite` in the data directory when unset",
    )
    database_password: SecretStr | None = Field(
        None, description="the password that `HAZARDCAST_DATABASE_URL` leaves out"
    )
    console_keep_days: Annotated[float, Field(ge=1)] = Field(
        90,
        description="days for which the console keeps what is neither alert, decision nor statistics",
    )
    console_keep_alerts_days: Annotated[float, Field(ge=1)] = Field(
        1825,
        description="days for which the console keeps alerts, their pictures and statistics; the log of decisions is never shortened",
    )
    console_keep_tracks_days: Annotated[float, Field(ge=0.1)] = Field(
        7, description="days for which the console keeps tracks, to draw them over recordings"
    )
    console_free_view: bool = Field(
        True,
        description="look without an account where the console is published on loopback and asked for by a name of this machine; deciding always needs one",
    )

    vehicle: Name = Field("vehicle-1", description="the vehicle-agent's name")
    vehicle_lat: Annotated[float, Field(ge=-90, le=90)] | None = Field(
        None, description="the vehicle's fixed latitude; without a position every alert is relevant"
    )
    vehicle_lon: Annotated[float, Field(ge=-180, le=180)] | None = Field(
        None, description="the vehicle's fixed longitude"
    )
    vehicle_heading_deg: Annotated[float, Field(ge=0, lt=360)] | None = Field(
        None, description="the vehicle's fixed heading, clockwise from north"
    )
    vehicle_gpx: Path | None = Field(
        None, description="GPX track that the vehicle drives in real time, instead of a fixed place"
    )
    vehicle_gpsd: str | None = Field(
        None,
        description="gpsd that knows the vehicle's place, as host or host:port (2947 when unset)",
    )
    vehicle_speed_mps: Annotated[float, Field(ge=0)] = Field(
        13.9, description="cruising speed to which the speed policy applies"
    )
    vehicle_policy: Literal["owner", "graded"] = Field(
        "owner",
        description="`owner`: at most 0.5 m/s within 500 m of a collision, rollover or fire and a stop within 200 m of a blockage, at every severity; `graded`: the former from `high` on, the latter at `critical`",
    )
    vehicle_unicast_port: PortOfAnother | None = Field(
        None,
        description="port on which the vehicle also takes datagrams sent to itself; none when unset",
    )
    truststore: Path | None = Field(
        None,
        description="keys that a vehicle trusts; `keys/truststore.json` below the data directory when unset",
    )
    ros2: bool = Field(
        False, description="publish `rt/v2x/alert` over DDS (needs the `ros2` extra)"
    )
    ros2_cmd_vel: bool = Field(
        False, description="with `ros2`: publish `rt/cmd_vel` too while an alert slows the vehicle"
    )
    ros2_domain: Annotated[int, Field(ge=0, le=232)] = Field(
        0, description="with `ros2`: the DDS domain, as in ROS_DOMAIN_ID"
    )

    @field_validator("*", mode="before")
    @classmethod
    def _names_something(cls, value: object, told: ValidationInfo) -> object:
        """An empty path would be the folder one is in, an empty list of cameras none at all."""
        name = str(told.field_name)
        if isinstance(value, str) and not value.strip(" ,"):
            if "Path" in str(cls.model_fields[name].annotation):
                raise ValueError("it is empty: name a path, or leave the setting out")
            if name == "cameras":
                raise ValueError("it names no camera: leave the setting out for all")
        return value

    @field_validator("*")
    @classmethod
    def _can_be_told(cls, value: object) -> object:
        """Paths go into messages, manifests and YAML, which are UTF-8."""
        if isinstance(value, Path) and not refusals.is_utf8(value):
            raise ValueError(f"{refusals.shown(value)} is not UTF-8; choose another name")
        return value

    @property
    def broker(self) -> str:
        """The broker as `host:port`, to be shown."""
        return join(self.mqtt_host, self.mqtt_port)

    @property
    def recordings_dir(self) -> Path:
        """Where segments live; on one volume with `clips_dir`, as hard links do not cross mounts."""
        return self.data_dir / "recordings"

    @property
    def database(self) -> str:
        """The URL of the console's database."""
        if self.database_url and (url := self.database_url.get_secret_value()):
            return with_password(url, self.database_password)
        return f"sqlite:///{(self.data_dir / 'console' / 'console.sqlite').absolute()}"

    @property
    def clips_dir(self) -> Path:
        """Where clips live."""
        return self.data_dir / "clips"

    @property
    def archive(self) -> Path:
        """Where recordings and clips are looked at."""
        return self.archive_dir or self.data_dir

    @property
    def keys_dir(self) -> Path:
        """Where the signing key, trust store and tokens live."""
        return self.data_dir / "keys"

    @property
    def state_dir(self) -> Path:
        """Where epochs, sequences and active alerts survive a restart."""
        return self.data_dir / "state"

    @property
    def events_dir(self) -> Path:
        """Where incidents may be dropped as files."""
        return self.data_dir / "events"

    @property
    def truststore_path(self) -> Path:
        """The trust store that receivers read."""
        return self.truststore or self.keys_dir / "truststore.json"

    @property
    def clip_key_path(self) -> Path:
        """The private key that signs clips."""
        return self.clip_key or self.keys_dir / "clipper.jwk"

    @property
    def camera_ids(self) -> frozenset[str] | None:
        """The cameras this process is bound to, None for all."""
        if self.cameras is None:
            return None
        return frozenset(part.strip() for part in self.cameras.split(",") if part.strip())


def load() -> Settings:
    """Read the environment.

    Raises:
        ConfigError: a variable has a value that does not fit; the error names it.
    """
    try:
        return Settings(_secrets_dir=_secrets_dir())
    except ValidationError as error:
        problem = validation_errors.first(error)
        variable = PREFIX + validation_errors.place(problem).upper()
        raise ConfigError(f"{variable}: {validation_errors.sentence(problem)}") from None


def variable_of(path: Path) -> str | None:
    """The variable that leads to a path: the one that names it, or the nearest folder above it."""
    try:
        named = {name: value.absolute() for name, value in load() if isinstance(value, Path)}
    except (ConfigError, OSError):
        return None
    place = path.absolute()
    above = [name for name, named_path in named.items() if place.is_relative_to(named_path)]
    if above:
        return PREFIX + max(above, key=lambda name: len(named[name].parts)).upper()
    on_the_way = named["data_dir"].is_relative_to(place)
    return f"{PREFIX}DATA_DIR" if on_the_way else None


def _secrets_dir() -> Path | None:
    """Where secrets lie as files; known before the other settings, as it feeds them."""
    text = os.environ.get(PREFIX + "SECRETS_DIR")
    if text and not Path(text).is_dir():
        raise ConfigError(f"{PREFIX}SECRETS_DIR: {text} is not a folder")
    return Path(text) if text else None


def read_secret(variable: str) -> str | None:
    """The value of an environment variable that a camera's `credentials` names."""
    return os.environ.get(variable)


def environment_with(**changes: str) -> dict[str, str]:
    """The whole environment with `HAZARDCAST_*` changes, for a child process."""
    return {**os.environ, **{PREFIX + name.upper(): value for name, value in changes.items()}}


def forbid_telemetry() -> None:
    """Keep ONNX Runtime from telling its maker about this machine, as from 1.31 on Linux it would.

    It looks when it is imported, so this comes before; `disable_telemetry_events` comes too late.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"


def ask_opencv(wanted: Mapping[str, str]) -> None:
    """Options for every stream that OpenCV opens from now on.

    They are laid over those that the variable held when this process began.
    """
    set_before = dict(part.split(";", 1) for part in _OPENCV_AT_START.split("|") if ";" in part)
    options = "|".join(f"{key};{value}" for key, value in {**set_before, **wanted}.items())
    os.environ.pop(OPENCV_OPTIONS, None)
    if options:
        os.environ[OPENCV_OPTIONS] = options
