"""`up` with a file camera and a real RTSP camera, an accident reported by hand, and a killed service."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from hazardcast.contract.messages import ClipState
from hazardcast.contract.topics import CLIPS
from hazardcast.testing import eventually

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.timeout(300)]


def write_config(tmp_path: Path, **cameras: dict[str, Any]) -> Path:
    path = tmp_path / "cameras.yaml"
    path.write_text(yaml.safe_dump({"defaults": {"segment_s": 2}, "cameras": cameras}))
    return path


@pytest.fixture
def video(ffmpeg: str, tmp_path: Path) -> Path:
    """Ten seconds of moving pictures."""
    path = tmp_path / "road.mp4"
    subprocess.run(
        [ffmpeg, "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=15:duration=10",
         "-g", "15", "-pix_fmt", "yuv420p", str(path)],
        check=True,
    )  # fmt: skip
    return path


def segments_of(tmp_path: Path, camera: str, *, since: float = 0.0) -> list[Path]:
    """Those that begin after `since`, epoch seconds."""
    found = sorted((tmp_path / "data" / "recordings" / camera).glob("*/*.ts"))
    return [path for path in found if int(path.stem.split("-")[0]) >= 1000 * since]


def has_segments(tmp_path: Path, camera: str, *, since: float, at_least: int) -> bool:
    return len(segments_of(tmp_path, camera, since=since)) >= at_least


def service_pid(parent: int, module: str) -> int | None:
    for child in psutil.Process(parent).children():
        command = child.cmdline()
        if command[-2:] == ["-m", module]:
            return child.pid
    return None


def clip_of(port: int, camera: str, state: str) -> ClipState | None:
    """The retained state of a clip of `camera`, once it is `state`."""
    heard = subprocess.run(
        ["mosquitto_sub", "-p", str(port), "-t", CLIPS.filter, "-W", "1"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    states = [ClipState.decode(line) for line in heard.stdout.splitlines() if line]
    return next((one for one in states if (one.camera, one.state) == (camera, state)), None)


def test_an_accident_reported_by_hand_reaches_vehicle_and_clip(
    start: Any, tmp_path: Path, video: Path, rtsp_camera: Any, mosquitto_clients: None
) -> None:
    config = write_config(
        tmp_path, file={"url": str(video)}, gate={"url": rtsp_camera().url}
    )  # fmt: skip
    up = start("up", config=config, clip_pre_s=3, clip_post_s=2)
    eventually(lambda: up.says("READY"), within_s=40, what=up.text)
    # GStreamer's server takes its clock back by seconds when a second viewer comes, the detector:
    # the recorder notices and begins anew. The clip is of what comes after.
    eventually(lambda: up.says("camera taken camera=gate"), within_s=20, what=up.text)
    since = time.time() + 5.0
    for camera in ("file", "gate"):
        # The window begins 5 s before the report: 3 s, and the margin for an onset that is a guess.
        eventually(
            partial(has_segments, tmp_path, camera, since=since, at_least=5),
            within_s=40,
            what=camera,
        )

    publish = ["mosquitto_pub", "-p", str(up.mqtt_port), "-t", "v2x/alert", "-q", "1"]
    incident = '{"type":"collision","camera":"gate"}'
    subprocess.run([*publish, "-m", incident], check=True)

    eventually(lambda: up.says("[RECV]"), within_s=5, what=up.text)
    state = eventually(lambda: clip_of(up.mqtt_port, "gate", "ready"), within_s=40)
    assert state.delivered
    assert state.delivered.end - state.delivered.start >= 5.0

    assert up.interrupt() == 0
    assert "stopped" in up.lines[-1]
    assert "killed" not in up.lines[-1]


def test_a_killed_service_is_started_again_and_the_recording_goes_on(
    start: Any, tmp_path: Path, video: Path
) -> None:
    config = write_config(tmp_path, file={"url": str(video)})
    up = start("up", "--no-vehicle", config=config)
    eventually(lambda: up.says("READY"), within_s=40, what=up.text)
    first = service_pid(up.pid, "detector")
    assert first

    os.kill(first, signal.SIGKILL)

    eventually(lambda: up.says("detector was ended by signal 9"), within_s=5, what=up.text)
    eventually(lambda: service_pid(up.pid, "detector") not in (None, first), within_s=10)
    before = len(segments_of(tmp_path, "file"))
    eventually(lambda: len(segments_of(tmp_path, "file")) > before, within_s=15)


def test_nothing_survives_the_death_of_up(start: Any, tmp_path: Path, video: Path) -> None:
    config = write_config(tmp_path, file={"url": str(video)})
    up = start("up", "--no-vehicle", config=config)
    eventually(lambda: up.says("READY"), within_s=40, what=up.text)
    eventually(lambda: segments_of(tmp_path, "file"), within_s=30)
    family = psutil.Process(up.pid).children(recursive=True)
    assert any("ffmpeg" in child.name() for child in family)

    os.kill(up.pid, signal.SIGKILL)

    eventually(lambda: not [one for one in family if alive(one)], within_s=20, what=str(family))


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_typo_stops_up_before_anything_is_started(start: Any, tmp_path: Path) -> None:
    config = write_config(tmp_path, north={"url": "demo://normal", "retention_days": 3})

    began = time.monotonic()
    up = start("up", config=config)

    assert up.wait(20) == 2
    assert f"{config}:3: cameras.north.retention_days: unknown key" in up.text
    assert time.monotonic() - began < 20
    assert not (tmp_path / "data").exists()


def test_two_systems_on_one_port_are_told_apart(start: Any, tmp_path: Path, mosquitto: Any) -> None:
    config = write_config(tmp_path, north={"url": "demo://normal"})

    up = start("up", config=config, mqtt_port=mosquitto.port)

    assert up.wait(20) == 2
    assert f"127.0.0.1:{mosquitto.port} already" in up.text
    assert "HAZARDCAST_MQTT_PORT" in up.text
