"""Cameras that tests can freeze, take away and change, and the recorder run against them."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from recorder.service import RecorderService

from hazardcast.config import settings as settings_module
from hazardcast.config import site
from hazardcast.config.settings import Settings
from hazardcast.machine.clock import SystemClock
from hazardcast.media.segments import Run, Segment, list_segments, read_runs
from hazardcast.testing import MemoryBroker, eventually

ODD_RTSP_CAMERA = Path(__file__).resolve().parents[2] / "odd_rtsp_camera.py"
PACKET = 188
VIDEO_PID = 0x100


def make_ts(ffmpeg: str, path: Path, *, size: str = "320x180", seconds: int = 30, extra: str = "") -> Path:  # fmt: skip
    """A stream file at 15 fps with a key frame a second, every picture different."""
    subprocess.run(
        [ffmpeg, "-v", "error", "-y", "-f", "lavfi", "-i", f"testsrc2=s={size}:r=15",
         "-f", "lavfi", "-i", "sine=440:r=16000", "-t", str(seconds), "-c:v", "libx264",
         "-preset", "ultrafast", "-g", "15", "-bf", "0", "-sc_threshold", "0", *extra.split(),
         "-c:a", "aac", "-f", "mpegts", str(path)],
        check=True,
    )  # fmt: skip
    return path


@pytest.fixture(scope="session")
def stream_file(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_ts(ffmpeg, tmp_path_factory.mktemp("stream") / "a.ts")


@pytest.fixture(scope="session")
def other_stream_file(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_ts(ffmpeg, tmp_path_factory.mktemp("stream") / "b.ts", size="480x270", seconds=10)


def pictures(path: Path) -> Iterator[tuple[float, bytes]]:
    """(stream time, packets) of each picture, with the packets of sound that follow it."""
    data = path.read_bytes()
    stamp, piece = None, bytearray()
    for start in range(0, len(data), PACKET):
        packet = data[start : start + PACKET]
        pid = (packet[1] & 0x1F) << 8 | packet[2]
        if pid == VIDEO_PID and packet[1] & 0x40:
            if stamp is not None:
                yield stamp, bytes(piece)
                piece = bytearray()
            at = 4 + (1 + packet[4] if packet[3] & 0x20 else 0) + 9
            b = packet[at : at + 5]
            ticks = (b[0] >> 1 & 7) << 30 | b[1] << 22 | b[2] >> 1 << 15 | b[3] << 7 | b[4] >> 1
            stamp = ticks / 90_000
        piece += packet
    assert stamp is not None
    yield stamp, bytes(piece)


DIGEST = 'Digest realm="cam", nonce="5f3a9c", algorithm=MD5'


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


class TsCamera:
    """A camera that sends MPEG-TS over HTTP at real time and remembers when it sent each picture.

    Every connection gets the stream from its beginning, as fresh as if the camera had just begun.
    """

    def __init__(self, *files: Path, account: str | None = None, digest: bool = False) -> None:
        self._account, self._digest = account, digest
        self._pictures = []
        shift_s = 0.0
        for file in files:
            played = list(pictures(file))
            self._pictures += [(stamp - played[0][0] + shift_s, data) for stamp, data in played]
            shift_s += played[-1][0] - played[0][0] + 1 / 15
        self.sent: list[list[float]] = []
        """Of each connection, the wall clock at which each picture went out."""
        self._frozen = threading.Event()
        self._down = threading.Event()
        self._server = self._listen(0)
        self.port = self._server.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/camera.ts"
        self._serve()

    def freeze(self) -> None:
        """Send nothing more, and keep the connection open."""
        self._frozen.set()

    def thaw(self) -> None:
        self._frozen.clear()

    def down(self) -> None:
        """Close every connection and refuse new ones."""
        self._down.set()
        self._server.close()
        self._thread.join(5)

    def up(self) -> None:
        self._down.clear()
        self._server = self._listen(self.port)
        self._serve()

    def _listen(self, port: int) -> socket.socket:
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen()
        server.settimeout(0.1)
        return server

    def _serve(self) -> None:
        self._thread = threading.Thread(target=self._accept, args=(self._server,), daemon=True)
        self._thread.start()

    def _accept(self, server: socket.socket) -> None:
        while not self._down.is_set():
            with contextlib.suppress(OSError):
                connection, _ = server.accept()
                threading.Thread(target=self._send, args=(connection,), daemon=True).start()

    def _lets_in(self, request: str) -> bool:
        if self._account is None:
            return True
        if not self._digest:
            return f"Basic {base64.b64encode(self._account.encode()).decode()}" in request
        said = dict(re.findall(r'(\w+)="?([^",]*)"?', request))
        user, password = self._account.split(":", 1)
        secret = _md5(f"{user}:cam:{password}")
        return said.get("response") == _md5(f"{secret}:5f3a9c:{_md5('GET:' + said.get('uri', ''))}")

    def _send(self, connection: socket.socket) -> None:
        times: list[float] = []
        self.sent.append(times)
        with connection, contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not self._lets_in(connection.recv(4096).decode("latin-1")):
                asked = DIGEST if self._digest else 'Basic realm="cam"'
                head = f"HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: {asked}\r\n\r\n"
                connection.sendall(head.encode())
                return
            connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: video/mp2t\r\n\r\n")
            began = time.monotonic()
            for stamp, data in self._pictures:
                while self._frozen.is_set() and not self._down.is_set():
                    time.sleep(0.02)
                time.sleep(max(0.0, began + stamp - time.monotonic()))
                if self._down.is_set():
                    return
                times.append(time.time())
                connection.sendall(data)
            self._down.wait(60)


@pytest.fixture
def ts_camera(stream_file: Path) -> Iterator[Callable[..., TsCamera]]:
    cameras: list[TsCamera] = []

    def make(*files: Path, **account: Any) -> TsCamera:
        cameras.append(TsCamera(*(files or (stream_file,)), **account))
        return cameras[-1]

    yield make
    for camera in cameras:
        camera.down()


@pytest.fixture(scope="session")
def film(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A film of 15 pictures a second: `film(seconds=8, extra="-g 30 -bf 3")`."""
    folder = tmp_path_factory.mktemp("film")

    def make(*, seconds: int = 8, extra: str = "-tune zerolatency -g 15") -> Path:
        path = folder / f"{seconds} {extra}.mp4".replace("/", "_")
        if not path.exists():
            subprocess.run(
                [ffmpeg, "-v", "error", "-f", "lavfi", "-i", f"testsrc2=s=320x180:r=15:d={seconds}",
                 "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-sc_threshold", "0",
                 *extra.split(), str(path)],
                check=True,
            )  # fmt: skip
        return path

    return make


@pytest.fixture
def odd_camera() -> Iterator[Callable[..., str]]:
    """`odd_camera(film, "--relay")`: the address of a `tests/odd_rtsp_camera.py`."""
    running: list[subprocess.Popen[str]] = []

    def start(file: Path, *options: str) -> str:
        process = subprocess.Popen(
            [sys.executable, str(ODD_RTSP_CAMERA), str(file), *options],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        running.append(process)
        assert process.stdout
        return process.stdout.readline().strip()

    yield start
    for process in running:
        process.kill()
        process.wait(10)


class JpegCamera:
    """Sends one JPEG after another over HTTP, without any times, at its own rate."""

    def __init__(self, ffmpeg: str, *, fps: float, size: str) -> None:
        stream = subprocess.run(
            [ffmpeg, "-v", "error", "-f", "lavfi", "-i", f"testsrc=s={size}:r=10:d=2",
             "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-f", "image2pipe", "-"],
            capture_output=True, check=True,
        ).stdout  # fmt: skip
        self._pictures = [b"\xff\xd8\xff" + part for part in stream.split(b"\xff\xd8\xff")[1:]]
        self._interval_s = 1 / fps
        self._over = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}/video"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._over.set()
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                threading.Thread(target=self._send, args=(connection,), daemon=True).start()

    def _send(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(4096)
            kind = "multipart/x-mixed-replace; boundary=next"
            connection.sendall(f"HTTP/1.0 200 OK\r\nContent-Type: {kind}\r\n\r\n".encode())
            due = time.monotonic()
            for picture in itertools.cycle(self._pictures):
                head = (
                    f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                )
                connection.sendall(head.encode() + picture + b"\r\n")
                due += self._interval_s
                if self._over.wait(max(0.0, due - time.monotonic())):
                    return


@pytest.fixture
def jpeg_camera(ffmpeg: str) -> Iterator[Callable[..., JpegCamera]]:
    cameras: list[JpegCamera] = []

    def make(*, fps: float, size: str = "320x180") -> JpegCamera:
        cameras.append(JpegCamera(ffmpeg, fps=fps, size=size))
        return cameras[-1]

    yield make
    for camera in cameras:
        camera.close()


@dataclass
class Recordings:
    """A data directory, and what the recorder made of it."""

    folder: Path

    @property
    def settings(self) -> Settings:
        return Settings(data_dir=self.folder)

    def segments(self, camera: str = "north") -> list[Segment]:
        return list_segments(self.folder / "recordings", camera)

    def runs(self, camera: str = "north") -> list[Run]:
        return read_runs(self.folder / "recordings", camera)

    def causes(self, camera: str = "north") -> list[str | None]:
        return [run.cause for run in self.runs(camera)]

    def joined(self, camera: str = "north", name: str = "joined.ts") -> Path:
        """Every segment, end to end."""
        path = self.folder / name
        path.write_bytes(b"".join(s.path.read_bytes() for s in self.segments(camera)))
        return path


@pytest.fixture
def recordings(tmp_path: Path) -> Recordings:
    return Recordings(tmp_path / "data")


@dataclass
class RunningService:
    """The recorder's service on a thread of this process."""

    service: RecorderService
    broker: MemoryBroker
    stop_event: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    def state(self, camera: str = "north") -> str:
        return self.service.recorders[camera].report.state

    def stop(self) -> None:
        self.stop_event.set()
        assert self.thread
        self.thread.join(10)
        assert not self.thread.is_alive()


def start_service(
    ffmpeg: str,
    recordings: Recordings,
    cameras: Mapping[str, str],
    *,
    segment_s: float = 2,
    **changes: object,
) -> RunningService:
    settings = {"segment_s": segment_s}
    config = site.parse(
        {"cameras": {name: {"url": url, **settings} for name, url in cameras.items()}},
        source="test",
    )
    broker, stop = MemoryBroker(), threading.Event()
    service = RecorderService(
        recordings.settings.model_copy(update=changes),
        config.cameras,
        program=ffmpeg,
        bus=broker.bus(),
        clock=SystemClock(),
        stop=stop,
    )
    thread = threading.Thread(target=service.run, daemon=True)
    thread.start()
    return RunningService(service, broker, stop, thread)


@pytest.fixture
def record(ffmpeg: str, recordings: Recordings) -> Iterator[Callable[..., RunningService]]:
    """Run the service on a thread: `record({"north": url}, segment_s=2)`."""
    running: list[RunningService] = []

    def start(cameras: Mapping[str, str], **changes: Any) -> RunningService:
        running.append(start_service(ffmpeg, recordings, cameras, **changes))
        return running[-1]

    yield start
    for item in running:
        item.stop()


@dataclass(frozen=True)
class Recorded:
    """What a recorder made of a camera, and the camera."""

    camera: TsCamera
    recordings: Recordings


@pytest.fixture(scope="module")
def recorded(
    ffmpeg: str, stream_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Recorded]:
    """About seven seconds of a camera in segments of two, cleanly stopped."""
    recordings = Recordings(tmp_path_factory.mktemp("recorded") / "data")
    camera = TsCamera(stream_file)
    running = start_service(ffmpeg, recordings, {"north": camera.url})
    eventually(lambda: len(recordings.segments()) >= 3, within_s=20)
    running.stop()
    yield Recorded(camera, recordings)
    camera.down()


class RecorderProcess:
    """`python -m recorder`, as it is deployed."""

    def __init__(self, folder: Path, cameras: Mapping[str, Mapping[str, object]], **changes: str) -> None:  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "cameras.yaml"
        config.write_text(yaml.safe_dump({"cameras": dict(cameras)}))
        changes = {"mqtt_port": "1", "metrics_port": "0", "log_format": "text", **changes}
        self.log = folder / "recorder.log"
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "recorder"],
                env=settings_module.environment_with(
                    config=str(config), data_dir=str(folder), **changes
                ),
                stderr=log,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def terminate(self) -> int:
        self._process.terminate()
        return self._process.wait(10)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)

    def close(self) -> None:
        if self._process.poll() is None:
            self.kill()


@pytest.fixture
def recorder_process(ffmpeg: str, recordings: Recordings) -> Iterator[Callable[..., RecorderProcess]]:  # fmt: skip
    started: list[RecorderProcess] = []

    def start(cameras: Mapping[str, Mapping[str, object]], **changes: str) -> RecorderProcess:
        started.append(RecorderProcess(recordings.folder, cameras, ffmpeg=ffmpeg, **changes))
        return started[-1]

    yield start
    for process in started:
        process.close()


def frame_lines(ffmpeg: str, path: Path) -> list[tuple[str, str]]:
    """(size, checksum) of every coded picture in a file."""
    done = subprocess.run(
        [ffmpeg, "-v", "error", "-i", str(path), "-map", "0:v:0", "-c", "copy", "-f", "framecrc", "-"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = [line.split(",") for line in done.stdout.splitlines() if not line.startswith("#")]
    return [(row[4].strip(), row[5].strip()) for row in rows]


@pytest.fixture
def coded_pictures(ffmpeg: str) -> Callable[[Path], list[tuple[str, str]]]:
    return lambda path: frame_lines(ffmpeg, path)


@pytest.fixture
def decode_errors(ffmpeg: str) -> Callable[[Path], str]:
    """What ffmpeg complains about when it decodes a whole file."""

    def decode(path: Path) -> str:
        done = subprocess.run(
            [ffmpeg, "-v", "warning", "-i", str(path), "-map", "0:v:0", "-f", "null", "-"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stderr

    return decode


def ffmpegs_in(folder: Path) -> list[int]:
    """Processes whose working directory is below `folder` (Linux)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (entry / "cwd").readlink().is_relative_to(folder):
                found.append(int(entry.name))
    return found


@pytest.fixture
def processes_in() -> Callable[[Path], list[int]]:
    return ffmpegs_in


@pytest.fixture
def suspend() -> Iterator[Callable[[int], None]]:
    """SIGSTOP a process, and let it go on at the end whatever happens."""
    stopped: list[int] = []

    def stop(pid: int) -> None:
        os.kill(pid, signal.SIGSTOP)
        stopped.append(pid)

    yield stop
    for pid in stopped:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
