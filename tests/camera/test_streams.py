"""The running service with real encoders, sockets and decoders."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest
from camera import encoder
from camera.device import DeviceCamera
from camera.drawn import DrawnCamera
from camera.played import PlayedFile
from camera.scenes import Scene
from camera.scenes.view import View
from camera.server import CameraServer
from camera.service import CameraService
from camera.source import LocalCamera
from camera.transport_stream import Splitter

from hazardcast.contract import topics
from hazardcast.machine.clock import SystemClock
from hazardcast.media import burnt_clock
from hazardcast.media.mpegts import PACKET_BYTES
from hazardcast.testing import MemoryBroker, eventually

pytestmark = pytest.mark.network
FPS = 15


def film(ffmpeg: str, path: Path, *output: str, seconds: float = 4.0) -> Path:
    """A file whose frames carry their own position as a clock."""
    command = [ffmpeg, "-loglevel", "error", "-y", *encoder.raw_input(480, 270, FPS), *output]
    frames = []
    for number in range(round(seconds * FPS)):
        frame = np.full((405, 480), 128, np.uint8)
        frame[40 + number % 100 :, 100:200] = 220
        burnt_clock.burn(frame[:270], round(number * 1000 / FPS))
        frames.append(frame.tobytes())
    subprocess.run([*command, str(path)], input=b"".join(frames), check=True, timeout=60)
    return path


@dataclass
class Running:
    """A camera service in this process."""

    cameras: dict[str, LocalCamera]
    broker: MemoryBroker
    port: int

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"

    def facts(self, name: str) -> dict[str, Any]:
        with urllib.request.urlopen(self.url(f"{name}.json"), timeout=10) as answer:
            return json.load(answer)

    def live(self, name: str) -> None:
        eventually(lambda: self.cameras[name].state == "live", within_s=20, what=f"{name} live")

    def bytes(self, name: str, *, seconds: float) -> bytes:
        """What a client gets in this time."""
        received, until = b"", time.monotonic() + seconds
        with urllib.request.urlopen(self.url(f"{name}.ts"), timeout=10) as answer:
            while time.monotonic() < until and (data := answer.read1(1 << 16)):
                received += data
        return received


@pytest.fixture(scope="module")
def running(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder, clock = tmp_path_factory.mktemp("films"), SystemClock()
    plain = film(ffmpeg, folder / "plain.mp4", *encoder.h264(FPS, preset="ultrafast", crf=20))
    other = film(ffmpeg, folder / "other.avi", "-c:v", "mpeg4", "-q:v", "2")
    rubbish = folder / "rubbish.mp4"
    rubbish.write_bytes(b"this is not a video" * 100)

    def played(name: str, path: Path, *, loop: bool = True) -> PlayedFile:
        return PlayedFile(name, path, loop=loop, clock=clock, ffmpeg=ffmpeg)

    small = Scene("collision", impact_s=15, period_s=60, view=View(640, 360))
    sources: list[LocalCamera] = [
        DrawnCamera("drawn", small, clock, ffmpeg),
        played("copied", plain),
        played("encoded", other),
        played("once", plain, loop=False),
        played("missing", folder / "missing.mp4"),
        played("rubbish", rubbish),
        DeviceCamera("usb", "/dev/no-such-video", clock, ffmpeg),
    ]
    cameras, broker, stop = {c.id: c for c in sources}, MemoryBroker(), threading.Event()
    server = CameraServer("127.0.0.1", 0, cameras)
    service = CameraService(server, broker.bus(), clock=clock, instance="here")
    thread = threading.Thread(target=service.run, args=(stop,))
    thread.start()
    yield Running(cameras, broker, server.port)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert not [c for c in psutil.Process().children(recursive=True) if "mpegts" in arguments(c)]


def decoded(url: str, frames: int) -> list[tuple[int | None, int]]:
    """Clock of each frame, and the wall clock when it was decoded, ms."""
    capture = cv2.VideoCapture(url)
    found: list[tuple[int | None, int]] = []
    try:
        while len(found) < frames:
            ok, frame = capture.read()
            assert ok, f"the stream ended after {len(found)} frames"
            found.append(
                (burnt_clock.read(frame.astype(np.uint8, copy=False)), round(time.time() * 1000))
            )
    finally:
        capture.release()
    return found


@pytest.mark.slow
def test_every_frame_of_a_drawn_camera_tells_its_time_and_comes_quickly(running: Running) -> None:
    running.live("drawn")
    found = decoded(running.url("drawn.ts"), 45)
    times = [clock for clock, _ in found if clock is not None]
    steps = [later - earlier for earlier, later in pairwise(times)]
    # What opening the stream took is not the camera's: the first second is the decoder's start.
    delays = [at - clock for clock, at in found[FPS:] if clock is not None]

    assert len(times) == 45, "every frame's clock is readable"
    assert all(step > 0 for step in steps)
    assert statistics.median(steps) == pytest.approx(1000 / FPS, abs=5)
    assert statistics.median(delays) < 500


def test_stream_time_follows_the_burnt_clock(running: Running, tmp_path: Path) -> None:
    running.live("drawn")
    path = tmp_path / "part.ts"
    path.write_bytes(running.bytes("drawn", seconds=3))
    splitter = Splitter()
    stamps = [c.pts for c in splitter.feed(path.read_bytes()) if c.pts is not None]
    clocks = [clock for clock, _ in decoded(str(path), len(stamps) - 2) if clock is not None]
    offsets = [
        clock - stamp / 90 for clock, stamp in zip(clocks, stamps[: len(clocks)], strict=True)
    ]

    assert len(clocks) > 2 * FPS
    assert statistics.median(abs(o - statistics.median(offsets)) for o in offsets) < 20


def test_two_clients_get_the_same_frames(running: Running) -> None:
    running.live("drawn")
    received: dict[int, bytes] = {}

    def client(number: int) -> None:
        received[number] = running.bytes("drawn", seconds=3)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first, second = (data[2 * PACKET_BYTES :] for data in received.values())
    start = max(first.find(second[:5000]), second.find(first[:5000]))
    longer, shorter = (first, second) if first.find(second[:5000]) >= 0 else (second, first)
    common = min(len(longer) - start, len(shorter))

    assert start >= 0
    assert common > 20_000
    assert longer[start : start + common] == shorter[:common]


@pytest.mark.parametrize("camera", ["drawn", "copied", "encoded"])
def test_a_late_client_starts_with_tables_and_a_keyframe(running: Running, camera: str) -> None:
    running.live(camera)
    data = running.bytes(camera, seconds=1.5)
    first = Splitter().feed(data)[0]

    assert data[0] == 0x47
    assert data[1] & 0x1F == 0
    assert data[2] == 0, "the PAT comes first"
    assert first.keyframe
    assert len(data) - len(b"".join(c.data for c in Splitter().feed(data))) == 2 * PACKET_BYTES


@pytest.mark.slow
@pytest.mark.parametrize("camera", ["copied", "encoded"])
def test_a_file_plays_at_its_own_pace_and_begins_again(running: Running, camera: str) -> None:
    running.live(camera)
    found = decoded(running.url(f"{camera}.ts"), 6 * FPS)
    facts = running.facts(camera)
    positions = [position for position, _ in found if position is not None]
    back = [i for i in range(1, len(positions)) if positions[i] < positions[i - 1]]
    tail_s = (found[-1][1] - found[FPS][1]) / 1000

    assert len(positions) == len(found)
    assert back, "it begins again within its 4 s"
    assert all(positions[i] == 0 for i in back)
    assert tail_s == pytest.approx(5 - 1 / FPS, abs=0.6)
    assert facts["duration_s"] == pytest.approx(4.0, abs=0.1)
    assert facts["pass"] >= 2


def test_a_files_truth_says_when_its_present_pass_began(running: Running) -> None:
    running.live("copied")
    running.facts("copied")
    position, at_ms = decoded(running.url("copied.ts"), 2 * FPS)[-1]
    facts = running.facts("copied")
    since_s = at_ms / 1000 - facts["started_at"]

    assert position is not None
    assert (since_s - position / 1000 + 0.2) % 4.0 < 1.0, "delay of decoding included"


def test_a_file_that_plays_once_ends_and_says_so(running: Running) -> None:
    eventually(lambda: running.cameras["once"].state == "ended", within_s=20)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(running.url("once.ts"), timeout=10)

    assert refused.value.code == 503
    assert json.load(refused.value)["state"] == "ended"


@pytest.mark.parametrize(
    ("camera", "complaint"),
    [
        ("missing", "no such file"),
        ("rubbish", "its index is missing"),
        ("usb", "/dev/no-such-video"),
    ],
)
def test_a_bad_file_is_told_and_stops_nobody(running: Running, camera: str, complaint: str) -> None:
    eventually(lambda: running.cameras[camera].state == "unreadable", within_s=20)
    running.live("drawn")

    def told() -> bool:
        last = running.broker.messages(topics.STATUS)[-1]
        words = {one.camera: one for one in last.cameras}
        return words[camera].state == "unreadable" and complaint in (words[camera].detail or "")

    eventually(told, what="said on v2x/status")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(running.url(f"{camera}.ts"), timeout=10)
    assert refused.value.code == 503
    assert complaint in json.load(refused.value)["error"]


def test_the_truth_of_a_drawn_scene(running: Running) -> None:
    running.live("drawn")
    facts = running.facts("drawn")

    assert facts["scene"] == "collision"
    assert (facts["width"], facts["height"], facts["fps"]) == (640, 360, 15)
    assert abs(time.time() - facts["started_at"]) < 300
    assert (facts["impact_at"] - facts["started_at"] - 15) % 60 == pytest.approx(0, abs=0.01)


def test_the_list_and_what_is_not_there(running: Running) -> None:
    with urllib.request.urlopen(running.url(""), timeout=10) as answer:
        listed = {camera["camera"] for camera in json.load(answer)["cameras"]}
    assert listed == set(running.cameras)

    for path in ("nobody.ts", "drawn", "drawn.mp4", "../etc/passwd", "%2e%2e/drawn.ts"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(running.url(path), timeout=10)
        assert refused.value.code == 404


@pytest.mark.parametrize("camera", ["drawn", "copied"])
def test_a_killed_encoder_is_started_again(running: Running, camera: str) -> None:
    running.live(camera)
    os.kill(running.cameras[camera]._streams[-1].pid, signal.SIGKILL)
    before = running.cameras[camera].last_frame_at or 0

    def fresh() -> bool:
        return (running.cameras[camera].last_frame_at or 0) > before + 1

    eventually(fresh, within_s=15)
    running.live(camera)
    assert decoded(running.url(f"{camera}.ts"), 5)


@pytest.mark.slow
def test_a_hung_encoder_is_noticed_and_started_again(running: Running) -> None:
    running.live("drawn")
    pid = running.cameras["drawn"]._streams[-1].pid
    os.kill(pid, signal.SIGSTOP)

    eventually(lambda: running.cameras["drawn"].state != "live", within_s=15)
    eventually(lambda: not psutil.pid_exists(pid), within_s=10)
    running.live("drawn")


class SettableClock(SystemClock):
    """The machine's clocks, the wall clock set by hand."""

    offset_s = 0.0

    def now(self) -> float:
        return super().now() + self.offset_s


def test_a_wall_clock_that_is_set_starts_a_new_stream(ffmpeg: str) -> None:
    clock, stop = SettableClock(), threading.Event()
    scene = Scene("normal", period_s=60, view=View(320, 180))
    camera = DrawnCamera("one", scene, clock, ffmpeg)
    client = camera.channel.join()
    thread = threading.Thread(target=camera.run_once, args=(stop,))
    thread.start()
    eventually(lambda: camera.state == "live", within_s=20)
    started_at = camera.facts()["started_at"]
    clock.offset_s = -3600.0
    thread.join(5)

    assert not thread.is_alive()
    assert client.closed_because == "stream ended"
    assert camera.facts()["started_at"] == pytest.approx(started_at - 3600, abs=0.1)


CONFIG = """
cameras:
  drawn: {url: "demo://normal"}
  copied: {url: "FOLDER/copied.mp4"}
  encoded: {url: "FOLDER/encoded.avi"}
  elsewhere: {url: "rtsp://127.0.0.1:1/nothing"}
"""

NOISE = ("-vf", "noise=alls=40:allf=t")
"""More than a pipe holds: ffmpeg lives as long as its film is shown."""


@pytest.fixture
def process(tmp_path: Path, ffmpeg: str) -> Iterator[psutil.Popen]:
    config = tmp_path / "cameras.yaml"
    config.write_text(CONFIG.replace("FOLDER", str(tmp_path)))
    film(ffmpeg, tmp_path / "copied.mp4", *NOISE, *encoder.h264(FPS, preset="ultrafast", crf=28))
    film(ffmpeg, tmp_path / "encoded.avi", *NOISE, "-c:v", "mpeg4", "-b:v", "4M")
    settings = {"CONFIG": str(config), "CAMERA_PORT": "0", "METRICS_PORT": "0", "MQTT_PORT": "1"}
    environment = {**os.environ, **{f"HAZARDCAST_{name}": text for name, text in settings.items()}}
    started = psutil.Popen([sys.executable, "-m", "camera"], env=environment)
    yield started
    if started.is_running():
        started.kill()
    started.wait(10)


def arguments(process: psutil.Process) -> list[str]:
    """How it was started; empty once it has ended."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def encoders(process: psutil.Popen) -> list[psutil.Process]:
    """One for each of the three cameras; a sample of a file is not one of them."""
    commands = {child: arguments(child) for child in process.children()}
    streaming = [child for child, words in commands.items() if "mpegts" in words]
    streaming = [child for child in streaming if "-t" not in commands[child]]
    return streaming if len(streaming) == 3 else []


def test_a_stopped_service_ends_cleanly_and_leaves_nothing(process: psutil.Popen) -> None:
    children = eventually(lambda: encoders(process), within_s=90)
    process.send_signal(signal.SIGTERM)
    started = time.monotonic()

    assert process.wait(10) == 0
    assert time.monotonic() - started < 4  # 2 s on a machine that is not busy
    assert not any(arguments(child) for child in children)


def test_a_killed_service_leaves_no_encoder_behind(process: psutil.Popen) -> None:
    children = eventually(lambda: encoders(process), within_s=90)
    process.kill()

    eventually(lambda: not any(arguments(child) for child in children), within_s=10)


def test_without_local_cameras_it_idles(tmp_path: Path) -> None:
    broker, stop = MemoryBroker(), threading.Event()
    server = CameraServer("127.0.0.1", 0, {})
    service = CameraService(server, broker.bus(), clock=SystemClock(), instance="here")
    thread = threading.Thread(target=service.run, args=(stop,))
    thread.start()
    eventually(lambda: broker.messages(topics.STATUS))
    stop.set()
    thread.join(5)

    assert [word.state for word in broker.messages(topics.STATUS)] == ["online", "stopped"]
