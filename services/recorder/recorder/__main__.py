"""`python -m recorder`."""

from __future__ import annotations

import threading

from hazardcast.config import site
from hazardcast.config.settings import Settings
from hazardcast.machine.clock import SystemClock
from hazardcast.media.ffmpeg import find_ffmpeg
from hazardcast.mqtt.bus import MqttBus
from hazardcast.mqtt.presence import Name
from hazardcast.service import lifecycle
from hazardcast.service.metrics import Health, MetricsServer
from recorder.service import SERVICE, RecorderService


def serve(settings: Settings, stop: threading.Event) -> None:
    """Wire the service to the world and run it."""
    clock = SystemClock()
    will = Name(SERVICE, settings.instance).last_will(clock.now())
    bus = MqttBus(settings, client_id=f"{SERVICE}-{settings.instance}", will=will, clock=clock)
    service = RecorderService(
        settings,
        site.load(settings.config).chosen(settings.camera_ids),
        program=find_ffmpeg(settings.ffmpeg),
        bus=bus,
        clock=clock,
        stop=stop,
    )
    server = MetricsServer(
        settings.metrics_host, settings.metrics_port, Health(service.alive, service.ready)
    )
    bus.start()
    service.run()
    bus.flush(0.5)
    bus.close()
    server.close()


if __name__ == "__main__":
    lifecycle.run_service(serve)
