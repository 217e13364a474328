"""`python -m detector`: wiring only."""

from __future__ import annotations

import threading
from functools import partial

from detector import metrics
from detector.pipeline import Areas, Pipeline
from detector.service import SERVICE, DetectorService
from detector.view.ground import GroundPoints
from detector.worker import Worker
from hazardcast.config import site
from hazardcast.config.settings import Settings
from hazardcast.config.site import Camera
from hazardcast.contract.errors import ConfigError
from hazardcast.machine.clock import Clock, SystemClock
from hazardcast.mqtt.bus import Bus, MqttBus
from hazardcast.mqtt.presence import Name
from hazardcast.service import lifecycle
from hazardcast.service.metrics import Health, MetricsServer
from hazardcast.vision.models import cache
from hazardcast.vision.models.opener import ROADSIDE, OpenModel, model_opener
from hazardcast.vision.pixels import image
from hazardcast.vision.pixels.sources import MOST_WAIT_S, LiveFrames

FLUSH_S = 2.0
LOCAL_MOST_WAIT_S = 2.0
"""The camera service says no quickly, and a pushed camera comes any moment."""


def serve(settings: Settings, stop: threading.Event) -> None:
    """Run the detector until `stop`."""
    clock = SystemClock()
    image.single_threaded()
    chosen = site.load(settings.config).chosen(settings.camera_ids)
    path = cache.resolved(settings.model, settings) if settings.model else None
    open_model = model_opener(
        path, threads=settings.model_threads, provider=settings.model_provider
    )
    for camera_id, camera in chosen.items():
        ground_of(camera_id, camera)  # wrong points are an error now, not when frames come
    will = Name(SERVICE, settings.instance).last_will(clock.now())
    bus = MqttBus(settings, client_id=f"{SERVICE}-{settings.instance}", will=will)
    service = DetectorService(
        chosen,
        open_worker=partial(open_worker, settings=settings, model=open_model, bus=bus, clock=clock),
        bus=bus,
        clock=clock,
        instance=settings.instance,
        pinned=settings.camera_ids is not None,
        model=(path or ROADSIDE).stem,
    )
    service.listen()
    server = MetricsServer(
        settings.metrics_host, settings.metrics_port, Health(ready=service.ready)
    )
    bus.start()
    service.run(stop)
    bus.flush(FLUSH_S)
    bus.close()
    server.close()


def open_worker(
    camera_id: str,
    camera: Camera,
    *,
    settings: Settings,
    model: OpenModel,
    bus: Bus,
    clock: Clock,
) -> Worker:
    """The worker of one camera over its live stream."""
    frames = LiveFrames(
        lambda: site.stream_url(
            camera_id, camera, camera_server=settings.camera_server, detect=True
        ),
        camera=camera_id,
        fps=camera.detect_fps,
        clock=clock,
        transport=camera.rtsp_transport,
        most_wait_s=LOCAL_MOST_WAIT_S if camera.is_local else MOST_WAIT_S,
        captured=metrics.FRAMES_CAPTURED.labels(camera=camera_id).inc,
        dropped=metrics.FRAMES_DROPPED.labels(camera=camera_id).inc,
    )
    areas = Areas(road=camera.zones.road, ignore=camera.zones.ignore)
    return Worker(
        camera_id,
        camera,
        frames=frames,
        open_pipeline=lambda: Pipeline(model(), areas=areas, ground=ground_of(camera_id, camera)),
        bus=bus,
        clock=clock,
    )


def ground_of(camera_id: str, camera: Camera) -> GroundPoints | None:
    """The camera's four points of the road.

    Raises:
        ConfigError: they give no plane; the error names the camera.
    """
    if camera.ground is None:
        return None
    points = GroundPoints(camera.ground.picture, camera.ground.metres)
    try:
        points.ground(1, 1)
    except ConfigError as error:
        raise ConfigError(f"cameras.{camera_id}.{error}") from None
    return points


if __name__ == "__main__":
    lifecycle.run_service(serve)
