"""A recorder's directory filled with real video whose every frame carries its own wall clock."""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest
from recorder.command import Plan, command

from hazardcast.contract.vocabulary import RunCause
from hazardcast.media import burnt_clock
from hazardcast.media.segments import Run, append_run, segment_path

H264 = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-crf", "16")


@dataclass
class Film:
    """Shoots stretches of recording as the recorder would; remembers every frame it has shot."""

    recordings_dir: Path
    work_dir: Path
    ffmpeg: str
    camera: str = "north"
    fps: int = 10
    frames_ms: list[int] = field(default_factory=list)
    keys_ms: set[int] = field(default_factory=set)
    paths: list[Path] = field(default_factory=list)

    def shoot(
        self,
        start_ms: int,
        seconds: float,
        *,
        size: tuple[int, int] = (640, 360),
        codec: tuple[str, ...] = H264,
        segment_s: float = 4.0,
        stream_s: float = 100.0,
        sound: bool = False,
        gop: int | None = None,
        cause: RunCause | None = RunCause.CAMERA_DOWN,
    ) -> list[Path]:
        """One run of `seconds` from `start_ms` (epoch), stamped from `stream_s` on."""
        folder = self.work_dir / f"run-{start_ms}"
        folder.mkdir(parents=True)
        shot = [start_ms + round(i * 1000 / self.fps) for i in range(round(seconds * self.fps))]
        gop = gop or self.fps
        self._encode(
            folder / "camera.ts", shot, size, (*codec, *_groups(gop)), stream_s, sound=sound
        )
        paths = list(self._split(folder, shot, segment_s))
        self.frames_ms += shot
        self.keys_ms |= set(shot[::gop])
        self.paths += paths
        ended_at = shot[-1] / 1000 if cause else None
        run = Run(start_ms / 1000, ended_at, cause, codec="h264", clock_error_ms=7.0)
        append_run(self.recordings_dir, self.camera, run)
        return paths

    def _encode(
        self,
        path: Path,
        shot: list[int],
        size: tuple[int, int],
        codec: tuple[str, ...],
        stream_s: float,
        *,
        sound: bool,
    ) -> None:
        width, height = size
        picture = ("-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{width}x{height}")
        tone = ("-f", "lavfi", "-i", f"sine=440:duration={len(shot) / self.fps}", "-map", "1:a")
        command = [
            *(self.ffmpeg, "-v", "error", "-y", *picture, "-r", str(self.fps), "-i", "pipe:0"),
            *(tone[:4] if sound else ()),
            *("-map", "0:v", *(tone[4:] if sound else ())),
            *(
                *codec,
                "-c:a",
                "aac",
                "-pix_fmt",
                "yuv420p",
            ),
            *("-output_ts_offset", str(stream_s), "-f", "mpegts", str(path)),
        ]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
            assert process.stdin
            for frame in _pictures(shot, width, height):
                process.stdin.write(frame)
        assert process.returncode == 0

    def _split(self, folder: Path, shot: list[int], segment_s: float) -> Iterator[Path]:
        """Cut with the recorder's own command, and name by the wall clock."""
        listed = folder / "list.csv"
        with listed.open("w") as file:
            cutting = command(
                self.ffmpeg,
                str(folder / "camera.ts"),
                Plan(),
                prefix="run",
                segment_s=segment_s,
                list_fd=file.fileno(),
            )
            subprocess.run(
                cutting,
                cwd=folder,
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(file.fileno(),),
            )
        rows = list(csv.reader(listed.read_text().splitlines()))
        origin_s = float(rows[-1][2]) - len(shot) / self.fps
        for name, begin, end in rows:
            first = max(0, round((float(begin) - origin_s) * self.fps))
            last = round((float(end) - origin_s) * self.fps) - 1
            target = segment_path(self.recordings_dir, self.camera, shot[first], shot[last])
            target.parent.mkdir(parents=True, exist_ok=True)
            yield (folder / name).rename(target)

    def expected(self, start: float, end: float) -> list[int]:
        """The frames a clip of [start, end] must hold, were they one run cut at whole seconds."""
        begin = max((ms for ms in self.keys_ms if ms <= start * 1000), default=self.frames_ms[0])
        last = min((ms for ms in self.frames_ms if ms >= end * 1000), default=self.frames_ms[-1])
        return [ms for ms in self.frames_ms if begin <= ms <= last]


def _groups(gop: int) -> tuple[str, ...]:
    """A key frame every `gop` pictures."""
    return "-g", str(gop), "-keyint_min", str(gop)


def _pictures(shot: list[int], width: int, height: int) -> Iterator[bytes]:
    """Frames with a moving bar below the burnt clock, so that there is something to code."""
    for number, wall_ms in enumerate(shot):
        frame = np.full((height, width, 3), 90, np.uint8)
        left = number * 7 % (width - 40)
        frame[height // 3 : height // 2, left : left + 40] = (40, 160, 220)
        burnt_clock.burn(frame, wall_ms)
        yield frame.tobytes()


def shown(clip: Path) -> list[tuple[int, float]]:
    """(burnt wall clock in ms, media time in s) of every frame as a player decodes it."""
    capture = cv2.VideoCapture(str(clip))
    frames: list[tuple[int, float]] = []
    while True:
        ok, frame = capture.read()
        if not ok:
            break
        wall_ms = burnt_clock.read(frame.astype(np.uint8, copy=False))
        assert wall_ms is not None, f"frame {len(frames)} carries no clock"
        frames.append((wall_ms, capture.get(cv2.CAP_PROP_POS_MSEC) / 1000))
    capture.release()
    return frames


@pytest.fixture
def film(tmp_path: Path, ffmpeg: str) -> Film:
    return Film(tmp_path / "data" / "recordings", tmp_path / "shooting", ffmpeg)


@pytest.fixture
def shown_frames() -> object:
    """The function `shown`: test modules cannot import from a conftest."""
    return shown
