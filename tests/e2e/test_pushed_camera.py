"""`up` with cameras that come: what clients push is recorded and watched, and killed clients leave nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from hazardcast.contract.messages import Detections, ServiceStatus
from hazardcast.contract.topics import DETECTIONS, STATUS
from hazardcast.net.ports import free_ports
from hazardcast.testing import eventually

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.timeout(240)]
CAMERA = "push-1"


def push(ffmpeg: str, port: int, token: str) -> subprocess.Popen[bytes]:
    """A client as people have it."""
    return subprocess.Popen([
        ffmpeg, "-v", "error", "-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=10", "-f", "mpjpeg",
        "-headers", f"Authorization: Bearer {token}\r\n", f"http://127.0.0.1:{port}/push/{CAMERA}",
    ])  # fmt: skip


def facts(port: int) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{CAMERA}.json", timeout=5) as answer:
        told: dict[str, Any] = json.load(answer)
    return told


def heard(port: int, topic: str) -> list[str]:
    command = ["mosquitto_sub", "-p", str(port), "-t", topic, "-W", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [line for line in done.stdout.splitlines() if line]


def waits(port: int, service: str) -> bool:
    """Whether the pushed camera waits for a client, by a service's word."""
    topic = STATUS.template.format(service=service, instance="+")
    words = [ServiceStatus.decode(line) for line in heard(port, topic)]
    return str(words[-1].cameras[0].state) == "ended"


def is_in_run(port: int, run: int) -> bool:
    return bool(facts(port)["runs"] == run)


def segments_since(recordings: Path, since: float) -> list[Path]:
    found = recordings.glob("*/*.ts")
    return [one for one in found if int(one.stem.split("-")[0]) > 1000 * since]


def encoders(parent: int) -> int:
    service = next(one for one in psutil.Process(parent).children() if one.cmdline()[-1] == "camera")  # fmt: skip
    return sum("ffmpeg" in child.name() for child in service.children())


def is_left_without_encoder(parent: int) -> bool:
    return encoders(parent) == 0


def test_two_clients_killed_one_after_the_other_are_two_runs_of_one_camera(
    start: Any, tmp_path: Path, ffmpeg: str, mosquitto_clients: None
) -> None:
    config, (push_port, camera_port) = tmp_path / "cameras.yaml", free_ports(2)
    config.write_text("defaults: {segment_s: 2}\npush: {slots: 1}\ncameras:\n")
    up = start("up", "--no-vehicle", config=config, push_port=push_port, camera_port=camera_port)
    eventually(lambda: up.says("camera taken"), within_s=80, what=up.text)
    assert up.says(f"http://127.0.0.1:{push_port}/push/ID")
    token = (tmp_path / "data" / "keys" / f"push-token-{CAMERA}").read_text().strip()
    recordings = tmp_path / "data" / "recordings" / CAMERA

    for run in (1, 2):
        began = time.time()
        client = push(ffmpeg, push_port, token)
        try:
            eventually(partial(is_in_run, camera_port, run), within_s=20, what="live")
            topic = DETECTIONS.template.format(camera=CAMERA)
            eventually(partial(heard, up.mqtt_port, topic), within_s=30, what=up.text)
            last = Detections.decode(heard(up.mqtt_port, topic)[-1])
            assert (last.width, last.height) == (320, 180)
            assert began < last.ts < time.time()
            eventually(partial(segments_since, recordings, began), within_s=30, what="a segment")
            assert encoders(up.pid) == 1
        finally:
            os.kill(client.pid, signal.SIGKILL)
            client.wait(5)
        eventually(partial(is_left_without_encoder, up.pid), within_s=4, what="it is given back")
        for service in ("camera", "recorder"):
            eventually(partial(waits, up.mqtt_port, service), within_s=25, what=service)
    up.interrupt()
    assert token not in up.text
