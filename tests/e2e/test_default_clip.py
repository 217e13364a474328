"""What was asked for is what comes: both halves of the window, every frame, judged by its own clock.

In seconds here; `make e2e-long` runs it with the default request, 300 s before and 300 s after.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from hazardcast_tools.demo import clip_proof

from hazardcast.config.settings import Settings, environment_with
from hazardcast.media.segments import list_segments
from hazardcast.testing import eventually

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.timeout(1200)]
FPS = 15
SHORT_S = 10.0
SEGMENT_S = {True: 10, False: 2}
NAME_ERROR_S = 0.1


def command(settings: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hazardcast_tools", *arguments],
        env=environment_with(**settings), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def late_frames(port: str) -> int:
    """Frames that the drawn camera has left out since it began, as the machine was too busy."""
    told = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
    found = re.search(r"^hazardcast_camera_frames_late_total.* (\S+)$", told, re.M)
    return int(float(found[1])) if found else 0


def test_a_request_gives_continuous_video_of_the_whole_window(
    start: Any, tmp_path: Path, ffmpeg: str, full_length: bool
) -> None:
    default = Settings()
    pre_s = default.clip_pre_s if full_length else SHORT_S
    post_s = default.clip_post_s if full_length else SHORT_S
    config = tmp_path / "cameras.yaml"
    camera = {"url": "demo://normal", "segment_s": SEGMENT_S[full_length]}
    config.write_text(yaml.safe_dump({"cameras": {"north": camera}}))
    up = start("up", config=config, clip_pre_s=pre_s, clip_post_s=post_s)
    recordings = tmp_path / "data" / "recordings"
    first = eventually(lambda: list_segments(recordings, "north"), within_s=60, what=up.text)[0]
    time.sleep(max(0.0, first.start + pre_s + 1.0 - time.time()))

    asked_at = time.time()
    asked = command(up.settings, "clip", "--camera", "north")
    assert asked.returncode == 0, asked.stderr
    patience_s = post_s + 4 * SEGMENT_S[full_length] + 60
    manifest_path = eventually(
        lambda: next(iter((tmp_path / "data" / "clips").glob("*.json")), None),
        within_s=patience_s,
        what="the clip",
    )

    manifest = json.loads(manifest_path.read_bytes())
    video = manifest_path.with_suffix(".mp4")
    proof = clip_proof.prove(video, ffmpeg=ffmpeg)
    requested = manifest["requested"]
    never_sent = late_frames(up.settings["metrics_port"])
    assert proof.first_at is not None
    assert proof.last_at is not None
    print(
        f"\nrequested {requested['end'] - requested['start']:.3f} s around {asked_at:.3f}; delivered "
        f"{proof.last_at - proof.first_at:.3f} s in {proof.frames} frames, {proof.missing(FPS)} "
        f"missing ({never_sent} never sent), {proof.unreadable} unreadable; state {manifest['state']}, gaps "
        f"{manifest['gaps']}; clip there {time.time() - asked_at - post_s:.1f} s after the window's "
        f"end; {video.stat().st_size / 1e6:.1f} MB; first name off by "
        f"{(manifest['first_frame_at'] - proof.first_at) * 1000:.0f} ms"
    )
    assert requested["end"] - requested["start"] == pytest.approx(pre_s + post_s)
    assert (manifest["state"], manifest["gaps"]) == ("ready", [])
    assert proof.frames == manifest["frames"]
    assert proof.unreadable == 0
    assert proof.missing(FPS) <= never_sent
    assert proof.first_at <= requested["start"] + NAME_ERROR_S
    assert proof.last_at >= requested["end"] - NAME_ERROR_S
    assert abs(manifest["first_frame_at"] - proof.first_at) <= NAME_ERROR_S
    assert manifest_path.with_suffix(".jpg").exists()
    judged = command(up.settings, "verify", str(video))
    print(judged.stdout.strip())
    assert judged.returncode == 0, judged.stdout
