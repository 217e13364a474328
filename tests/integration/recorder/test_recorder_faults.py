"""Cameras that go away, freeze and refuse; what is recorded shows it, and nobody else suffers."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hazardcast.contract.topics import STATUS
from hazardcast.media import coverage
from hazardcast.testing import eventually

pytestmark = [pytest.mark.network, pytest.mark.slow]


def test_a_camera_that_comes_back_is_recorded_again_and_the_gap_is_explained(
    record: Any, ts_camera: Any, recordings: Any
) -> None:
    camera = ts_camera()
    running = record({"north": camera.url})
    eventually(recordings.segments, within_s=15)
    camera.down()
    eventually(lambda: running.state() in ("unreachable", "ended"), within_s=10)
    before = recordings.segments()[-1]
    camera.up()
    eventually(lambda: recordings.segments()[-1].start > before.end + 1.5, within_s=25)
    running.stop()

    (gap,) = coverage.gaps(recordings.segments(), recordings.runs())
    assert gap.cause == "camera_down"
    assert recordings.causes() == ["camera_down", "recorder_stopped"]


def test_everything_up_to_the_loss_of_the_camera_is_kept(
    record: Any, ts_camera: Any, recordings: Any, coded_pictures: Callable[[Path], list[Any]]
) -> None:
    camera = ts_camera()
    record({"north": camera.url}, segment_s=60)
    eventually(lambda: camera.sent and len(camera.sent[0]) > 75, within_s=15)
    camera.down()
    eventually(recordings.segments, within_s=10)

    assert len(coded_pictures(recordings.segments()[0].path)) >= len(camera.sent[0]) - 3


def test_a_frozen_camera_is_stalled_and_asked_anew(
    record: Any, ts_camera: Any, recordings: Any
) -> None:
    camera = ts_camera()
    running = record({"north": camera.url})
    eventually(lambda: running.state() == "live", within_s=15)
    camera.freeze()
    eventually(lambda: running.state() == "stalled", within_s=15)
    eventually(lambda: len(camera.sent) > 1, within_s=15)
    camera.thaw()
    eventually(lambda: running.state() == "live", within_s=20)

    assert recordings.causes()[0] == "stalled"


def test_an_unreachable_camera_does_not_disturb_the_others(
    record: Any, ts_camera: Any, recordings: Any, coded_pictures: Callable[[Path], list[Any]],
    stream_file: Path,
) -> None:  # fmt: skip
    camera, gone = ts_camera(), ts_camera()
    gone.down()
    running = record({"north": camera.url, "south": gone.url})
    eventually(lambda: len(recordings.segments()) >= 2, within_s=20)
    assert running.state("south") == "unreachable"
    assert "refused" in (running.service.recorders["south"].report.detail or "").lower()
    running.stop()

    kept = coded_pictures(recordings.joined())
    assert kept == coded_pictures(stream_file)[: len(kept)]
    assert not recordings.segments("south")


def test_the_status_tells_how_fresh_each_camera_is(record: Any, ts_camera: Any) -> None:
    running = record({"north": ts_camera().url})
    eventually(lambda: running.state() == "live", within_s=15)
    live = eventually(
        lambda: [m for m in running.broker.messages(STATUS) if m.cameras[0].state == "live"],
        within_s=15,
    )
    running.stop()

    assert abs(live[0].ts - live[0].cameras[0].last_frame_at) < 5
    assert running.broker.messages(STATUS)[-1].state == "stopped"


def test_a_volume_below_its_floor_loses_the_oldest_and_keeps_recording(
    record: Any, ts_camera: Any, recordings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recorder.upkeep.CLIPS_TAKE_S", 0.0)
    running = record({"north": ts_camera().url}, segment_s=1, free_space_floor_gb=1e6)
    newest = [eventually(recordings.segments, within_s=15)[-1]]
    for _ in range(3):
        eventually(lambda: recordings.segments()[-1] > newest[-1], within_s=15)
        newest.append(recordings.segments()[-1])
        running.service.tidy()

    assert not newest[0].path.exists()
    assert newest[-1].path.exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)],
        capture_output=True, check=False,
    ).returncode:  # fmt: skip
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


def test_a_full_disk_costs_the_oldest_recordings_not_the_newest(
    record: Any, ts_camera: Any, recordings: Any, small_disk: Path, ffmpeg: str
) -> None:
    recordings.folder = small_disk
    running = record({"north": ts_camera().url}, segment_s=1, free_space_floor_gb=0)
    first = eventually(recordings.segments, within_s=15)[0]
    eventually(lambda: not first.path.exists(), within_s=40, what="the oldest was removed")
    newest = recordings.segments()[-1]
    eventually(lambda: recordings.segments()[-1] > newest, within_s=30, what="recording goes on")
    # So small a disk is full again and again, and each time the camera is asked anew.
    eventually(lambda: running.state() == "live", within_s=30, what="the camera is live again")


def test_a_camera_whose_stamps_stand_still_and_jump_back_loses_no_picture(
    record: Any, ts_camera: Any, recordings: Any, ffmpeg: str, tmp_path: Path,
    coded_pictures: Callable[[Path], list[Any]],
) -> None:  # fmt: skip
    bad = tmp_path / "bad.ts"
    stamps = "TS-if(gte(N,75),0.5/TB,0)+if(eq(mod(N,15),7),-0.9/15/TB,0)"
    subprocess.run(
        [ffmpeg, "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=15", "-t", "12",
         "-c:v", "libx264", "-preset", "ultrafast", "-g", "15", "-bf", "0",
         "-bsf:v", f"setts=ts='{stamps}'", "-f", "mpegts", str(bad)],
        check=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    sent = coded_pictures(bad)
    running = record({"north": ts_camera(bad).url})
    eventually(lambda: len(recordings.segments()) >= 4, within_s=30)
    running.stop()

    kept = coded_pictures(recordings.joined())
    assert len(kept) > 100
    assert kept == sent[: len(kept)]
    assert recordings.causes() == ["recorder_stopped"]
    segments = recordings.segments()
    assert all(a.end < b.start for a, b in itertools.pairwise(segments))
