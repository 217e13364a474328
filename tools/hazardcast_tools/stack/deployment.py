"""The table of services: what runs where, with which ports, when one machine runs them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hazardcast.config.settings import Settings
from hazardcast.contract.service_names import SERVICES
from hazardcast.net import ports
from hazardcast.service.processes import Process, python_module


@dataclass(frozen=True)
class Place:
    """Where the services of one machine meet: the settings that all of them share."""

    config: Path
    data_dir: Path
    mqtt_host: str
    mqtt_port: int
    http_port: int
    camera_port: int
    console_port: int
    multicast_interface: str | None = None
    more: Mapping[str, str] = field(default_factory=dict)

    def settings(self) -> dict[str, str]:
        """As `HAZARDCAST_*` changes for a child process."""
        shared = {
            "config": str(self.config),
            "data_dir": str(self.data_dir),
            "mqtt_host": self.mqtt_host,
            "mqtt_port": str(self.mqtt_port),
            "http_port": str(self.http_port),
            "camera_port": str(self.camera_port),
            "console_port": str(self.console_port),
            "camera_server": f"http://{ports.LOOPBACK}:{self.camera_port}",
        }
        if self.multicast_interface is not None:
            shared["multicast_interface"] = self.multicast_interface
        return {**shared, **self.more}

    @property
    def camera_server(self) -> str:
        """Where the camera service answers."""
        return f"http://{ports.LOOPBACK}:{self.camera_port}"

    @property
    def console(self) -> str:
        """Where an operator looks, from this machine."""
        return f"http://localhost:{self.console_port}/"


def table(place: Place, vehicles: Iterable[str], metrics_ports: Iterable[int]) -> list[Process]:
    """Every service once and a vehicle-agent for each of `vehicles`, on a metrics port each."""
    return list(_rows(place, vehicles, iter(metrics_ports)))


def _rows(place: Place, vehicles: Iterable[str], metrics_ports: Iterator[int]) -> Iterator[Process]:
    shared = place.settings()
    for service in SERVICES:
        own = {"metrics_port": str(next(metrics_ports))}
        yield Process(service, python_module(service), {**shared, **own})
    for vehicle in vehicles:
        own = {"metrics_port": str(next(metrics_ports)), "vehicle": vehicle, "instance": vehicle}
        yield Process(vehicle, python_module("vehicle_agent"), {**shared, **own})


def metrics_ports(settings: Settings, count: int) -> list[int]:
    """`count` free ports, upwards from the configured one where those are free."""
    first = settings.metrics_port or 9100
    wanted = [port for port in range(first, first + 4 * count) if ports.is_free(port)]
    return [*wanted, *ports.free_ports(count)][:count]
