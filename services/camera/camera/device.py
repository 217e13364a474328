"""A USB camera: encoded and sent as its frames come."""

from __future__ import annotations

import threading
from typing import Any

from camera import encoder
from camera.source import LocalCamera, SourceProblem
from camera.transport_stream import Splitter
from hazardcast.machine.clock import Clock


class DeviceCamera(LocalCamera):
    """Streams a Video4Linux device."""

    def __init__(self, camera_id: str, device: str, clock: Clock, ffmpeg: str) -> None:
        super().__init__(camera_id, clock, ffmpeg)
        self._device = device

    def facts(self) -> dict[str, Any]:
        """Which device, and how it does."""
        return {"camera": self.id, "device": self._device, "state": self.state}

    def _produce(self, stop: threading.Event) -> None:
        stream = self._open(encoder.device_command(self._ffmpeg, self._device))
        splitter, sent = Splitter(), False
        while not stop.is_set() and (data := stream.read()):
            for chunk in splitter.feed(data):
                self._send(chunk, splitter.tables)
                sent = True
        if not stop.is_set():
            complaint = stream.complaint()
            raise SourceProblem(f"{self._device}: {'ended: ' if sent else ''}{complaint}")
