"""`check` says of a camera what the recorder makes of it, and what the detector does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from recorder import child

from hazardcast.config import settings as settings_module
from hazardcast.testing import eventually

pytestmark = [pytest.mark.network, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[3]
SETTLED = {"live", "unauthorised", "unusable", "unreachable"}


@pytest.fixture(autouse=True)
def detector_as_in_its_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the options for OpenCV that its image and its systemd unit set."""
    name = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
    in_image = re.search(rf'{name}="([^"]+)"', (ROOT / "Dockerfile").read_text())
    in_unit = re.search(rf"{name}=(.+)", (ROOT / "deploy/systemd/hazardcast@.service").read_text())
    assert in_image
    assert in_unit
    assert in_image[1] == in_unit[1]
    monkeypatch.setenv(name, in_image[1])


def check(tmp_path: Path, cameras: Mapping[str, Mapping[str, Any]], **changes: str) -> dict[str, Any]:  # fmt: skip
    """The findings of `hazardcast check --json`, by what they are about."""
    config = tmp_path / "checked.yaml"
    config.write_text(yaml.safe_dump({"cameras": {name: dict(one) for name, one in cameras.items()}}))  # fmt: skip
    told = subprocess.run(
        [sys.executable, "-m", "hazardcast_tools", "check", "--json"],
        env=settings_module.environment_with(
            config=str(config), data_dir=str(tmp_path / "checked"), mqtt_port="1",
            multicast_interface="127.0.0.1", free_space_floor_gb="0", **changes,
        ),
        capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    assert "Traceback" not in told.stderr
    return {row["what"]: row for row in json.loads(told.stdout)["findings"]}


@pytest.fixture
def page() -> Iterator[str]:
    """Something that answers and is no camera."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>Welcome to your new camera</html>" * 100)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture
def kept_as(ffmpeg: str) -> Callable[[Path], tuple[str, str]]:
    """Codec and size of a recording's pictures."""

    def tell(path: Path) -> tuple[str, str]:
        done = subprocess.run([ffmpeg, "-hide_banner", "-i", str(path)], capture_output=True, text=True, check=False)  # fmt: skip
        (video,) = [line for line in done.stderr.splitlines() if "Video:" in line]
        found = re.search(r"Video: (\w+).*?, (\d+x\d+)\b", video)
        assert found, video
        return found[1], found[2]

    return tell


def even(size: str) -> str:
    """The size of what is encoded again: 4:2:0 needs even sides."""
    width, height = map(int, size.split("x"))
    return f"{width // 2 * 2}x{height // 2 * 2}"


def recorders_word(running: Any, recordings: Any, name: str) -> tuple[object, ...]:
    """Recorded or why not, what is encoded again, the way of transport: of the recorder itself."""
    recorder = running.service.recorders[name]
    if recorder.report.state != "live":
        return recorder.report.state, recorder.report.detail
    pid = child.working_in((recordings.folder / "recordings" / name / ".open").resolve())
    assert pid
    plan = recorder._approach.plan
    is_rtsp = recorder._source.url.startswith("rtsp")
    transport = ("udp" if child.uses_udp(pid) else "tcp") if is_rtsp else None
    return "live", plan.video, plan.audio, transport


def _has_settled(running: Any, camera: str) -> bool:
    return running.state(camera) in SETTLED


def checks_word(finding: Mapping[str, Any]) -> tuple[object, ...]:
    """The same, of `check`."""
    trial = finding["facts"]["recording"]
    if not trial["recorded"]:
        return trial["state"], trial["detail"]
    return "live", trial["video_plan"], trial["audio_plan"], trial["transport"]


def test_check_and_recorder_agree_about_every_camera(
    record: Any, recordings: Any, odd_camera: Any, film: Any, jpeg_camera: Any, rtsp_camera: Any,
    page: str, tmp_path: Path, kept_as: Callable[[Path], tuple[str, str]],
) -> None:  # fmt: skip
    cameras = {
        "b-frames": odd_camera(film(extra="-g 30 -bf 3")),
        "udp": odd_camera(film(), "--transport", "udp"),
        "jpeg": jpeg_camera(fps=10, size="333x187").url,
        "rtp-jpeg": rtsp_camera("--codec", "mjpeg").url,
        "sound": rtsp_camera("--codec", "h265", "--audio", "pcmu").url,
        "stranger": odd_camera(film(), "--account", "watcher:geheim"),
        "page": page,
    }
    running = record(cameras)
    found = check(tmp_path, {name: {"url": url} for name, url in cameras.items()})
    for name in cameras:
        eventually(partial(_has_settled, running, name), within_s=20)

    by_check = {name: checks_word(found[f"camera {name}"]) for name in cameras}
    assert by_check == {name: recorders_word(running, recordings, name) for name in cameras}
    for name in ("b-frames", "udp", "jpeg", "rtp-jpeg", "sound"):
        trial = found[f"camera {name}"]["facts"]["recording"]
        segment = eventually(partial(recordings.segments, name))[0]
        assert found[f"camera {name}"]["facts"]["watching"]["watched"]
        codec = trial["video"] if trial["video_plan"] == "copy" else "h264"
        assert kept_as(segment.path) == (codec, even(trial["size"]))
    assert by_check["udp"][-1] == "udp"
    assert [found[f"camera {name}"]["facts"]["recording"]["b_frames"] for name in ("b-frames", "udp")] == [True, False]  # fmt: skip


def test_check_tells_what_is_sent_and_what_the_detector_gets_and_no_password(
    odd_camera: Any, film: Any, jpeg_camera: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    free_tcp_port: int,
) -> None:  # fmt: skip
    monkeypatch.setenv("CAM_BLIND", "watcher:geheim")
    film_ = film(extra="-g 30 -bf 3")
    substream = f"rtsp://127.0.0.1:{free_tcp_port}/sub"
    found = check(
        tmp_path,
        {
            "gop": {"url": odd_camera(film_), "retention_h": 48},
            "jpeg": {"url": jpeg_camera(fps=8).url, "retention_h": 48},
            "blind": {
                "url": odd_camera(film(), "--account", "watcher:geheim"),
                "detect_url": substream, "credentials": "CAM_BLIND", "retention_gb": 0.001,
            },
        },
    )  # fmt: skip

    trials = {name: found[f"camera {name}"]["facts"] for name in ("gop", "jpeg", "blind")}
    gop, jpeg = trials["gop"]["recording"], trials["jpeg"]["recording"]
    assert gop["fps"] == pytest.approx(15, rel=0.02)
    assert gop["key_interval_s"] == pytest.approx(2.0, abs=0.01)
    assert gop["clock_rate"] == pytest.approx(1.0, abs=0.01)
    assert gop["bit_rate_bps"] == pytest.approx(film_.stat().st_size * 8 / 8, rel=0.25)
    assert jpeg["fps"] == pytest.approx(8, rel=0.05)
    assert 0 < jpeg["cpu_share"] < 2
    for name in ("gop", "jpeg"):
        watching = trials[name]["watching"]
        assert (watching["watched"], watching["size"]) == (True, "320x180")
        assert trials[name]["kept_s"] == pytest.approx(48 * 3600)
    assert trials["blind"]["kept_s"] < 3600
    rates = [trials[name]["recording"]["bit_rate_bps"] for name in trials]
    assert found["retention"]["facts"]["bit_rate_bps"] == pytest.approx(sum(rates))
    assert trials["blind"]["recording"]["recorded"]
    assert found["camera blind"]["result"] == "failed"
    assert "gets no picture" in " ".join(found["camera blind"]["notes"])
    assert "geheim" not in json.dumps(found)
    assert not list((tmp_path / "checked").glob(".trial*"))
