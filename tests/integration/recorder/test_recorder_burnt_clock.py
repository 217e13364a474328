"""A judge that neither camera nor recorder can bribe: the clock burnt into the pictures."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hazardcast.config import settings
from hazardcast.media import burnt_clock
from hazardcast.net.ports import free_ports
from hazardcast.testing import eventually

pytestmark = [pytest.mark.network, pytest.mark.slow]
cv2 = pytest.importorskip("cv2")


@pytest.fixture
def drawn_camera(ffmpeg: str, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """(url, address) of a drawn camera, streamed by the camera service."""
    config, port = tmp_path / "cameras.yaml", free_ports(1)[0]
    config.write_text(yaml.safe_dump({"cameras": {"north": {"url": "demo://normal"}}}))
    process = subprocess.Popen(
        [sys.executable, "-m", "camera"],
        env=settings.environment_with(
            config=str(config), data_dir=str(tmp_path), camera_port=str(port), ffmpeg=ffmpeg,
            metrics_port="0", mqtt_port="1",
        ),
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    yield "demo://normal", f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(10)


def burnt_times_ms(path: Path) -> list[int]:
    """What the clock shows in each picture of a file; pictures without one are left out."""
    capture = cv2.VideoCapture(str(path))
    times: list[int] = []
    while True:
        read, picture = capture.read()
        if not read:
            return times
        shown = burnt_clock.read(picture)
        if shown is not None:
            times.append(shown)


def test_nine_in_ten_names_are_within_100_ms_of_the_clock_in_their_pictures(
    record: Any, drawn_camera: tuple[str, str], recordings: Any
) -> None:
    url, address = drawn_camera
    running = record({"north": url}, camera_server=address)
    eventually(lambda: len(recordings.segments()) >= 7, within_s=60)
    running.stop()

    errors_ms = []
    for segment in recordings.segments():
        shown = burnt_times_ms(segment.path)
        errors_ms += [segment.start_ms - shown[0], segment.end_ms - shown[-1]]
    errors_ms.sort(key=abs)
    assert abs(errors_ms[len(errors_ms) * 9 // 10]) < 100, errors_ms
