"""The file that grows is shown while it grows: by the real recorder and the console's own routes."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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

from benchmarks.harness import percentile
from benchmarks.live_player import Player
from hazardcast.machine.clock import SystemClock
from hazardcast.service.metrics import Health
from hazardcast.testing import eventually
from tests.integration.recorder.test_recorder_burnt_clock import drawn_camera

__all__ = ["drawn_camera"]

pytestmark = [pytest.mark.network, pytest.mark.slow]


@pytest.fixture
def live(recordings: Any) -> Iterator[Callable[[], LiveRoom]]:
    """Consoles over the recordings; each starts with nothing in memory."""
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def start() -> LiveRoom:
        clock, folder = SystemClock(), recordings.folder / "recordings"
        found = Live(folder, {"north": 2.0}, clock=clock)
        threads.append(threading.Thread(target=found.run, args=(stop,)))
        threads[-1].start()
        hls = Hls(found, folder, clock=clock)
        return LiveRoom(found, hls, Leases(), {"north": 2.0}, lambda _: None, clock)

    yield start
    stop.set()
    for thread in threads:
        thread.join()


@pytest.fixture
def serve() -> Iterator[Callable[[LiveRoom], str]]:
    """The address of a room's playlists of `north`."""
    servers: list[HttpServer] = []

    def start(room: LiveRoom) -> str:
        everybody, clock = FreeView(published_locally=True, allowed=True), SystemClock()
        guard = Guard(everybody, lambda: Book({}, {}), Sessions(clock, [], lambda _: None), clock)
        app = application(guard, Health(), [router(room)])
        servers.append(HttpServer(app, host="127.0.0.1", port=0))
        return f"http://127.0.0.1:{servers[-1].port}/api/live-monitoring/hls/north/"

    yield start
    for server in servers:
        server.close()


def age_s(room: LiveRoom) -> float:
    """How old the newest picture is that can be shown."""
    return time.time() - (room.live.line("north").shown_until or 0.0)


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"^(\d+)\.ts$", text, re.M)]


@pytest.mark.alone
def test_pictures_are_shown_two_seconds_after_they_were_taken(
    record: Any, drawn_camera: tuple[str, str], live: Any, serve: Any
) -> None:
    url, address = drawn_camera
    record({"north": url}, camera_server=address, segment_s=6)
    room = live()
    eventually(lambda: room.live.line("north").newest, within_s=30)
    player = Player(serve(room))

    player.follow(15.0)
    ages_s, stalls = player.ages_s()
    p50_s, p95_s = percentile(ages_s, 50), percentile(ages_s, 95)
    print(
        f"age p50 {p50_s:.2f} s, p95 {p95_s:.2f} s, {stalls} stalls, joined in {player.joined_s:.2f} s"
    )

    assert len(ages_s) > 100
    assert percentile(ages_s, 50) < 2.5, percentile(ages_s, 50)
    assert percentile(ages_s, 95) < 3.0, percentile(ages_s, 95)
    assert stalls <= 1
    edges_s = player.edge_ages_s()
    told = room.live.line("north").shown_until
    assert told is not None
    assert percentile(edges_s, 50) < 1.0, percentile(edges_s, 50)


def test_a_player_goes_on_when_the_camera_comes_back_and_a_new_console_agrees(
    record: Any, ts_camera: Any, live: Any, serve: Any, recordings: Any
) -> None:
    camera = ts_camera()
    record({"north": camera.url})
    room = live()
    eventually(lambda: len(room.live.line("north").files) >= 3, within_s=30)
    base = serve(room)
    before = httpx.get(base + "live.m3u8").text
    first = numbers(before)[0]

    camera.down()
    time.sleep(1.0)
    camera.up()
    back_at = time.monotonic()
    known = room.live.line("north").newest
    assert known is not None
    eventually(lambda: room.live.line("north").newest.number > known.number, within_s=25)
    eventually(lambda: age_s(room) < 2.5, within_s=10)
    print(f"shown again {time.monotonic() - back_at:.1f} s after the camera was back")

    text = httpx.get(base + "live.m3u8").text
    assert "#EXT-X-DISCONTINUITY\n" in text
    assert text.splitlines()[-1].startswith("#EXT-X-PART:")
    fresh = httpx.get(serve(live()) + "live.m3u8").text
    assert set(_dated(fresh)) & set(_dated(text))
    assert not [number for number in _dated(fresh) if number < first]
    assert {n: _dated(fresh)[n] for n in _dated(fresh).keys() & _dated(text).keys()} == {
        n: _dated(text)[n] for n in _dated(fresh).keys() & _dated(text).keys()
    }


def _dated(text: str) -> dict[int, str]:
    """Closed file → its date, to a second: what two consoles must agree on."""
    found = re.findall(
        r"PROGRAM-DATE-TIME:(\S+)Z\n(?:#EXT-X-PART\S+\n)*#EXTINF:\S+\n(\d+)\.ts", text
    )
    return {int(number): date[:19] for date, number in found}


def test_a_full_index_disk_disturbs_no_recording(
    record: Any, ts_camera: Any, recordings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recorder import part_index

    def full(_file: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(part_index._File, "write", full)
    camera = ts_camera()
    running = record({"north": camera.url})

    eventually(lambda: len(recordings.segments()) >= 2, within_s=30)

    assert running.state() == "live"
    assert list(Path(recordings.folder).rglob("*.parts")) == []
