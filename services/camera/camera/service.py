"""The camera service: every local camera of `cameras.yaml` becomes a network stream."""

from __future__ import annotations

import logging
import threading
from functools import partial

from camera.device import DeviceCamera
from camera.drawn import DrawnCamera
from camera.folder import FolderCamera
from camera.played import PlayedFile
from camera.push.pushed import PushedCamera
from camera.scenes import scene_from_url
from camera.server import CameraServer
from camera.source import LocalCamera
from hazardcast.config.site import Camera
from hazardcast.contract.messages import Detections
from hazardcast.contract.topics import DETECTIONS
from hazardcast.machine.clock import Clock
from hazardcast.mqtt.bus import Bus
from hazardcast.mqtt.presence import Name, Presence, Word
from hazardcast.service import lifecycle

log = logging.getLogger(__name__)
SERVICE = "camera"
TICK_S = 0.5
FIRST_RETRY_S, LONGEST_RETRY_S = 0.5, 15.0
JOIN_S = 1.5


def local_camera(camera_id: str, camera: Camera, *, clock: Clock, ffmpeg: str) -> LocalCamera:
    """The source that a camera's URL means.

    Raises:
        ConfigError: a drawn scene or one of its parameters is wrong.
    """
    if camera.scheme == "demo":
        return DrawnCamera(camera_id, scene_from_url(camera.url), clock, ffmpeg)
    if camera.is_pushed:
        return PushedCamera(camera_id, clock, ffmpeg)
    if camera.device is not None:
        return DeviceCamera(camera_id, camera.device, clock, ffmpeg)
    if camera.folder is not None:
        return FolderCamera(
            camera_id,
            camera.folder,
            loop=camera.loop,
            finished=camera.finished,
            clock=clock,
            ffmpeg=ffmpeg,
        )
    assert camera.file is not None
    return PlayedFile(camera_id, camera.file, loop=camera.loop, clock=clock, ffmpeg=ffmpeg)


class CameraService:
    """Keeps the cameras streaming, serves them, and says how they do."""

    def __init__(self, server: CameraServer, bus: Bus, *, clock: Clock, instance: str) -> None:
        self._server = server
        self._cameras = server.cameras
        self._presence = Presence(Name(SERVICE, instance), bus, clock)
        self._clock = clock
        if any(isinstance(camera, PushedCamera) for camera in self._cameras.values()):
            bus.subscribe(DETECTIONS, self._seen)

    def _seen(self, seen: Detections, _: object) -> None:
        """A client that brings pictures is told what was seen in them."""
        camera = self._cameras.get(seen.camera)
        if isinstance(camera, PushedCamera):
            camera.tell(seen)

    def run(self, stop: threading.Event) -> None:
        """Stream until `stop`."""
        log.info("streaming", extra={"cameras": ", ".join(self._cameras) or "none"})
        threads = [self._start(camera, stop) for camera in self._cameras.values()]
        try:
            while not self._clock.wait(stop, TICK_S):
                self._tick()
        finally:
            stop.set()
            self._end(threads)

    def _end(self, threads: list[threading.Thread]) -> None:
        self._server.close()
        for camera in self._cameras.values():
            camera.interrupt()
        for thread in threads:
            thread.join(JOIN_S)
        self._presence.stopped()

    def _start(self, camera: LocalCamera, stop: threading.Event) -> threading.Thread:
        repeat = partial(
            lifecycle.repeat,
            partial(camera.run_once, stop),
            what=f"stream of {camera.id}",
            stop=stop,
            clock=self._clock,
            first_s=FIRST_RETRY_S,
            most_s=LONGEST_RETRY_S,
        )
        thread = threading.Thread(target=repeat, name=f"camera {camera.id}", daemon=True)
        thread.start()
        return thread

    def _tick(self) -> None:
        for camera in self._cameras.values():
            camera.check_stall()
        self._presence.look(Word(tuple(camera.status for camera in self._cameras.values())))
