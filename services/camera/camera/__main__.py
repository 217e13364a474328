"""`python -m camera`."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from camera.push import tokens
from camera.push.door import PushServer
from camera.push.pushed import PushedCamera
from camera.server import CameraServer
from camera.service import SERVICE, CameraService, local_camera
from camera.source import WELL, LocalCamera
from hazardcast.config import site
from hazardcast.config.settings import Settings
from hazardcast.config.site import Camera
from hazardcast.machine.clock import SystemClock
from hazardcast.media.ffmpeg import find_ffmpeg
from hazardcast.mqtt.bus import MqttBus
from hazardcast.mqtt.presence import Name
from hazardcast.service.lifecycle import run_service
from hazardcast.service.metrics import Health, MetricsServer

FAREWELL_S = 0.5


def serve(settings: Settings, stop: threading.Event) -> None:
    """Wire the service and run it until `stop`."""
    clock = SystemClock()
    chosen = site.load(settings.config).chosen(settings.camera_ids)
    local = {name: camera for name, camera in chosen.items() if camera.is_local}
    ffmpeg = find_ffmpeg(settings.ffmpeg) if local else ""
    cameras = {
        name: local_camera(name, camera, clock=clock, ffmpeg=ffmpeg)
        for name, camera in local.items()
    }
    server = CameraServer(settings.camera_host, settings.camera_port, cameras)
    door = _door(settings, local, cameras)
    metrics = MetricsServer(settings.metrics_host, settings.metrics_port, _health(cameras))
    will = Name(SERVICE, settings.instance).last_will(clock.now())
    bus = MqttBus(settings, client_id=f"hazardcast-camera-{settings.instance}", will=will)
    service = CameraService(server, bus, clock=clock, instance=settings.instance)
    bus.start()
    try:
        service.run(stop)
        bus.flush(FAREWELL_S)
    finally:
        if door:
            door.close()
        bus.close()
        metrics.close()


def _door(
    settings: Settings, local: Mapping[str, Camera], cameras: Mapping[str, LocalCamera]
) -> PushServer | None:
    """Where clients push to, if any may."""
    pushed = {name: one for name, one in cameras.items() if isinstance(one, PushedCamera)}
    if not pushed:
        return None
    opened_by = tokens.load(settings, local)
    return PushServer(settings.push_host, settings.push_port, pushed, opened_by)


def _health(cameras: Mapping[str, LocalCamera]) -> Health:
    """Ready once every camera streams, or has been played to its end."""

    def ready() -> tuple[bool, str]:
        waiting = [c.id for c in cameras.values() if c.state not in WELL]
        return (not waiting, f"not streaming: {', '.join(waiting)}" if waiting else "ready")

    return Health(ready=ready)


if __name__ == "__main__":
    run_service(serve)
