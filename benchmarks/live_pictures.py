"""What showing the file that grows costs the recorder, and how old the pictures are that it shows.

The recorder's service runs in this process, over the cameras of `recorder_cpu`; its one thread for
parts is measured by that thread's own clock. The age is told by the clock burnt into a drawn camera's
pictures, at the moment a player with a hold-back of three parts shows each.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from console.doors.accounts import Book
from console.doors.guard import FreeView, Guard
from console.doors.sessions import Sessions
from console.http.app import application
from console.http.server import HttpServer
from console.live.opening import open_live
from console.live.routes import router
from recorder.service import RecorderService

from benchmarks.harness import Figure, free_port, percentile, service, wait_for_port
from benchmarks.live_player import Player
from benchmarks.recorder_cpu import cameras
from hazardcast.config import site
from hazardcast.config.settings import Settings
from hazardcast.config.site import Camera
from hazardcast.machine.clock import SystemClock
from hazardcast.media.ffmpeg import find_ffmpeg
from hazardcast.service.metrics import Health
from hazardcast.testing import MemoryBroker, eventually

CAMERAS = 4
WARM_UP_S = 15.0
MEASURED_S = 40.0
AIM_PERCENT = 0.02
PLAYED_S = 40.0
TILES = 9


@contextmanager
def recording(folder: Path, urls: dict[str, str], **changes: str) -> Iterator[dict[str, Camera]]:
    """The recorder's service over these cameras, on threads of this process."""
    entries = {name: {"url": url} for name, url in urls.items()}
    config = site.parse({"cameras": entries}, source="benchmark").cameras
    settings = Settings(data_dir=folder, free_space_floor_gb=0.0).model_copy(update=changes)
    stop = threading.Event()
    made = RecorderService(
        settings, config, program=find_ffmpeg(), bus=MemoryBroker().bus(), clock=SystemClock(),
        stop=stop,
    )  # fmt: skip
    thread = threading.Thread(target=made.run)
    thread.start()
    try:
        yield config
    finally:
        stop.set()
        thread.join()


def thread_s(name: str) -> float:
    """Processor time of a thread of this process so far."""
    (ident,) = (one.ident for one in threading.enumerate() if one.name == name)
    assert ident is not None
    return time.clock_gettime(time.pthread_getcpuclockid(ident))


def cost() -> Figure:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        urls = stack.enter_context(cameras(CAMERAS, folder, "1920x1080", "4M"))
        stack.enter_context(recording(folder, {f"c{n}": url for n, url in enumerate(urls)}))
        time.sleep(WARM_UP_S)
        before_s = thread_s("parts")
        time.sleep(MEASURED_S)
        percent = (thread_s("parts") - before_s) / MEASURED_S / CAMERAS * 100
        told = len(list((folder / "recordings").glob("*/.open/*.parts")))
    return Figure(
        f"recorder, {CAMERAS} × 1080p15: parts told, a camera", "% of a core", percent, None,
        f"≤ {AIM_PERCENT} %", percent <= AIM_PERCENT and told >= CAMERAS, {"indexes": float(told)},
    )  # fmt: skip


@contextmanager
def shown(recordings_dir: Path, config: dict[str, Camera]) -> Iterator[str]:
    """The address of the console's routes below `hls/`."""
    with ExitStack() as stack:
        clock = SystemClock()
        room = open_live(recordings_dir, config, why_down=lambda _: None, clock=clock, stack=stack)
        guard = Guard(
            FreeView(published_locally=True, allowed=True), lambda: Book({}, {}),
            Sessions(clock, [], lambda _: None), clock,
        )  # fmt: skip
        server = HttpServer(application(guard, Health(), [router(room)]), host="127.0.0.1", port=0)
        stack.callback(server.close)
        for camera in config:
            eventually(lambda name=camera: room.live.line(name).newest, within_s=30)  # type: ignore[misc]
        yield f"http://127.0.0.1:{server.port}/api/live-monitoring/hls"


def ages() -> list[Figure]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, port = Path(name), free_port()
        config = folder / "cameras.yaml"
        config.write_text("cameras:\n  north: {url: 'demo://normal'}\n")
        stack.enter_context(
            service("camera", config=str(config), data_dir=name, camera_port=str(port), mqtt_port="1")
        )  # fmt: skip
        wait_for_port(port)
        address = f"http://127.0.0.1:{port}"
        found = stack.enter_context(
            recording(folder, {"north": "demo://normal"}, camera_server=address)
        )
        base = stack.enter_context(shown(folder / "recordings", found))
        one = [Player(f"{base}/north/")]
        played(one)
        many = [Player(f"{base}/north/") for _ in range(TILES)]
        played(many)
    return [figure("one player", one), figure(f"{TILES} players at once", many)]


def played(players: list[Player]) -> None:
    threads = [threading.Thread(target=one.follow, args=(PLAYED_S,)) for one in players]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def figure(who: str, players: list[Player]) -> Figure:
    results = [player.ages_s() for player in players]
    ages_s = [age for found, _ in results for age in found]
    p50, p95 = percentile(ages_s, 50), percentile(ages_s, 95)
    detail = {
        "p95": p95,
        "max": max(ages_s),
        "stalls": float(sum(stalls for _, stalls in results)),
        "joined_p95": percentile([player.joined_s for player in players], 95),
        "edge_p50": percentile(players[0].edge_ages_s(), 50),
    }
    return Figure(
        f"age of the picture, {who}: p50", "s", p50, None, "≤ 2 s, p95 ≤ 3 s",
        p50 <= 2.0 and p95 <= 3.0, detail,
    )  # fmt: skip


def run() -> list[Figure]:
    return [cost(), *ages()]


if __name__ == "__main__":
    sys.stdout.write(f"{run()}\n")
