"""A drawn junction as HLS that grows, with the true boxes of its vehicles, for the fake console."""

from __future__ import annotations

import subprocess
import threading
import time
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from camera.scenes import scene_from_url
from camera.scenes.view import View

from hazardcast.media import burnt_clock
from hazardcast.media.ffmpeg import find_ffmpeg

WIDTH, HEIGHT = 640, 360
FPS = 10
LISTED = 6
LABELS = {"truck": "truck"}


@dataclass
class DrawnVideo:
    """One scene, drawn in real time and encoded in segments of a second."""

    folder: Path
    scene: str = "collision"
    began: float = field(default=0.0, init=False)
    frames: int = field(default=0, init=False)
    still: bytes = field(default=b"", init=False)
    stopped: threading.Event = field(default_factory=threading.Event, init=False)

    def start(self, scene_s: float = 0.0) -> None:
        """Draw from scene time `scene_s` until stopped."""
        self.scene_s = scene_s
        plot = scene_from_url(f"demo://{self.scene}?impact_s=40&period_s=120")
        self.drawn = replace(plot, view=View(width=WIDTH, height=HEIGHT))
        self.drawn.prepare()
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [
            *self._raw_input(),
            "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p",
            "-g", str(FPS), "-keyint_min", str(FPS), "-sc_threshold", "0", "-crf", "20",
            "-f", "segment", "-segment_time", "1", "-segment_format", "mpegts", "%d.ts",
        ]  # fmt: skip
        self.began = time.time()
        self.encoder = subprocess.Popen(command, stdin=subprocess.PIPE, cwd=self.folder)
        threading.Thread(target=self._draw, daemon=True).start()

    def stop(self) -> None:
        """End the drawing and the encoder."""
        self.stopped.set()
        self.encoder.kill()
        self.encoder.wait()

    def clip(self, began: float, seconds: int = 4) -> None:
        """What was to be seen from `began` on as a file, as the clipper makes it."""
        encoder = subprocess.Popen(
            [*self._raw_input(), "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
             "-movflags", "+faststart", "-y", "clip.mp4"],
            stdin=subprocess.PIPE, cwd=self.folder,
        )  # fmt: skip
        frames = (self.drawn.draw(self.scene_s + began - self.began + n / FPS)
                  for n in range(seconds * FPS))  # fmt: skip
        encoder.communicate(b"".join(frame.tobytes() for frame in frames))

    @staticmethod
    def _raw_input() -> list[str]:
        return [
            str(find_ffmpeg(None)), "-v", "error", "-f", "rawvideo", "-pix_fmt", "bgr24",
            "-s", f"{WIDTH}x{HEIGHT}", "-r", str(FPS), "-i", "-",
        ]  # fmt: skip

    def time_of(self, number: int) -> float:
        """Wall clock of a frame, epoch seconds."""
        return self.began + number / FPS

    def playlist(self) -> str:
        """The closed segments, each with the wall clock of its first frame."""
        closed = max(0, self.frames // FPS - 1)
        first = max(0, closed - LISTED)
        lines = ["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-TARGETDURATION:1",
                 f"#EXT-X-MEDIA-SEQUENCE:{first}"]  # fmt: skip
        for number in range(first, closed):
            at = self.time_of(number * FPS)
            moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))
            lines += [
                f"#EXT-X-PROGRAM-DATE-TIME:{moment}.{int(at % 1 * 1000):03d}Z",
                "#EXTINF:1.000,",
                f"{number}.ts",
            ]
        return "\n".join(lines) + "\n"

    def recorded(self) -> str:
        """What has been closed so far as a list that ended."""
        live = self.playlist().replace(
            "#EXT-X-VERSION:6", "#EXT-X-VERSION:6\n#EXT-X-PLAYLIST-TYPE:VOD"
        )
        return live + "#EXT-X-ENDLIST\n"

    def detections(self, ts: float, camera: str) -> dict[str, Any]:
        """Where the vehicles are at a moment."""
        scene_s = self.scene_s + ts - self.began
        objects = [
            {
                "track_id": zlib.crc32(vehicle.key.encode()) % 900 + 1, "label": LABELS.get(vehicle.kind, "car"),
                "score": 0.9, "box": box, "speed_mps": round(vehicle.speed_mps, 2),
            }
            for vehicle in self.drawn.vehicles(scene_s)
            if (box := self._box(vehicle))
        ]  # fmt: skip
        return {"camera": camera, "ts": ts, "frame_id": 0, "width": WIDTH, "height": HEIGHT,
                "objects": objects, "model": "truth", "inference_ms": 1.0}  # fmt: skip

    def _box(self, vehicle: Any) -> list[float] | None:
        points, depth = self.drawn.view.project(vehicle.to_world(vehicle.solid.corners))
        if depth.min() < 2:
            return None
        (x1, y1), (x2, y2) = points.min(axis=0), points.max(axis=0)
        shown = x1 >= 0 and x2 <= WIDTH and y1 >= 0 and y2 <= HEIGHT and x2 - x1 > 8
        return [round(float(value), 1) for value in (x1, y1, x2, y2)] if shown else None

    def _draw(self) -> None:
        while not self.stopped.is_set():
            due = self.time_of(self.frames)
            if (wait := due - time.time()) > 0:
                time.sleep(wait)
            frame = np.ascontiguousarray(self.drawn.draw(self.scene_s + self.frames / FPS))
            burnt_clock.burn(frame, round(due * 1000))
            try:
                self.encoder.stdin.write(frame.tobytes())  # type: ignore[union-attr]
                self.encoder.stdin.flush()  # type: ignore[union-attr]
            except OSError:
                return
            if self.frames % FPS == 0:
                self.still = cv2.imencode(".jpg", frame)[1].tobytes()
            self.frames += 1
