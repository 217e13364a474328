"""A folder as a camera, with real files, encoders and decoders."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from camera.folder import FolderCamera
from camera.service import local_camera
from camera.transport_stream import Splitter

from hazardcast.config import site
from hazardcast.machine.clock import SystemClock
from hazardcast.media import burnt_clock
from hazardcast.testing import eventually
from tests.odd_video_files import FPS, FRAMES, WIDTH, Studio

pytestmark = pytest.mark.network
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", "-pix_fmt", "yuv420p")
FIRST, SECOND, THIRD = ("a.mp4", "b.avi", "c.mkv")


@dataclass
class Received:
    """What a client of a folder got, and when."""

    path: Path
    frames_at: list[float] = field(default_factory=list)
    closed_because: str | None = None

    def clocks(self) -> list[int]:
        """The position in its file that each frame shows, ms; grey pictures show none."""
        capture = cv2.VideoCapture(str(self.path))
        found: list[int] = []
        while (read := capture.read())[0]:
            assert read[1].shape == (270, WIDTH, 3), "one size from the first to the last"
            clock_ms = burnt_clock.read(read[1].astype(np.uint8, copy=False))
            found += [] if clock_ms is None else [clock_ms]
        capture.release()
        return found


@contextmanager
def playing(folder: Path, ffmpeg: str, target: Path, **keys: object) -> Iterator[tuple[FolderCamera, Received]]:  # fmt: skip
    config = site.parse({"cameras": {"queue": {"url": f"{folder}/", **keys}}}, source="here")
    clock, stop = SystemClock(), threading.Event()
    camera = local_camera("queue", config.cameras["queue"], clock=clock, ffmpeg=ffmpeg)
    assert isinstance(camera, FolderCamera)
    client, received = camera.channel.join(), Received(target)

    def read() -> None:
        splitter = Splitter()
        with target.open("wb") as file:
            while (data := client.take(0.05)) is not None:
                file.write(data)
                frames = sum(chunk.starts_frame for chunk in splitter.feed(data)) if data else 0
                received.frames_at += [time.monotonic()] * frames
        received.closed_because = client.closed_because

    threads = [
        threading.Thread(target=read),
        threading.Thread(target=camera.run_once, args=(stop,)),
    ]
    for thread in threads:
        thread.start()
    try:
        yield camera, received
    finally:
        stop.set()
        camera.interrupt()
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()
    assert not camera._streams


@pytest.fixture(scope="module")
def films(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One picture in three sizes and codecs."""
    folder = tmp_path_factory.mktemp("films")
    studio = Studio(ffmpeg, folder)
    studio.film(FIRST, *X264, "-bf", "0")
    studio.film(SECOND, "-c:v", "mpeg4", "-q:v", "1", "-vf", "scale=960:540")
    studio.film(THIRD, "-c:v", "mjpeg", "-q:v", "1", "-pix_fmt", "yuvj420p", "-vf", "scale=640:360")
    return folder


@pytest.mark.slow
def test_files_of_all_kinds_are_one_stream_and_new_ones_join(
    films: Path, ffmpeg: str, tmp_path: Path
) -> None:
    folder = tmp_path / "queue"
    folder.mkdir()
    for name in (FIRST, SECOND):
        (folder / name).write_bytes((films / name).read_bytes())
    (folder / "broken.mp4").write_bytes(b"no video at all" * 100)
    target = tmp_path / "received.ts"
    with playing(folder, ffmpeg, target, loop=False, finished="move") as (camera, received):
        eventually(lambda: camera.facts()["file"] == FIRST, within_s=20, what="the first plays")
        eventually(lambda: "1 in the queue" in (camera.status.detail or ""), what="its length")
        assert camera.facts()["queued"] == 1
        with (folder / THIRD).open("wb") as half:
            data = (films / THIRD).read_bytes()
            half.write(data[: len(data) // 2])
            half.flush()
            eventually(lambda: camera.facts()["played"] == 2, within_s=20, what="two were played")
            time.sleep(1.0)
            assert camera.facts()["file"] is None, "half a file waits"
            assert "the queue is empty" in (camera.status.detail or "")
            half.write(data[len(data) // 2 :])
        eventually(lambda: camera.facts()["played"] == 3, within_s=20, what="the third was played")
        assert camera.state == "live"
        assert "index is missing" in camera.facts()["refused"]["broken.mp4"]
    clocks, steps = received.clocks(), [b - a for a, b in pairwise(received.frames_at)]

    one = [round(number * 1000 / FPS) for number in range(FRAMES)]
    assert clocks == one * 3, "every frame of each file, in order"
    assert received.closed_because == "stream ended", "when the camera was stopped"
    assert max(steps) < 1.0, "nothing interrupts it, also while the queue is empty"
    whole_s = received.frames_at[2 * FRAMES - 1] - received.frames_at[0]
    assert 4.5 < whole_s < 6.5, "4.7 s of film, in real time"
    assert sorted(path.name for path in (folder / "done").iterdir()) == [FIRST, SECOND, THIRD]
    assert [path.name for path in folder.iterdir() if path.is_file()] == ["broken.mp4"]


@pytest.mark.slow
def test_a_folder_that_loops_plays_on_and_a_killed_decoder_interrupts_nobody(
    films: Path, ffmpeg: str, tmp_path: Path
) -> None:
    folder = tmp_path / "queue"
    folder.mkdir()
    (folder / FIRST).write_bytes((films / FIRST).read_bytes())
    with playing(folder, ffmpeg, tmp_path / "received.ts") as (camera, received):
        eventually(lambda: camera.state == "live", within_s=20)
        camera.interrupt()
        eventually(lambda: camera.facts()["played"] >= 2, within_s=20, what="it goes round")
        assert received.closed_because is None
        assert (folder / FIRST).exists()


def test_a_folder_that_is_not_there_is_told(ffmpeg: str, tmp_path: Path) -> None:
    camera = FolderCamera(
        "queue", tmp_path / "no", loop=True, finished="stay", clock=SystemClock(), ffmpeg=ffmpeg
    )
    camera.run_once(threading.Event())

    assert camera.status.state == "unreadable"
    assert f"{tmp_path}/no" in (camera.status.detail or "")


def test_a_stream_of_many_sizes_has_one(films: Path, ffmpeg: str) -> None:
    """What a decoder learns at the start of the stream holds for every file: one parameter set."""
    from camera import encoder

    sets = set()
    for name in (FIRST, SECOND, THIRD):
        command = encoder.canvas_command(ffmpeg, films / name, (480, 270), offset_s=0)
        stream = subprocess.run(command, capture_output=True, check=True, timeout=30).stdout
        start = stream.index(b"\x00\x00\x01\x67")
        sets.add(stream[start : start + 24])

    assert len(sets) == 1
