"""A drawn camera: each frame is drawn ahead, stamped and handed over at its moment."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from camera import drawing, encoder, metrics
from camera.encoder import Stream
from camera.pacing import next_turn
from camera.scenes import Scene
from camera.source import LocalCamera
from camera.transport_stream import Splitter
from hazardcast.machine.clock import Clock
from hazardcast.media import burnt_clock

CLOCK_STEP_S = 0.5
"""A wall clock that moves this much against the monotonic one has been set: begin anew."""
_NEUTRAL = 128


class DrawnCamera(LocalCamera):
    """Streams a scene; scene time counts from the service's start."""

    def __init__(self, camera_id: str, scene: Scene, clock: Clock, ffmpeg: str) -> None:
        super().__init__(camera_id, clock, ffmpeg)
        self._scene = scene
        self._started_s: float | None = None

    def facts(self) -> dict[str, Any]:
        """The truth of the scene: when the present cycle's incident begins or began."""
        view = self._scene.view
        return {
            "camera": self.id,
            "scene": self._scene.name,
            "state": self.state,
            **self._times(),
            "period_s": self._scene.period_s,
            "width": view.width,
            "height": view.height,
            "fps": self._scene.fps,
        }

    def _times(self) -> dict[str, float | None]:
        """Epoch seconds; None before the first frame, and `impact_at` without an incident."""
        if self._started_s is None:
            return {"started_at": None, "impact_at": None}
        scene_s = self._clock.monotonic() - self._started_s
        started_at = self._clock.now() - scene_s
        onset_s = self._scene.onset_s(scene_s)
        impact_at = None if onset_s is None else round(started_at + onset_s, 3)
        return {"started_at": round(started_at, 3), "impact_at": impact_at}

    def _produce(self, stop: threading.Event) -> None:
        self._scene.prepare()
        view = self._scene.view
        command = encoder.drawn_command(
            self._ffmpeg, width=view.width, height=view.height, fps=self._scene.fps
        )
        stream = self._open(command, takes_frames=True)
        reader = threading.Thread(
            target=self._forward, args=(stream,), name=f"stream of {self.id}", daemon=True
        )
        reader.start()
        try:
            self._draw(stream, stop)
        finally:
            stream.kill()
            reader.join()

    def _forward(self, stream: Stream) -> None:
        splitter = Splitter()
        while data := stream.read():
            for chunk in splitter.feed(data):
                self._send(chunk, splitter.tables)

    def _draw(self, stream: Stream, stop: threading.Event) -> None:
        if self._started_s is None:
            self._started_s = self._clock.monotonic()
        started_s, fps = self._started_s, self._scene.fps
        wall_offset_s = self._clock.now() - self._clock.monotonic()
        number = int((self._clock.monotonic() - started_s) * fps)
        while not stop.is_set():
            turn = next_turn(number, self._clock.monotonic() - started_s, fps)
            number = turn.number
            metrics.FRAMES_LATE.labels(camera=self.id).inc(turn.skipped)
            picture = self._picture(turn.due_s, started_s + turn.due_s + wall_offset_s)
            if self._clock.wait(stop, started_s + turn.due_s - self._clock.monotonic()):
                return
            now = self._clock.now()
            if abs(now - self._clock.monotonic() - wall_offset_s) > CLOCK_STEP_S:
                return
            burnt_clock.burn(picture[: self._scene.view.height], round(now * 1000))
            stream.write(picture)

    def _picture(self, scene_s: float, wall_s: float) -> NDArray[np.uint8]:
        """The frame as I420, all but the clock, whose strip is left grey."""
        with metrics.DRAWING_SECONDS.labels(camera=self.id).time():
            frame = self._scene.draw(scene_s)
            height_px = burnt_clock.strip_height_px(frame.shape[1])
            moment = datetime.fromtimestamp(wall_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
            text = f"{self.id.upper()}  {moment} UTC"
            scale = frame.shape[1] / 1920
            drawing.caption(
                frame, text, left_px=10, baseline_px=round(height_px * 2.1), scale=scale
            )
            frame[:height_px] = _NEUTRAL
            metrics.FRAMES_DRAWN.labels(camera=self.id).inc()
            return drawing.to_i420(frame)
