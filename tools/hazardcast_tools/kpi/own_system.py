"""A system of the run's own, where none runs: the demo's house with a quiet road before it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hazardcast.config.settings import Settings
from hazardcast.contract.service_names import SERVICES
from hazardcast.machine.clock import Clock
from hazardcast.media.segments import list_segments
from hazardcast_tools.demo import house
from hazardcast_tools.demo.logbook import Logbook
from hazardcast_tools.demo.scene import CAMERA, demo_scene
from hazardcast_tools.stack import deployment
from hazardcast_tools.stack.local_stack import Machine

VEHICLES = ("vehicle-1", "vehicle-2")
CLIP_SIDE_S = 10.0
RECORDED_WITHIN_S = 60.0
TURN_S = 0.2


@contextmanager
def own_system(settings: Settings, clock: Clock, stop: threading.Event) -> Iterator[Settings]:
    """Every service and two vehicles, until the block ends; yields the settings to reach them."""
    scene = demo_scene("demo://normal", pre_s=CLIP_SIDE_S, post_s=CLIP_SIDE_S)
    count = len(SERVICES) + len(VEHICLES)
    home = house.furnish(settings, scene, "auto", now=clock.now(), processes=count)
    logs = Logbook(home.folder / "logs")
    machine = Machine(sink=logs, clock=clock, restart=False)
    try:
        machine.start_broker(home.broker)
        machine.start(deployment.table(home.place, VEHICLES, home.metrics_ports))
        _await_video(home, clock, stop, needed_s=scene.clip_pre_s)
        place = home.place
        reach = {
            "mqtt_host": place.mqtt_host,
            "mqtt_port": place.mqtt_port,
            "http_port": place.http_port,
        }
        yield settings.model_copy(update=reach)
    finally:
        machine.stop()
        logs.close()
    home.tidy()


def _await_video(
    home: house.House, clock: Clock, stop: threading.Event, *, needed_s: float
) -> None:
    """Let the recording grow to what a clip keeps from before the accident."""
    deadline = clock.monotonic() + RECORDED_WITHIN_S
    while clock.monotonic() < deadline:
        kept = list_segments(home.folder / "recordings", CAMERA)
        if kept and kept[-1].end - kept[0].start >= needed_s + 2.0:
            return
        if clock.wait(stop, TURN_S):
            return
