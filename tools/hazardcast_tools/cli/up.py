"""`hazardcast up`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Annotated, Literal

import typer

from hazardcast.config import settings as settings_module
from hazardcast.config import site
from hazardcast.config.settings import Settings
from hazardcast.config.site import SiteConfig
from hazardcast.contract.errors import ConfigError
from hazardcast.contract.service_names import SERVICES, VEHICLE_AGENT
from hazardcast.contract.topics import STATUS
from hazardcast.machine.clock import SystemClock
from hazardcast.mqtt.bus import MqttBus
from hazardcast.net import ports
from hazardcast.net.addresses import join
from hazardcast.service.lifecycle import stop_on_signals
from hazardcast.signing import trust
from hazardcast_tools.cli.lines import PrefixedLines
from hazardcast_tools.stack import broker, deployment
from hazardcast_tools.stack.deployment import Place
from hazardcast_tools.stack.local_stack import BrokerAddress, Machine, own_broker
from hazardcast_tools.stack.presence_board import Expected, RollCall
from hazardcast_tools.stack.supervisor import Death

Choice = Literal["auto", "mosquitto", "embedded", "external"]
LOCAL_HOSTS = (ports.LOOPBACK, "localhost")


def up(
    vehicle: Annotated[
        bool, typer.Option(help="Run a vehicle-agent on this machine too, as a console.")
    ] = True,
    broker_: Annotated[
        Choice,
        typer.Option(
            "--broker", help="Which to start; external: none, use the one that runs already."
        ),
    ] = "auto",
) -> None:
    """Run the services for the cameras of cameras.yaml, and keep them running until Ctrl-C."""
    settings = settings_module.load()
    config = site.load(settings.config)
    config.chosen(settings.camera_ids)
    address = _broker(settings, broker_)
    pushed = any(camera.is_pushed for camera in config.cameras.values())
    place = _place(settings, address, pushed=pushed)
    trust.ensure_keys(settings.keys_dir, station=config.site.station_id)
    trust.ensure_clip_key(
        settings.clip_key_path,
        station=config.site.station_id,
        truststore=settings.keys_dir / trust.TRUSTSTORE_FILE,
    )
    vehicles = [settings.vehicle] if vehicle else []
    more = _push_lines(settings, config) if pushed else []
    _run(settings, place, address, vehicles, more=more)


def _broker(settings: Settings, choice: Choice) -> BrokerAddress:
    if choice == "external" or settings.mqtt_host not in LOCAL_HOSTS:
        if not ports.answers(settings.mqtt_host, settings.mqtt_port, timeout_s=3.0):
            where = settings.broker
            raise ConfigError(f"HAZARDCAST_MQTT_HOST: no broker answers at {where}")
        return BrokerAddress(settings.mqtt_host, settings.mqtt_port, None)
    folder = settings.data_dir / "broker"
    return own_broker(broker.prepare(folder, port=settings.mqtt_port, mosquitto=settings.mosquitto))


def _place(settings: Settings, address: BrokerAddress, *, pushed: bool) -> Place:
    used = {
        "CAMERA": settings.camera_port,
        "HTTP": settings.http_port,
        "CONSOLE": settings.console_port,
        **({"PUSH": settings.push_port} if pushed else {}),
    }
    for name, port in used.items():
        if not ports.is_free(port):
            raise ConfigError(
                f"HAZARDCAST_{name}_PORT: somebody listens on port {port} already; stop it, or "
                "choose another port"
            )
    more = {"log_format": "text"} if settings.log_format == "auto" else {}
    return Place(
        config=settings.config,
        data_dir=settings.data_dir,
        mqtt_host=address.host,
        mqtt_port=address.port,
        http_port=settings.http_port,
        camera_port=settings.camera_port,
        console_port=settings.console_port,
        more=more,
    )


def _push_lines(settings: Settings, config: SiteConfig) -> list[str]:
    """Where clients bring their pictures, and where the tokens are."""
    door = f"http://{join(settings.push_host, settings.push_port)}/push/ID"
    files = settings.keys_dir / trust.push_token_file("ID")
    lines = [f"  push       {door}, and ws:// there"]
    return [*lines, f"             token of each in {files}"] if config.without_token else lines


def _run(
    settings: Settings,
    place: Place,
    address: BrokerAddress,
    vehicles: list[str],
    *,
    more: list[str],
) -> None:
    clock, lines, stop = SystemClock(), PrefixedLines(), stop_on_signals()
    metrics_ports = deployment.metrics_ports(settings, len(SERVICES) + len(vehicles))
    _banner(lines, settings, place, address, metrics_ports, more=more)
    machine = Machine(sink=lines, clock=clock, restart=True)
    expected = [Expected(service) for service in SERVICES]
    expected += [Expected(VEHICLE_AGENT, name) for name in vehicles]
    roll = RollCall(expected, since=clock.now())
    bus = MqttBus(_settings_of(settings, address), client_id="hazardcast-up")
    try:
        machine.start_broker(address)
        bus.subscribe(STATUS, lambda status, _: roll.hear(status))
        bus.start()
        machine.start(deployment.table(place, vehicles, metrics_ports))
        machine.run(stop, lambda death: lines.own(_obituary(death)), _once_ready(roll, lines))
    finally:
        lines.own("stopping …")
        bus.close()
        killed = machine.stop()
        lines.own(f"stopped (had to be killed: {', '.join(killed)})" if killed else "stopped")
        lines.close()


def _settings_of(settings: Settings, address: BrokerAddress) -> Settings:
    return settings.model_copy(update={"mqtt_host": address.host, "mqtt_port": address.port})


def _once_ready(roll: RollCall, lines: PrefixedLines) -> Callable[[], None]:
    """Tells once, as soon as everyone is online."""
    told = threading.Event()

    def look() -> None:
        if not told.is_set() and not roll.missing:
            told.set()
            lines.own("READY: every service is online")

    return look


def _obituary(death: Death) -> str:
    how = f"was ended by signal {-death.code}" if death.code < 0 else f"exited with {death.code}"
    assert death.again_in_s is not None
    return (
        f"{death.name} {how} after {death.lived_s:.1f} s; "
        f"it is started again in {death.again_in_s:.1f} s"
    )


def _banner(
    lines: PrefixedLines,
    settings: Settings,
    place: Place,
    address: BrokerAddress,
    metrics_ports: list[int],
    *,
    more: list[str],
) -> None:
    http = f"http://{join(settings.http_host, place.http_port)}"
    metrics = join(settings.metrics_host, metrics_ports[0])
    group = f"{settings.multicast_group}:{settings.multicast_port}"
    for line in (
        f"hazardcast up: {settings.config}, data below {settings.data_dir}/",
        f"  broker     {address}",
        f"  alerts     {group} (multicast), POST {http}/alert, files in {settings.events_dir}/",
        f"  cameras    {place.camera_server}/ID.ts (drawn, file, USB and pushed cameras)",
        *more,
        f"  console    {place.console}",
        f"             to decide: account admin, password in {settings.keys_dir}/console.password",
        f"  metrics    http://{metrics} to :{metrics_ports[-1]}",
        '  try        mosquitto_pub -t v2x/alert -m \'{"type":"collision"}\''
        + (f" -p {address.port}" if address.port != 1883 else ""),
        "  end        Ctrl-C",
    ):
        lines.own(line)
