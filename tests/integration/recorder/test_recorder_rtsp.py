"""Real RTSP: codecs, sound, passwords, transports, and a camera that hangs."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hazardcast.testing import eventually

pytestmark = [pytest.mark.network, pytest.mark.slow]


@pytest.fixture
def streams_of(ffmpeg: str) -> Callable[[Path], str]:
    def streams(path: Path) -> str:
        done = subprocess.run(
            [ffmpeg, "-hide_banner", "-i", str(path)], capture_output=True, text=True, check=False
        )
        return "".join(line for line in done.stderr.splitlines() if "Stream #" in line)

    return streams


@pytest.mark.parametrize(
    ("codec", "audio", "video_kept", "audio_kept"),
    [
        ("h264", "aac", "Video: h264", "Audio: aac"),
        ("h265", "none", "Video: hevc", ""),
        ("h264-b", "none", "Video: h264", ""),
        ("h264-b", "pcmu", "Video: h264", "Audio: aac"),
        ("h265-b", "none", "Video: hevc", ""),
        ("h264-intra-refresh", "none", "Video: h264", ""),
        ("h264", "pcmu", "Video: h264", "Audio: aac"),
        ("mjpeg", "none", "Video: h264", ""),
    ],
)
def test_a_camera_is_recorded_whatever_it_speaks(
    record: Any,
    rtsp_camera: Any,
    recordings: Any,
    streams_of: Callable[[Path], str],
    decode_errors: Callable[[Path], str],
    codec: str,
    audio: str,
    video_kept: str,
    audio_kept: str,
) -> None:
    record({"north": rtsp_camera("--codec", codec, "--audio", audio).url})
    # The third: nothing of it leans on what a camera tells only once.
    segment = eventually(lambda: recordings.segments()[2:], within_s=30)[0]

    assert video_kept in streams_of(segment.path)
    assert audio_kept in streams_of(segment.path)
    assert decode_errors(segment.path) == ""


def test_wrong_credentials_are_told_from_an_unreachable_camera_and_never_logged(
    recorder_process: Any, rtsp_camera: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = rtsp_camera("--account", "watcher:rightword")
    monkeypatch.setenv("CAM_NORTH", "watcher:wr0ngw0rd")
    running = recorder_process(
        {"north": {"url": camera.url, "credentials": "CAM_NORTH"}}, log_level="DEBUG"
    )
    eventually(lambda: "unauthorised" in running.log.read_text(), within_s=20)

    assert running.terminate() == 0
    assert "wr0ngw0rd" not in running.log.read_text()


def test_right_credentials_record(
    recorder_process: Any, rtsp_camera: Any, recordings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = rtsp_camera("--account", "watcher:right/w@rd:")
    monkeypatch.setenv("CAM_NORTH", "watcher:right/w@rd:")
    running = recorder_process(
        {"north": {"url": camera.url, "credentials": "CAM_NORTH", "segment_s": 2}}
    )
    eventually(recordings.segments, within_s=20)

    assert running.terminate() == 0


def command_lines() -> list[str]:
    """Of every process of this machine that is not this one (Linux)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("latin-1"))
    return found


@pytest.mark.parametrize("way", ["rtsp", "http-basic", "http-digest"])
def test_no_command_line_shows_the_password_or_where_the_camera_is(
    recorder_process: Any,
    rtsp_camera: Any,
    ts_camera: Any,
    recordings: Any,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    account = "watcher:unseen/w@rd:"
    if way == "rtsp":
        url = rtsp_camera("--account", account).url
    else:
        url = ts_camera(account=account, digest=way == "http-digest").url
    monkeypatch.setenv("CAM_NORTH", account)
    running = recorder_process({"north": {"url": url, "credentials": "CAM_NORTH", "segment_s": 2}})
    eventually(recordings.segments, within_s=20)
    ffmpegs = [line for line in command_lines() if "framecrc" in line]

    assert ffmpegs
    for line in command_lines():
        assert "unseen" not in line or "rtsp_server.py" in line  # the camera itself
    for line in ffmpegs:
        assert url not in line
    assert running.terminate() == 0


def test_a_camera_that_hangs_is_stalled_and_recorded_again_when_it_wakes(
    record: Any, rtsp_camera: Any, recordings: Any
) -> None:
    camera = rtsp_camera()
    running = record({"north": camera.url})
    eventually(recordings.segments, within_s=20)
    camera.freeze()
    eventually(lambda: running.state() == "stalled", within_s=15)
    camera.thaw()
    eventually(lambda: running.state() == "live", within_s=30)

    assert recordings.causes()[0] == "stalled"


def test_a_camera_that_dies_is_recorded_again_when_it_is_back(
    record: Any, rtsp_camera: Any, recordings: Any
) -> None:
    camera = rtsp_camera()
    running = record({"north": camera.url})
    eventually(recordings.segments, within_s=20)
    camera.kill()
    eventually(lambda: running.state() in ("ended", "unreachable"), within_s=15)
    camera.start()
    eventually(lambda: running.state() == "live", within_s=30)

    assert recordings.causes()[0] == "camera_down"
