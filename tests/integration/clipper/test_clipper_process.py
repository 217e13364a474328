"""The clipper as a process of its own on a real broker: asked, killed, stopped, started again."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from hazardcast.config import settings as settings_module
from hazardcast.contract.messages import ClipRequest, ClipState, ServiceStatus
from hazardcast.contract.topics import CLIP_REQUESTS, CLIPS, STATUS
from hazardcast.mqtt.bus import MqttBus
from hazardcast.signing import clip_seal, trust
from hazardcast.testing import eventually

pytestmark = pytest.mark.network

Shown = Callable[[Path], list[tuple[int, float]]]
SITE = "cameras: {north: {url: 'rtsp://127.0.0.1/north', segment_s: 4}}"


@dataclass
class Desk:
    """A clipper process, and a client that asks it and hears what it says."""

    server: Any
    folder: Path
    port: int
    ffmpeg: str
    states: list[ClipState] = field(default_factory=list)
    statuses: list[ServiceStatus] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "cameras.yaml").write_text(SITE)
        self.bus = MqttBus(self.server.settings(), client_id="asker")
        self.bus.subscribe(CLIPS, lambda state, _: self.states.append(state))
        self.bus.subscribe(STATUS, lambda status, _: self.statuses.append(status))
        self.bus.start()
        assert self.bus.wait_connected(5)

    @property
    def clips_dir(self) -> Path:
        return self.folder / "data" / "clips"

    def start(self) -> None:
        self.launch()
        eventually(self._is_ready, within_s=20, what="the clipper is ready")

    def launch(self) -> None:
        """Start it and wait for nothing."""
        environment = settings_module.environment_with(
            config=str(self.folder / "cameras.yaml"),
            data_dir=str(self.folder / "data"),
            mqtt_port=str(self.server.port),
            metrics_port=str(self.port),
            instance="c1",
            ffmpeg=self.ffmpeg,
        )
        with (self.folder / "clipper.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "clipper"], env=environment, stderr=log
            )

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def end(self, how: signal.Signals) -> int:
        assert self.process
        self.process.send_signal(how)
        return self.process.wait(20)

    def ask(self, ts: float, pre_s: float, post_s: float, event_id: str = "4097-9") -> None:
        request = ClipRequest(event_id=event_id, camera="north", ts=ts, pre_s=pre_s, post_s=post_s)
        self.bus.publish(CLIP_REQUESTS, request)
        assert self.bus.flush(5)

    def heard(self, state: str) -> ClipState | None:
        return next((one for one in reversed(self.states) if one.state == state), None)

    def wait_for(self, state: str, within_s: float = 30) -> ClipState:
        return eventually(lambda: self.heard(state), within_s=within_s, what=f"clip {state}")

    def mp4s(self) -> list[Path]:
        return sorted(self.clips_dir.glob("*.mp4"))

    def jobs(self) -> list[Path]:
        return [path for path in (self.clips_dir / ".jobs").iterdir() if path.is_dir()]


@pytest.fixture
def desk(mosquitto: Any, film: Any, tmp_path: Path, ffmpeg: str) -> Iterator[Desk]:
    from socket import socket

    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    made = Desk(mosquitto, tmp_path, port, ffmpeg)
    yield made
    if made.process and made.process.poll() is None:
        made.process.kill()
        made.process.wait()
    made.bus.close()


def slow(desk: Desk, seconds: float) -> None:
    """Let ffmpeg begin so much later, so that a build can be caught in the act."""
    script = desk.folder / "slow-ffmpeg"
    script.write_text(
        f'#!/bin/sh\ncase "$*" in -version) ;; *) sleep {seconds} ;; esac\nexec {desk.ffmpeg} "$@"\n'
    )
    script.chmod(0o755)
    desk.ffmpeg = str(script)


def a_while_ago(seconds: float) -> int:
    """A whole second so long ago."""
    return int(time.time() - seconds)


def check_whole(desk: Desk, film: Any, shown_frames: Shown, start: float, end: float) -> None:
    """There is exactly one clip, with every frame, and its manifest tells the truth."""
    (video,) = desk.mp4s()
    assert [ms for ms, _ in shown_frames(video)] == film.expected(start, end)
    manifest = json.loads(video.with_suffix(".json").read_text())
    assert manifest["video"]["sha256"] == hashlib.sha256(video.read_bytes()).hexdigest()
    assert manifest["state"] == "ready"
    assert video.with_suffix(".jpg").exists()
    assert desk.jobs() == []
    assert not list(desk.clips_dir.glob("*.tmp"))


def test_asked_over_mqtt_it_answers_with_a_clip(desk: Desk, film: Any, shown_frames: Shown) -> None:
    began = a_while_ago(60)
    film.shoot(began * 1000, 20)
    desk.start()
    desk.ask(began + 10.0, 5.0, 5.0)
    state = desk.wait_for("ready")

    check_whole(desk, film, shown_frames, began + 5.0, began + 15.0)
    assert Path(state.path or "") == desk.mp4s()[0]
    assert state.coverage == 1.0
    metrics = httpx.get(f"http://127.0.0.1:{desk.port}/metrics").text
    assert 'hazardcast_clips_total{result="ready"} 1.0' in metrics
    assert "hazardcast_clip_coverage_ratio_count 1.0" in metrics
    assert 'hazardcast_clip_build_seconds_count{method="copy"} 1.0' in metrics
    assert desk.end(signal.SIGTERM) == 0
    eventually(lambda: desk.statuses[-1].state == "stopped", what="a clean stop is said")


def test_killed_while_recording_it_goes_on_after_the_start_from_what_it_kept(
    desk: Desk, film: Any, shown_frames: Shown
) -> None:
    began = a_while_ago(18)
    film.shoot(began * 1000, 26)
    for path in film.paths[5:]:
        path.rename(film.work_dir / path.name)
    desk.start()
    desk.ask(began + 12.0, 8.0, 11.0)
    desk.wait_for("recording")
    desk.end(signal.SIGKILL)
    eventually(lambda: desk.statuses[-1].state == "offline", within_s=30, what="the last will")
    for path in film.paths[:3]:
        path.unlink()
    for path in film.paths[5:]:
        (film.work_dir / path.name).rename(path)
    desk.start()
    desk.wait_for("ready")

    check_whole(desk, film, shown_frames, began + 4.0, began + 23.0)


def test_killed_while_building_the_clip_still_comes_once(
    desk: Desk, film: Any, shown_frames: Shown
) -> None:
    began = a_while_ago(60)
    film.shoot(began * 1000, 20)
    slow(desk, 2.0)
    desk.start()
    desk.ask(began + 10.0, 5.0, 5.0)
    desk.wait_for("building")
    desk.end(signal.SIGKILL)
    assert desk.mp4s() == []
    desk.start()
    desk.wait_for("ready")
    desk.end(signal.SIGTERM)

    check_whole(desk, film, shown_frames, began + 5.0, began + 15.0)
    assert len([one for one in desk.states if one.state == "ready"]) == 1


def test_killed_at_twenty_random_moments_it_still_gives_every_clip_once(
    desk: Desk, film: Any, shown_frames: Shown
) -> None:
    began = a_while_ago(90)
    film.shoot(began * 1000, 40)
    desk.start()
    moments = {f"4097-{number}": began + 6.0 + number for number in range(20)}
    dice = random.Random(began)
    print(f"seed {began}")
    for event_id, ts in moments.items():
        desk.ask(ts, 4.0, 3.0, event_id)
        time.sleep(dice.uniform(0.0, 1.6))
        desk.end(signal.SIGKILL)
        desk.launch()

    eventually(
        lambda: len(list(desk.clips_dir.glob("*.json"))) == 20, within_s=60, what="all clips"
    )
    eventually(lambda: not desk.jobs(), within_s=10, what="no job is left")
    desk.end(signal.SIGTERM)
    store = trust.load_truststore(desk.folder / "data" / "keys" / trust.TRUSTSTORE_FILE)
    for path in desk.clips_dir.glob("*.json"):
        manifest = json.loads(path.read_text())
        ts = moments.pop(manifest["event_id"])
        assert manifest["state"] == "ready"
        shown = [ms for ms, _ in shown_frames(path.with_suffix(".mp4"))]
        expected = film.expected(ts - 4.0, ts + 3.0)
        assert shown[: len(expected)] == expected
        assert len(shown) - len(expected) <= 3  # what B-frames take along
        assert clip_seal.verify(path, store).problems == ()
    assert not moments
    assert not list(desk.clips_dir.glob("*.tmp"))


def test_a_stop_ends_the_running_ffmpeg_and_the_next_start_resumes(
    desk: Desk, film: Any, shown_frames: Shown
) -> None:
    began = a_while_ago(60)
    film.shoot(began * 1000, 20)
    slow(desk, 3.0)
    desk.start()
    desk.ask(began + 10.0, 5.0, 5.0)
    desk.wait_for("building")
    assert desk.process is not None
    pid = desk.process.pid
    children = eventually(lambda: psutil.Process(pid).children(), what="ffmpeg")
    assert desk.end(signal.SIGTERM) == 0
    assert not any(child.is_running() for child in children)
    desk.start()
    desk.wait_for("ready")

    check_whole(desk, film, shown_frames, began + 5.0, began + 15.0)


def test_what_is_asked_while_it_is_down_is_done_when_it_is_up(
    desk: Desk, film: Any, shown_frames: Shown
) -> None:
    began = a_while_ago(60)
    film.shoot(began * 1000, 20)
    desk.start()
    desk.end(signal.SIGKILL)
    desk.ask(began + 10.0, 5.0, 5.0)
    desk.ask(began + 10.0, 5.0, 5.0)
    desk.start()
    desk.wait_for("ready")

    check_whole(desk, film, shown_frames, began + 5.0, began + 15.0)


def test_it_works_on_without_a_broker_and_tells_when_it_is_back(
    desk: Desk, film: Any, shown_frames: Shown
) -> None:
    began = a_while_ago(16)
    film.shoot(began * 1000, 24)
    for path in film.paths[4:]:
        path.rename(film.work_dir / path.name)
    desk.start()
    desk.ask(began + 10.0, 6.0, 11.0)
    desk.wait_for("recording")
    desk.server.stop()
    for path in film.paths[4:]:
        (film.work_dir / path.name).rename(path)
    eventually(lambda: list(desk.clips_dir.glob("*.json")), within_s=30, what="the clip")
    assert desk.heard("ready") is None
    desk.server.start()
    desk.wait_for("ready")

    check_whole(desk, film, shown_frames, began + 4.0, began + 21.0)


def test_bad_configuration_ends_it_with_one_line_and_code_2(desk: Desk) -> None:
    shutil.rmtree(desk.folder / "data", ignore_errors=True)
    environment = settings_module.environment_with(config=str(desk.folder / "none.yaml"))
    ended = subprocess.run(
        [sys.executable, "-m", "clipper"],
        env={**os.environ, **environment},
        cwd=desk.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert ended.returncode == 2
    assert "none.yaml: no such file" in ended.stderr
