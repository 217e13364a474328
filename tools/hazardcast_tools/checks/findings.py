"""What `hazardcast check` looks at: each function looks at one thing and tells what it found."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hazardcast.config import site
from hazardcast.config.settings import Settings
from hazardcast.config.site import SiteConfig
from hazardcast.contract.errors import KeyFileError, ToolMissingError
from hazardcast.machine import refusals
from hazardcast.media.ffmpeg import find_ffmpeg
from hazardcast.mqtt.bus import MqttBus
from hazardcast.net import ports
from hazardcast.net.multicast import Group
from hazardcast.service.processes import run_captured
from hazardcast.signing import trust
from hazardcast_tools.checks import multicast_check
from hazardcast_tools.stack import broker

Result = Literal["ok", "warning", "failed"]
GB = 1e9
ACCESS_POINT = (
    "this machine is well; beyond it: an IGMP querier in the VLAN (or snooping off), on access "
    "points multicast-to-unicast conversion, DTIM 1, no multicast rate limit, no client isolation"
)


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    what: str
    result: Result
    detail: str
    advice: str | None = None
    notes: tuple[str, ...] = ()
    """What there is to know beside, a line each."""
    facts: dict[str, object] | None = None
    """The same for programs."""


def configuration(settings: Settings, config: SiteConfig) -> Finding:
    """The configuration file; that it could be read is told by its being here."""
    cameras = ", ".join(config.cameras) or "none"
    if not config.cameras:
        return Finding("configuration", "warning", f"{settings.config}: no cameras", "name one")
    return Finding("configuration", "ok", f"{settings.config}: cameras {cameras}")


def alerting(config: SiteConfig) -> Finding:
    """Which cameras do not broadcast everything at once."""
    confirm, shadow = config.withholding("confirm"), config.withholding("shadow")
    facts: dict[str, object] = {"confirm": confirm, "shadow": shadow}
    if shadow:
        names = ", ".join(shadow)
        detail = f"nothing is broadcast of some or all types: {names}"
        notes = (f"a person confirms first: {', '.join(confirm)}",) if confirm else ()
        advice = "in service, set alerting.mode to auto or confirm"
        return Finding("alerting", "warning", detail, advice, notes, facts)
    if confirm:
        detail = f"a person confirms what is less sure: {', '.join(confirm)}"
        return Finding("alerting", "ok", detail, facts=facts)
    return Finding("alerting", "ok", "everything is broadcast at once", facts=facts)


def keys(settings: Settings, config: SiteConfig) -> Finding:
    """Signing key and trust store, and that they belong together."""
    if settings.truststore and not (settings.keys_dir / trust.SIGNING_KEY_FILE).exists():
        return _keys_of_others(settings.truststore, config.site.station_id)
    try:
        signer = trust.load_signer(settings.keys_dir / trust.SIGNING_KEY_FILE)
        known = trust.load_truststore(settings.truststore_path).find(signer.kid)
    except KeyFileError as error:
        return Finding("keys", "warning", str(error), "`hazardcast up` makes them at first start")
    if known is None:
        detail = f"{settings.truststore_path} does not trust the signing key {signer.kid}"
        return Finding("keys", "failed", detail, "bring the station's trust store here")
    if known.station != config.site.station_id:
        detail = f"key {signer.kid} is station {known.station}'s, not {config.site.station_id}'s"
        return Finding("keys", "failed", detail, "set site.station_id, or make keys anew")
    return Finding("keys", "ok", f"signing with {signer.kid} ({signer.alg})")


def _keys_of_others(truststore: Path, station: int) -> Finding:
    """A trust store without a signing key: where alerts are heard, not sent."""
    try:
        known = trust.load_truststore(truststore).keys.values()
    except KeyFileError as error:
        return Finding("keys", "failed", str(error), "bring the station's trust store here")
    usable = [key.kid for key in known if key.usable and key.station == station]
    if not usable:
        return Finding("keys", "failed", f"{truststore} trusts no key of station {station}")
    detail = f"{truststore} trusts {', '.join(usable)}; no signing key here, where nothing is sent"
    return Finding("keys", "ok", detail)


def mqtt(settings: Settings) -> Finding:
    """A broker that lets us in, or one that `up` would start."""
    where = settings.broker
    if ports.answers(settings.mqtt_host, settings.mqtt_port):
        bus = MqttBus(settings, client_id="hazardcast-check")
        bus.start()
        connected, problem = bus.wait_connected(3.0), bus.problem
        bus.close()
        if connected:
            return Finding("broker", "ok", f"{where} answers")
        detail = f"{where} does not let us in{f': {problem}' if problem else ''}"
        advice = "look at HAZARDCAST_MQTT_USERNAME, _PASSWORD and _CA"
        return Finding("broker", "failed", detail, advice)
    if settings.mqtt_host not in (ports.LOOPBACK, "localhost"):
        advice = "start it, or set HAZARDCAST_MQTT_HOST and HAZARDCAST_MQTT_PORT"
        return Finding("broker", "failed", f"{where} does not answer", advice)
    return _startable_broker(settings, where)


def _startable_broker(settings: Settings, where: str) -> Finding:
    try:
        program = broker.find_mosquitto(settings.mosquitto)
    except ToolMissingError as error:
        return Finding("broker", "failed", str(error))
    if program:
        return Finding("broker", "ok", f"`hazardcast up` will start {program} on {where}")
    detail = f"no mosquitto: `hazardcast up` will start the embedded broker on {where}"
    advice = "apt install mosquitto, for a broker that keeps its messages across restarts"
    return Finding("broker", "warning", detail, advice)


def ffmpeg(settings: Settings) -> Finding:
    """The program that reads cameras and writes clips."""
    try:
        program = find_ffmpeg(settings.ffmpeg)
    except ToolMissingError as error:
        if not records_here(settings):
            return Finding("ffmpeg", "ok", "none here, where nothing is recorded")
        return Finding("ffmpeg", "failed", str(error))
    code, out, problem = run_captured([program, "-version"], timeout_s=10.0)
    if code:
        return Finding("ffmpeg", "failed", f"{program}: {problem.strip()[-200:]}")
    version = out.decode("utf-8", "replace").split(" Copyright")[0].removeprefix("ffmpeg version ")
    return Finding("ffmpeg", "ok", f"{program} ({version})")


def disk(settings: Settings) -> Finding:
    """Space for recordings, against the floor below which the oldest are removed."""
    place = _existing(settings.data_dir.absolute())
    free_gb = shutil.disk_usage(place).free / GB
    detail = f"{settings.data_dir}: {free_gb:.1f} GB free"
    if not records_here(settings):
        detail += ", as it is seen from here: for reading only, recorded by others"
    elif unwritable := _unwritable(settings):
        return Finding("disk", "failed", unwritable, "set HAZARDCAST_DATA_DIR")
    if free_gb < settings.free_space_floor_gb:
        detail += f", below the floor of {settings.free_space_floor_gb:g} GB"
        return Finding("disk", "failed", detail, "free space, or set HAZARDCAST_DATA_DIR")
    if free_gb < 2 * settings.free_space_floor_gb:
        return Finding("disk", "warning", f"{detail}, near the floor", "recordings will be short")
    return Finding("disk", "ok", detail)


def records_here(settings: Settings) -> bool:
    """False where recordings are mounted for reading only, as in the command line's container."""
    return not os.statvfs(_existing(settings.data_dir.absolute())).f_flag & os.ST_RDONLY


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)


def _unwritable(settings: Settings) -> str | None:
    """The first folder of the data directory that the system does not let us write, and why."""
    ours = (
        settings.data_dir, settings.recordings_dir, settings.clips_dir, settings.state_dir,
        settings.events_dir,
    )  # fmt: skip
    for place in dict.fromkeys(_existing(folder.absolute()) for folder in ours):
        probe = place / ".hazardcast-check"
        try:
            probe.touch()
            probe.unlink()
        except OSError as error:
            why = refusals.why(error)
            named = "cannot be" in why
            return why if named else f"{refusals.shown(place)} cannot be written: {why}"
    return None


def multicast(settings: Settings) -> Finding:
    """The group can be joined, and what is sent to it is heard, by the chosen interface."""
    group = Group(
        settings.multicast_group,
        settings.multicast_port,
        settings.multicast_interface,
        settings.multicast_ttl,
    )
    found = multicast_check.check(group)
    where = f"{group.address}:{group.port}"
    if found.heard:
        joined = "joined (IGMP)" if found.member else "joined"
        detail = (
            f"{where}: {joined} on {found.interface}, sent from {found.source}, "
            f"heard again with TTL {found.ttl}"
        )
        return Finding("multicast", "ok", detail, ACCESS_POINT)
    advice = "set HAZARDCAST_MULTICAST_INTERFACE to an interface that is up (127.0.0.1 to try out)"
    return Finding("multicast", "failed", f"{where}: {found.problem}", advice)


def read_configuration(settings: Settings) -> SiteConfig:
    """The configuration.

    Raises:
        ConfigError: as `site.load`, or a camera was chosen that does not exist.
    """
    config = site.load(settings.config)
    config.chosen(settings.camera_ids)
    return config
