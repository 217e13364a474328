"""A vehicle-agent from start to stop."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from hazardcast.config.settings import Settings
from hazardcast.contract.errors import ConfigError
from hazardcast.contract.fields import NAME_PATTERN
from hazardcast.contract.topics import BROADCAST
from hazardcast.machine.clock import Clock, SystemClock
from hazardcast.mqtt.bus import Bus, Delivery, MqttBus
from hazardcast.mqtt.presence import Name
from hazardcast.net import multicast
from hazardcast.net.multicast import Group
from hazardcast.service.metrics import Health, MetricsServer
from hazardcast.service.watchdog import Watchdog
from hazardcast.signing.trust import TrustStore
from vehicle_agent import metrics, positioning
from vehicle_agent.agent import Agent, Reporter
from vehicle_agent.alert_log import AlertLog
from vehicle_agent.announcer import Announcer
from vehicle_agent.clock_sync import kernel_bound_s
from vehicle_agent.console import Console, open_console
from vehicle_agent.fault import Fault
from vehicle_agent.memory import Memory
from vehicle_agent.metrics_door import MetricsDoor
from vehicle_agent.monitor import SERVICE, Monitor
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
    health = Health(ready=lambda: running[0].ready() if running else (False, "no trust store yet"))
    host, port = settings.metrics_host, settings.metrics_port
    door = MetricsDoor(lambda: MetricsServer(host, port, health), stop, clock)
    will = Name(SERVICE, vehicle).last_will(clock.now())
    bus = MqttBus(settings, client_id=f"{SERVICE}-{vehicle}", will=will, clock=clock)
    trust_file = TrustFile(settings.truststore_path)
    if store := trust_file.wait(stop, clock):
        agent = VehicleAgent(
            settings, store, bus=bus, console=open_console(), clock=clock, stop=stop
        )
        running.append(agent)
        agent.run(new_trust=trust_file.changed)
        bus.flush(LAST_WORD_S)
        bus.close()
    door.close()


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
        self._bus, self._clock, self._stop = bus, clock, stop
        self._woken = threading.Event()
        self._memory = Memory(settings.state_dir / folder, clock)
        self._next_marks = clock.monotonic()
        self._unkept: list[dict[str, Any]] | None = None
        self._announcer = Announcer(
            settings.vehicle,
            console=console,
            alert_log=AlertLog(settings.data_dir / folder),
            bus=bus,
            clock=clock,
            woken=self._woken,
            ros2=open_ros2(settings, clock),
        )
        self.agent = _agent(
            settings, store, memory=self._memory, reporter=self._announcer, clock=clock
        )
        self._monitor = Monitor(
            settings.vehicle,
            announcer=self._announcer,
            bus=bus,
            clock=clock,
            cruising_mps=settings.vehicle_speed_mps,
        )
        found = positioning.source(settings, clock)
        say = partial(self._announcer.say, about="position")
        self._place = found and Positioning(found, self.agent.moved, say, clock)
        self._watchdog = dog = Watchdog(clock)
        self._radios = _radios(settings, self.agent, clock=clock, stop=stop, watchdog=dog)
        self._looking, self._kernel = Fault("look", clock), Fault("clock", clock)
        self._house, self._trusting = Fault("house", clock), Fault("trust", clock)
        bus.subscribe_text(BROADCAST, second_path(self.agent.receive))

    def ready(self) -> tuple[bool, str]:
        """Whether alerts can be heard by any path."""
        paths = [radio.path for radio in self._radios if radio.listening]
        paths += ["mqtt"] if self._bus.connected else []
        return bool(paths), f"listening by {', '.join(paths)}" if paths else "no path is open"

    def run(self, *, new_trust: Callable[[], TrustStore | None]) -> None:
        """Work until the stop event, then leave everything in order."""
        self._watchdog.start(self._stop)
        self._announcer.start()
        self._bus.start()
        for radio in self._radios:
            radio.start()
        keeper = threading.Thread(
            target=self._keep_house, args=(new_trust,), name="keeper", daemon=True
        )
        keeper.start()
        if self._place:
            self._place.start(self._stop)
        while not self._stop.is_set():
            self._looking.guard(self._look)
            self._clock.wait(self._woken, LOOK_EVERY_S)
            self._woken.clear()
        keeper.join(LAST_WORD_S)
        self._leave(keep=not keeper.is_alive())

    def _look(self) -> None:
        """Let time pass; the speed first, as it must not wait for anything that is only told."""
        if self._place:
            self._place.look()
        condition = self.agent.check(self._kernel.guard(kernel_bound_s))
        self._announcer.speed(condition.advice)
        self._announcer.look()
        self._monitor.look(condition, self.agent.counters())

    def _keep_house(self, new_trust: Callable[[], TrustStore | None]) -> None:
        """What may wait for the disk, on a thread of its own."""
        while not self._clock.wait(self._stop, KEEP_EVERY_S):
            self._house.guard(lambda: self._keep_in_order(new_trust))

    def _keep_in_order(self, new_trust: Callable[[], TrustStore | None]) -> None:
        if store := self._trusting.guard(new_trust):
            self.agent.trust(store)
        if self._clock.monotonic() >= self._next_marks:
            self._next_marks = self._clock.monotonic() + MARKS_EVERY_S
            self._memory.note(self.agent.marks())
        self._keep()

    def _keep(self) -> None:
        """Alerts are kept as shown only when they are: a crash may repeat a line, not lose one."""
        self._memory.flush()
        changed = self.agent.changes(self._announcer.owed())
        self._unkept = self._unkept if changed is None else changed
        if self._unkept is not None and self._memory.save_alerts(self._unkept):
            self._unkept = None

    def _leave(self, *, keep: bool) -> None:
        """`keep`: not where the disk has not answered for a while."""
        for radio in self._radios:
            radio.join()
        self._announcer.close()
        if keep:
            self._memory.note(self.agent.marks())
            self._house.guard(self._keep)
        self._monitor.stopped()


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


def _agent(
    settings: Settings, store: TrustStore, *, memory: Memory, reporter: Reporter, clock: Clock
) -> Agent:
    return Agent(
        store,
        memory=memory,
        reporter=reporter,
        clock=clock,
        pose=_pose(settings),
        cruising_mps=settings.vehicle_speed_mps,
        policy=settings.vehicle_policy,
    )


def _pose(settings: Settings) -> Pose:
    return Pose(settings.vehicle_lat, settings.vehicle_lon, settings.vehicle_heading_deg)


def _radios(
    settings: Settings, agent: Agent, *, clock: Clock, stop: threading.Event, watchdog: Watchdog
) -> list[Radio]:
    group = Group(settings.multicast_group, settings.multicast_port, settings.multicast_interface)
    listen = Radio(
        lambda: multicast.open_receiver(group),
        "multicast",
        agent.receive,
        clock=clock,
        stop=stop,
        beginnings=agent.beginnings,
        is_deaf=lambda: multicast.is_forgotten(group),
        turn=watchdog.turn("multicast"),
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
        turn=watchdog.turn("unicast"),
    )
    return [listen, direct]
