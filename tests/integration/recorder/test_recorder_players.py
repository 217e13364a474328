"""What others do with the recordings: players follow live, people take archives away."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hazardcast.config.settings import environment_with
from hazardcast.testing import eventually

pytestmark = [pytest.mark.network, pytest.mark.slow]


def rows(text: str) -> list[tuple[str, str]]:
    lines = [line.split(",") for line in text.splitlines() if line and not line.startswith("#")]
    return [(line[4].strip(), line[5].strip()) for line in lines if len(line) > 5]


def test_a_player_follows_the_live_playlist_through_the_loss_of_the_camera(
    record: Any, ts_camera: Any, recordings: Any, ffmpeg: str, tmp_path: Path,
    coded_pictures: Callable[[Path], list[Any]],
) -> None:  # fmt: skip
    camera = ts_camera()
    running = record({"north": camera.url}, segment_s=1)
    playlist = recordings.folder / "recordings/north/live.m3u8"
    eventually(playlist.exists, within_s=20)
    told = tmp_path / "played.txt"
    with told.open("w") as file:
        player = subprocess.Popen(
            [ffmpeg, "-v", "error", "-live_start_index", "0", "-i", str(playlist),
             "-map", "0:v:0", "-c", "copy", "-f", "framecrc", "-"], stdout=file,
        )  # fmt: skip
    try:
        eventually(lambda: len(recordings.segments()) >= 3, within_s=20)
        camera.down()
        eventually(lambda: running.state() in ("unreachable", "ended"), within_s=10)
        before = len(recordings.segments())
        camera.up()
        eventually(lambda: len(recordings.segments()) >= before + 4, within_s=30)
        pictures = [p for s in recordings.segments()[: before + 3] for p in coded_pictures(s.path)]
        eventually(lambda: len(rows(told.read_text())) >= len(pictures), within_s=20)
    finally:
        player.kill()
        player.wait()

    told_now = playlist.read_text()  # it may have moved on beyond the discontinuity
    assert "#EXT-X-DISCONTINUITY\n" in told_now or "DISCONTINUITY-SEQUENCE:1" in told_now
    assert rows(told.read_text())[: len(pictures)] == pictures


def test_an_archive_is_one_stream_that_decodes_cleanly(
    recorded: Any, ffmpeg: str, tmp_path: Path, coded_pictures: Callable[[Path], list[Any]],
    decode_errors: Callable[[Path], str],
) -> None:  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "hazardcast_tools", "recordings", "--archive", str(tmp_path), "--json"],
        env=environment_with(data_dir=str(recorded.recordings.folder)),
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    paths = [Path(path) for path in json.loads(done.stdout)["archives"]]

    assert 1 <= len(paths) <= 2  # the turn of ten minutes may fall into them
    pictures = [picture for path in paths for picture in coded_pictures(path)]
    assert pictures == coded_pictures(recorded.recordings.joined())
    assert [decode_errors(path) for path in paths] == [""] * len(paths)


def test_the_timeline_shows_what_is_recorded(recorded: Any) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hazardcast_tools", "recordings"],
        env=environment_with(data_dir=str(recorded.recordings.folder)),
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip

    assert "north █" in done.stdout
    assert time.strftime("%Y-", time.gmtime()) in done.stdout
