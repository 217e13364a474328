"""Running ffmpeg: raw frames in, H.264 out. The only module of this service that starts processes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "0")


def raw_input(width: int, height: int, fps: float) -> list[str]:
    """ffmpeg's arguments for I420 frames on its stdin."""
    size = f"{width}x{height}"
    pixels = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", size]
    return [*pixels, "-framerate", f"{fps:g}", "-i", "pipe:0"]


class FileEncoder:
    """Encodes frames into a video file, as fast as the machine can."""

    def __init__(self, ffmpeg: str, path: Path, *, width: int, height: int, fps: float) -> None:
        quality = ["-preset", "veryfast", "-crf", "23", "-g", f"{round(fps)}"]
        command = [ffmpeg, "-hide_banner", "-loglevel", "error", "-y"]
        command += raw_input(width, height, fps)
        command += [*H264, *quality, "-movflags", "+faststart", str(path)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE)

    def write(self, i420: NDArray[np.uint8]) -> None:
        """One more frame."""
        assert self._process.stdin is not None
        self._process.stdin.write(np.ascontiguousarray(i420).data)

    def close(self) -> int:
        """Finish the file; returns ffmpeg's exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self._process.wait()
