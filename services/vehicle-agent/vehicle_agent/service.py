"""A vehicle-agent from start to stop."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable
from typing import Protocol

from hazardcast import multicast
from hazardcast.bus import Bus, Delivery, MqttBus
from hazardcast.clock import Clock, SystemClock
from hazardcast.errors import ConfigError
from hazardcast.fields import NAME_PATTERN
from hazardcast.metrics import Health, MetricsServer
from hazardcast.multicast import Group
from hazardcast.settings import Settings
from hazardcast.topics import BROADCAST
from hazardcast.trust import TrustStore
from vehicle_agent import metrics, positioning
from vehicle_agent.agent import Agent
from vehicle_agent.alert_log import AlertLog
from vehicle_agent.announcer import Announcer
from vehicle_agent.clock_sync import kernel_bound_s
from vehicle_agent.console import Console, open_console
from vehicle_agent.memory import Memory
from vehicle_agent.monitor import SERVICE, Monitor, status
from vehicle_agent.outlet import open_ros2
from vehicle_agent.positioning import Positioning
from vehicle_agent.radio import Deliver, Radio
from vehicle_agent.relevance import Pose
from vehicle_agent.sighting import Arrival
from vehicle_agent.trust_file import TrustFile

LOOK_EVERY_S = 0.2
KEEP_EVERY_S = 0.5
MARKS_EVERY_S = 5.0
"""After a crash at most this much may be heard again; flash memory wears with every write."""
THREAD_SWITCH_S = 0.000_5
"""Python's default of 5 ms would let a flood on one socket hold up the other threads."""
LAST_WORD_S = 2.0


class Connection(Bus, Protocol):
    """A bus with a beginning and an end."""

    def start(self) -> None:
        """Connect in the background."""
        ...

    def close(self) -> None:
        """Disconnect."""
        ...


def serve(settings: Settings, stop: threading.Event) -> None:
    """Hear, believe, show and act until `stop`."""
    sys.setswitchinterval(THREAD_SWITCH_S)
    vehicle, clock = vehicle_name(settings), SystemClock()
    running: list[VehicleAgent] = []
    server = MetricsServer(
        settings.metrics_host,
        settings.metrics_port,
        Health(ready=lambda: running[0].ready() if running else (False, "no trust store yet")),
        metrics.REGISTRY,
    )
    trust_file = TrustFile(settings.truststore_path)
    if store := trust_file.wait(stop, clock):
        will = status(vehicle, "offline", clock.now())
        bus = MqttBus(settings, client_id=f"{SERVICE}-{vehicle}", will=will, clock=clock)
        agent = VehicleAgent(
            settings, store, bus=bus, console=open_console(), clock=clock, stop=stop
        )
        running.append(agent)
        agent.run(new_trust=trust_file.changed)
        bus.flush(LAST_WORD_S)
        bus.close()
    server.close()


def vehicle_name(settings: Settings) -> str:
    """The vehicle's name, fit for topics and folders.

    Raises:
        ConfigError: it is not.
    """
    if not re.fullmatch(NAME_PATTERN, settings.vehicle) or len(settings.vehicle) > 48:
        raise ConfigError(
            f"HAZARDCAST_VEHICLE: {settings.vehicle!r} is not 1 to 48 of A-Z a-z 0-9 _ . : -"
        )
    return settings.vehicle


class VehicleAgent:
    """The parts of one vehicle-agent, put together."""

    def __init__(
        self,
        settings: Settings,
        store: TrustStore,
        *,
        bus: Connection,
        console: Console,
        clock: Clock,
        stop: threading.Event,
    ) -> None:
        folder = f"vehicle-{settings.vehicle}"
        self._bus, self._console, self._clock, self._stop = bus, console, clock, stop
        self._woken = threading.Event()
        self._ros2 = open_ros2(settings)
        self._memory = Memory(settings.state_dir / folder)
        self._announcer = Announcer(
            settings.vehicle,
            console=console,
            alert_log=AlertLog(settings.data_dir / folder),
            bus=bus,
            clock=clock,
            woken=self._woken,
            also=self._ros2.alert if self._ros2 else None,
        )
        self.agent = Agent(
            store,
            memory=self._memory,
            reporter=self._announcer,
            clock=clock,
            pose=_pose(settings),
            cruising_mps=settings.vehicle_speed_mps,
        )
        self._monitor = Monitor(
            settings.vehicle,
            announcer=self._announcer,
            bus=bus,
            clock=clock,
            cruising_mps=settings.vehicle_speed_mps,
        )
        found = positioning.source(settings, clock)
        self._place = found and Positioning(found, self.agent.moved, self._announcer.say, clock)
        self._radios = _radios(settings, self.agent, clock=clock, stop=stop)
        bus.subscribe_text(BROADCAST, second_path(self.agent.receive))
        bus.on_connect(self._monitor.reconnected)

    def ready(self) -> tuple[bool, str]:
        """Whether alerts can be heard by any path."""
        paths = [radio.path for radio in self._radios if radio.listening]
        paths += ["mqtt"] if self._bus.connected else []
        return bool(paths), f"listening by {', '.join(paths)}" if paths else "no path is open"

    def run(self, *, new_trust: Callable[[], TrustStore | None]) -> None:
        """Work until the stop event, then leave everything in order."""
        self._announcer.start()
        self._bus.start()
        for radio in self._radios:
            radio.start()
        keeper = threading.Thread(target=self._keep_house, args=(new_trust,), name="keeper")
        keeper.start()
        if self._place:
            self._place.start(self._stop)
        while not self._stop.is_set():
            if self._place:
                self._place.look()
            condition = self.agent.check(kernel_bound_s())
            if self._ros2:
                self._ros2.speed(condition.advice)
            self._monitor.look(condition, self.agent.counters())
            self._clock.wait(self._woken, LOOK_EVERY_S)
            self._woken.clear()
        keeper.join()
        self._leave()

    def _keep_house(self, new_trust: Callable[[], TrustStore | None]) -> None:
        """What may wait for the disk, on a thread of its own."""
        next_marks = self._clock.monotonic()
        while not self._clock.wait(self._stop, KEEP_EVERY_S):
            if store := new_trust():
                self.agent.trust(store)
            if self._clock.monotonic() >= next_marks:
                next_marks += MARKS_EVERY_S
                self._memory.note(self.agent.marks())
            self._keep()

    def _keep(self) -> None:
        """Alerts are kept as shown only when they are: a crash may repeat a line, not lose one."""
        self._memory.flush()
        if self._announcer.idle and (alerts := self.agent.changes()) is not None:
            self._memory.save_alerts(alerts)

    def _leave(self) -> None:
        for radio in self._radios:
            radio.join()
        self._announcer.close()
        self._memory.note(self.agent.marks())
        self._keep()
        self._console.close()
        self._monitor.publish_status("stopped")


def second_path(deliver: Deliver) -> Callable[[str, Delivery], None]:
    """Hears on MQTT what the radio may have lost; judged like anything else."""

    def hear(text: str, delivery: Delivery) -> None:
        metrics.RECEIVED["mqtt"].inc()
        deliver(
            Arrival(
                text.encode("ascii"),
                "mqtt",
                "mqtt",
                delivery.received_at,
                delivery.received_monotonic,
            )
        )

    return hear


def _pose(settings: Settings) -> Pose:
    return Pose(settings.vehicle_lat, settings.vehicle_lon, settings.vehicle_heading_deg)


def _radios(
    settings: Settings, agent: Agent, *, clock: Clock, stop: threading.Event
) -> list[Radio]:
    group = Group(settings.multicast_group, settings.multicast_port, settings.multicast_interface)
    listen = Radio(
        lambda: multicast.open_receiver(group),
        "multicast",
        agent.receive,
        clock=clock,
        stop=stop,
        beginnings=agent.beginnings,
    )
    port = settings.vehicle_unicast_port
    if port is None:
        return [listen]
    direct = Radio(
        lambda: multicast.open_unicast_receiver(port),
        "unicast",
        agent.receive,
        clock=clock,
        stop=stop,
        beginnings=agent.beginnings,
    )
    return [listen, direct]
