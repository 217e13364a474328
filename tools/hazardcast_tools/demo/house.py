"""The demo's own house: a data directory, keys, a configuration, ports, a broker, and a network."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hazardcast.config.settings import Settings
from hazardcast.net import ports
from hazardcast.net.multicast import Group
from hazardcast.signing import trust
from hazardcast_tools.checks import multicast_check
from hazardcast_tools.demo.scene import DemoScene
from hazardcast_tools.stack import broker
from hazardcast_tools.stack.broker import BrokerChoice
from hazardcast_tools.stack.deployment import Place
from hazardcast_tools.stack.local_stack import BrokerAddress, own_broker

STATION = 4097
KEPT = ("clips", "logs")
"""What is left of a demo that went well."""


@dataclass(frozen=True)
class House:
    """Where this demo lives."""

    folder: Path
    place: Place
    broker: BrokerAddress
    metrics_ports: list[int]
    multicast: str
    """How datagrams travel, in words."""

    def tidy(self) -> None:
        """Remove everything but the clip and the logs."""
        for path in self.folder.iterdir():
            if path.name not in KEPT:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
        shutil.rmtree(self.folder / "clips" / ".jobs", ignore_errors=True)


def furnish(
    settings: Settings, scene: DemoScene, choice: BrokerChoice, *, now: float, processes: int
) -> House:
    """Make a fresh data directory with everything that the services need.

    Raises:
        ConfigError, ToolMissingError: no broker can be started.
    """
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S.%f")[:-3]
    folder = (settings.data_dir / "demo" / stamp).absolute()
    folder.mkdir(parents=True)
    config = folder / "cameras.yaml"
    config.write_text(scene.cameras_yaml(), encoding="utf-8")
    keys = folder / "keys"
    trust.ensure_keys(keys, station=STATION)
    trust.ensure_clip_key(
        keys / trust.CLIP_KEY_FILE, station=STATION, truststore=keys / trust.TRUSTSTORE_FILE
    )
    mqtt_port, http_port, camera_port, console_port, *metrics_ports = ports.free_ports(
        4 + processes
    )
    local = broker.prepare(
        folder / "broker", port=mqtt_port, mosquitto=settings.mosquitto, choice=choice
    )
    interface, told = _multicast(settings)
    more = {
        "clip_pre_s": f"{scene.clip_pre_s:g}",
        "clip_post_s": f"{scene.clip_post_s:g}",
        "log_format": "text",
        "free_space_floor_gb": "0",
    }
    place = Place(
        config=config,
        data_dir=folder,
        mqtt_host=ports.LOOPBACK,
        mqtt_port=mqtt_port,
        http_port=http_port,
        camera_port=camera_port,
        console_port=console_port,
        multicast_interface=interface,
        more=more,
    )
    return House(folder, place, own_broker(local), metrics_ports, told)


def _multicast(settings: Settings) -> tuple[str | None, str]:
    """The interface for datagrams: the chosen or usual one if it works, else loopback."""
    group = Group(
        settings.multicast_group,
        settings.multicast_port,
        settings.multicast_interface,
        settings.multicast_ttl,
    )
    where = f"{group.address}:{group.port}"
    found = multicast_check.check(group)
    if found.heard:
        return group.interface, f"{where} from {found.source}, TTL {found.ttl}"
    return ports.LOOPBACK, f"{where} on loopback, as the usual interface fails ({found.problem})"
