"""The demo is run as a person runs it, on each broker, and is believed only with all of its proof."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.timeout(300)]
LIMIT_S = 120.0


@pytest.mark.parametrize(("broker", "around_s"), [("mosquitto", 10), ("embedded", 4)])
def test_the_demo_shows_an_accident_from_camera_to_clip(
    start: Any,
    ffmpeg: str,
    broker: str,
    around_s: int,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    if broker == "mosquitto":
        request.getfixturevalue("mosquitto_program")

    demo = start("demo", "--broker", broker, "--pre", str(around_s), "--post", str(around_s))

    assert demo.wait(LIMIT_S) == 0, demo.text
    assert "PASSED" in demo.text
    for vehicle in ("vehicle-1", "vehicle-2"):
        assert any(f"{vehicle}  [RECV]" in line for line in demo.lines), vehicle
    clip = re.search(r"clip   (\S+\.mp4)", demo.text)
    assert clip
    assert Path(clip[1]).stat().st_size > 100_000
    assert "frames missing in the clip" in demo.text
    assert not children_of_the_demo(tmp_path), "nothing is left running"


def test_the_demo_tells_when_nothing_happens(start: Any, ffmpeg: str) -> None:
    demo = start("demo", "--source", "demo://normal", "--pre", "3", "--post", "3")

    assert demo.wait(LIMIT_S) == 0, demo.text
    assert "no alert came, as it should be" in demo.text
    assert "[RECV]" not in demo.text


def test_a_demo_that_cannot_work_says_what_to_do(start: Any, tmp_path: Path) -> None:
    video = tmp_path / "crash.mp4"
    video.write_bytes(b"this is not a video")

    demo = start("demo", "--source", str(video))

    assert demo.wait(LIMIT_S) == 2
    assert f"--source: {video}: it is cut short or still being written" in demo.text


def children_of_the_demo(folder: Path) -> list[str]:
    """Command lines of processes that still speak of this demo's folder."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        told = " ".join(process.info["cmdline"] or ())
        environment = process.info["environ"] or {}
        if str(folder) in environment.get("HAZARDCAST_DATA_DIR", "") + told:
            found.append(told)
    return found
