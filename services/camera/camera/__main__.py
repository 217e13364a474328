"""`python -m camera`."""

from __future__ import annotations

import threading

from camera.server import CameraServer
from camera.service import CameraService, local_camera
from camera.status import status
from hazardcast import site
from hazardcast.bus import MqttBus
from hazardcast.clock import SystemClock
from hazardcast.ffmpeg import find_ffmpeg
from hazardcast.lifecycle import run_service
from hazardcast.metrics import Health, MetricsServer
from hazardcast.settings import Settings

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
    metrics = MetricsServer(settings.metrics_host, settings.metrics_port, Health())
    will = status(settings.instance, "offline", clock.now())
    bus = MqttBus(settings, client_id=f"hazardcast-camera-{settings.instance}", will=will)
    service = CameraService(server, bus, clock=clock, instance=settings.instance)
    bus.start()
    try:
        service.run(stop)
        bus.flush(FAREWELL_S)
    finally:
        bus.close()
        metrics.close()


if __name__ == "__main__":
    run_service(serve)
