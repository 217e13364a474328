"""A camera's folder as a recorder leaves it, and the routes over it on a real socket."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from console.doors.accounts import Book
from console.doors.guard import FreeView, Guard
from console.doors.sessions import Sessions
from console.http.app import application
from console.http.server import HttpServer
from console.live.hls import Hls
from console.live.leases import Leases
from console.live.live import Live
from console.live.routes import LiveRoom, router
from recorder.playlist import Entry, Playlist, render

from hazardcast.machine.clock import SystemClock
from hazardcast.media import segments
from hazardcast.media.parts import Head, Part
from hazardcast.service.metrics import Health
from hazardcast.testing import ManualClock

START = 1_800_000_000.0
PART_BYTES = 1880


@dataclass
class Camera:
    """One camera that is recorded."""

    recordings: Path
    name: str = "north"
    prefix: str = "17"
    """Of this run's files."""
    told: Playlist = field(default_factory=Playlist)
    number: int = -1
    parts: int = 0
    at: float = START

    def __post_init__(self) -> None:
        self.open.mkdir(parents=True)

    @property
    def folder(self) -> Path:
        return self.recordings / self.name

    @property
    def open(self) -> Path:
        return self.folder / ".open"

    def file(self, number: int, suffix: str = ".ts") -> Path:
        return self.open / f"{self.prefix}-{number:06d}{suffix}"

    def begin(self) -> None:
        """The next file, with its first part."""
        self.number, self.parts = self.number + 1, 0
        self.file(self.number).touch()
        head = Head(self.number, self.number == 0, "h264")
        self.file(self.number, ".parts").write_text(head.encode())
        self.grow()

    def grow(self, times: int = 1) -> None:
        for _ in range(times):
            with self.file(self.number).open("ab") as video:
                video.write(
                    bytes([65 + self.number, self.parts + 10 * (int(self.prefix) - 17)])
                    * (PART_BYTES // 2)
                )
            part = Part(self.parts * PART_BYTES, PART_BYTES, 0.5, self.at, self.parts == 0)
            with self.file(self.number, ".parts").open("a") as index:
                index.write(part.encode())
            self.parts, self.at = self.parts + 1, self.at + 0.5

    def close(self, number: int) -> Path:
        """Name a finished file and tell players."""
        start_ms = round(START * 1000) + number * 1000
        path = segments.segment_path(self.recordings, self.name, start_ms, start_ms + 960)
        path.parent.mkdir(exist_ok=True)
        self.file(number).rename(path)
        entry = Entry(f"{path.parent.name}/{path.name}", start_ms / 1000, 1.0)
        self.told = self.told.with_entry(entry)
        (self.folder / "live.m3u8").write_text(render(self.told))
        return path


@pytest.fixture
def camera(tmp_path: Path) -> Camera:
    return Camera(tmp_path / "recordings")


@pytest.fixture
def room(camera: Camera) -> LiveRoom:
    clock = SystemClock()
    cameras = {"north": 1.0, "south": 1.0}
    live = Live(camera.recordings, cameras, clock=clock)
    hls = Hls(live, camera.recordings, clock=clock)
    why = {"south": "unreachable: no route to host"}
    return LiveRoom(live, hls, Leases(), cameras, why.get, clock)


@pytest.fixture
def web(room: LiveRoom) -> Iterator[httpx.Client]:
    with served(room) as client:
        yield client


@contextmanager
def served(room: LiveRoom) -> Iterator[httpx.Client]:
    """The routes with the reading thread behind them."""
    clock = ManualClock()
    everybody = FreeView(published_locally=True, allowed=True)
    guard = Guard(everybody, lambda: Book({}, {}), Sessions(clock, [], lambda _: None), clock)
    stop = threading.Event()
    reader = threading.Thread(target=room.live.run, args=(stop,))
    reader.start()
    server = HttpServer(application(guard, Health(), [router(room)]), host="127.0.0.1", port=0)
    base = f"http://127.0.0.1:{server.port}/api/live-monitoring"
    with httpx.Client(base_url=base, timeout=10.0) as client:
        yield client
    server.close()
    stop.set()
    reader.join()
    _let_go(room.live)


def _let_go(live: Live) -> None:
    """The web framework remembers its routes, and with them this room, for as long as it lives."""
    for watched in live._watched.values():
        for index in watched.reader._indexes.values():
            index.file.close()
            if index.video:
                index.video.close()
