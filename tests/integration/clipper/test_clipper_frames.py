"""Clips built with a real ffmpeg from real segments, checked frame by frame."""

from __future__ import annotations

import hashlib
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clipper import scanning
from clipper.build import Builder, Built
from clipper.ffmpeg import Ffmpeg
from clipper.jobs import Job, new_job

from hazardcast.contract.messages import ClipRequest
from hazardcast.machine.clock import SystemClock
from hazardcast.media.segments import list_segments, parse_segment, read_runs

pytestmark = pytest.mark.network

T0 = 1_800_000_000
Shown = Callable[[Path], list[tuple[int, float]]]


def job(ts: float, pre_s: float, post_s: float) -> Job:
    request = ClipRequest(event_id="4097-1", camera="north", ts=ts, pre_s=pre_s, post_s=post_s)
    return new_job(request, now=ts, names=(), stems=())


def every_ffmpeg() -> list[str]:
    """The machine's and the bundled one: both must do."""
    import shutil

    found = [path for path in [shutil.which("ffmpeg")] if path]
    try:
        import imageio_ffmpeg

        found.append(imageio_ffmpeg.get_ffmpeg_exe())
    except ImportError:
        pass
    return found


with_every_ffmpeg = pytest.mark.parametrize(
    "program", every_ffmpeg(), ids=lambda path: Path(path).name, indirect=True
)


@pytest.fixture
def program(request: pytest.FixtureRequest, ffmpeg: str) -> str:
    return str(getattr(request, "param", ffmpeg))


@pytest.fixture
def build(film: Any, program: str, tmp_path: Path) -> Callable[[Job], tuple[Built, Path]]:
    def run(wanted: Job) -> tuple[Built, Path]:
        clock = SystemClock()
        builder = Builder(Ffmpeg(program, clock=clock, stop=threading.Event()), clock)
        directory = tmp_path / "building"
        directory.mkdir()
        segments = list_segments(film.recordings_dir, film.camera)
        runs = read_runs(film.recordings_dir, film.camera)
        return builder.build(wanted, segments, runs, directory), directory / f"{wanted.stem}.mp4"

    return run


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@with_every_ffmpeg
def test_a_clip_holds_every_frame_from_the_key_frame_before_to_the_first_after(
    film: Any, build: Any, shown_frames: Shown
) -> None:
    film.shoot(T0 * 1000, 20)

    built, video = build(job(T0 + 10.0, 4.45, 5.25))

    frames = shown_frames(video)
    assert [ms for ms, _ in frames] == film.expected(T0 + 5.55, T0 + 15.25)
    assert frames[0][0] == (T0 + 5) * 1000
    assert frames[-1][0] == (T0 + 15) * 1000 + 300
    manifest = built.manifest
    assert manifest.state == "ready"
    assert manifest.method == "copy"
    assert manifest.frames == len(frames)
    assert manifest.coverage == 1.0
    assert manifest.gaps == ()


def test_wall_clock_is_first_frame_plus_media_time_for_every_frame(
    film: Any, build: Any, shown_frames: Shown
) -> None:
    film.shoot(T0 * 1000, 12, stream_s=3.3)
    film.shoot((T0 + 17) * 1000, 8, stream_s=3.3)

    built, video = build(job(T0 + 12.0, 9.0, 10.0))

    first = built.manifest.first_frame_at
    for wall_ms, media_s in shown_frames(video):
        assert wall_ms / 1000 == pytest.approx(first + media_s, abs=0.002)


def test_no_frame_is_lost_or_doubled_where_stamps_wrap(
    film: Any, build: Any, shown_frames: Shown
) -> None:
    film.shoot(T0 * 1000, 20, stream_s=2**33 / 90_000 - 10.0)

    built, video = build(job(T0 + 10.0, 7.0, 6.0))

    assert [ms for ms, _ in shown_frames(video)] == film.expected(T0 + 3.0, T0 + 16.0)
    assert built.manifest.state == "ready"


@with_every_ffmpeg
def test_a_gap_keeps_its_length_and_is_named_with_its_cause(
    film: Any, build: Any, shown_frames: Shown
) -> None:
    film.shoot(T0 * 1000, 10, cause="stalled")
    film.shoot((T0 + 25) * 1000, 10, stream_s=500.0)

    built, video = build(job(T0 + 12.0, 8.0, 18.0))

    manifest = built.manifest
    assert manifest.state == "partial"
    assert [gap.cause for gap in manifest.gaps] == ["stalled"]
    assert manifest.gaps[0].start == pytest.approx(T0 + 10.0, abs=0.11)
    assert manifest.gaps[0].end == T0 + 25.0
    assert manifest.coverage == pytest.approx(11 / 26, abs=0.01)
    assert "15.0 s missing" in manifest.detail
    frames = shown_frames(video)
    assert [ms for ms, _ in frames] == film.expected(T0 + 4.0, T0 + 30.0)
    assert frames[-1][1] - frames[0][1] == pytest.approx(26.0, abs=0.11)
    assert [round(stretch.media_s, 3) for stretch in manifest.stretches] == [0.0, 21.0]


@with_every_ffmpeg
def test_a_camera_that_changed_its_resolution_is_reencoded_without_losing_a_frame(
    film: Any, build: Any, shown_frames: Shown
) -> None:
    film.shoot(T0 * 1000, 8, size=(640, 360), cause="format_changed")
    film.shoot((T0 + 8) * 1000, 8, size=(1280, 720), stream_s=7.0)

    built, video = build(job(T0 + 8.0, 4.0, 4.0))

    assert built.manifest.method == "reencoded"
    assert built.manifest.state == "ready"
    assert [ms for ms, _ in shown_frames(video)] == film.expected(T0 + 4.0, T0 + 12.0)
    import cv2

    assert cv2.VideoCapture(str(video)).get(cv2.CAP_PROP_FRAME_WIDTH) == 1280


def test_pixels_that_are_not_square_keep_their_shape_when_encoded_anew(
    film: Any, build: Any, shown_frames: Shown
) -> None:
    wide = ("-vf", "setsar=16/11", "-c:v", "libx264", "-preset", "veryfast")
    film.shoot(T0 * 1000, 8, size=(720, 576), codec=wide, cause="format_changed")
    film.shoot((T0 + 8) * 1000, 8, size=(524, 288), stream_s=7.0)

    built, video = build(job(T0 + 8.0, 4.0, 4.0))

    import cv2

    for path in (video, video.with_suffix(".jpg")):
        assert cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_WIDTH) == 1048
    assert built.manifest.state == "ready"
    assert [ms for ms, _ in shown_frames(video)] == film.expected(T0 + 4.0, T0 + 12.0)


def test_a_camera_that_changed_its_codec_is_reencoded(
    film: Any, build: Any, shown_frames: Shown
) -> None:
    film.shoot(T0 * 1000, 8, cause="format_changed")
    film.shoot((T0 + 8) * 1000, 8, codec=("-c:v", "mpeg2video", "-q:v", "3"), stream_s=7.0)

    built, video = build(job(T0 + 8.0, 4.0, 4.0))

    assert built.manifest.method == "reencoded"
    assert [ms for ms, _ in shown_frames(video)] == film.expected(T0 + 4.0, T0 + 12.0)


def test_hevc_with_open_groups_is_copied(film: Any, build: Any, shown_frames: Shown) -> None:
    """Pictures that lean on the group before the first are left out; all others are there."""
    codec = ("-c:v", "libx265", "-preset", "ultrafast", "-crf", "16", "-x265-params",
             "log-level=error:open-gop=1:scenecut=0:keyint=10:min-keyint=5:b-adapt=0:bframes=3:b-pyramid=0")  # fmt: skip
    film.shoot(T0 * 1000, 16, codec=codec)
    with film.paths[1].open("rb") as file:
        key, leading = scanning.scan(file).frames[:2]
    assert leading.pts < key.pts

    built, video = build(job(T0 + 8.0, 4.5, 4.0))

    assert built.manifest.method == "copy"
    assert [ms for ms, _ in shown_frames(video)] == film.expected(T0 + 3.5, T0 + 12.0)
    assert b"hvc1" in video.read_bytes()


@with_every_ffmpeg
def test_sound_comes_along_without_moving_the_picture(
    film: Any, build: Any, shown_frames: Shown, program: str
) -> None:
    film.shoot(T0 * 1000, 16, sound=True)

    _built, video = build(job(T0 + 8.0, 4.0, 4.0))

    frames = shown_frames(video)
    assert [ms for ms, _ in frames] == film.expected(T0 + 4.0, T0 + 12.0)
    assert frames[0][1] == pytest.approx(0.0, abs=0.03)
    said = subprocess.run([program, "-i", str(video)], capture_output=True, text=True, check=False)
    assert "Audio: aac" in said.stderr


@pytest.mark.parametrize(
    ("codec", "gop"),
    [
        (("-c:v", "libx264", "-preset", "ultrafast", "-bf", "3", "-b_strategy", "0"), 10),
        (("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency"), 70),
    ],
    ids=["b-frames", "a key frame every seven seconds"],
)
def test_a_clip_across_midnight_a_restart_and_another_size_holds_every_frame(
    film: Any, build: Any, shown_frames: Shown, codec: tuple[str, ...], gop: int
) -> None:
    midnight = T0 - T0 % 86_400 + 86_400
    film.shoot((midnight - 14) * 1000, 16, codec=codec, gop=gop, cause="recorder_stopped")
    film.shoot((midnight + 5) * 1000, 7, codec=codec, gop=gop, cause="format_changed")
    film.shoot((midnight + 12) * 1000, 7, codec=codec, gop=gop, size=(320, 180), stream_s=9.0)

    built, video = build(job(midnight + 1.0, 20.0, 15.0))

    frames = shown_frames(video)
    assert [ms for ms, _ in frames] == film.frames_ms[
        : film.frames_ms.index((midnight + 16) * 1000) + 1
    ]
    for wall_ms, media_s in frames:
        assert wall_ms / 1000 == pytest.approx(built.manifest.first_frame_at + media_s, abs=0.002)
    assert [gap.cause for gap in built.manifest.gaps] == ["never_recorded", "recorder_stopped"]
    assert built.manifest.gaps[0].end == midnight - 14
    assert built.manifest.method == "reencoded"


def test_sources_and_results_carry_their_true_fingerprints(film: Any, build: Any) -> None:
    film.shoot(T0 * 1000, 16)

    built, video = build(job(T0 + 8.0, 5.0, 3.0))

    manifest = built.manifest
    by_name = {path.name: path for path in film.paths}
    assert len(manifest.sources) >= 2
    for source in manifest.sources:
        assert source.sha256 == sha256(by_name[source.name])
        assert source.bytes == by_name[source.name].stat().st_size
        segment = parse_segment(by_name[source.name])
        assert segment is not None
        assert source.start == segment.start
    assert manifest.video.sha256 == sha256(video)
    assert manifest.video.bytes == video.stat().st_size
    assert manifest.snapshot.sha256 == sha256(video.with_suffix(".jpg"))
    assert sum(source.frames for source in manifest.sources) == manifest.frames
    assert manifest.clock_error_s == 0.007


@pytest.mark.parametrize("ts", [T0 + 8.0, T0 + 8.04, T0 + 7.96])
def test_the_snapshot_is_the_frame_nearest_the_moment(film: Any, build: Any, ts: float) -> None:
    import cv2

    from hazardcast.media import burnt_clock

    film.shoot(T0 * 1000, 16)

    built, video = build(job(ts, 5.0, 3.0))

    picture = cv2.imread(str(video.with_suffix(".jpg")))
    assert picture is not None
    wall_ms = burnt_clock.read(picture.astype(np.uint8, copy=False))
    assert wall_ms is not None
    assert abs(wall_ms / 1000 - ts) <= 0.051
    assert built.manifest.snapshot.at == pytest.approx(wall_ms / 1000, abs=0.001)


@with_every_ffmpeg
def test_the_index_stands_before_the_video_and_chapters_carry_wall_time(
    film: Any, build: Any, program: str
) -> None:
    film.shoot(T0 * 1000, 16)

    _, video = build(job(T0 + 8.0, 4.0, 4.0))

    content = video.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    said = subprocess.run([program, "-i", str(video)], capture_output=True, text=True, check=False)
    assert "2027-01-15T08:00:08.000Z" in said.stderr
    assert "creation_time   : 2027-01-15T08:00:04" in said.stderr


def test_a_damaged_segment_is_a_gap_of_its_own_cause(
    film: Any, build: Any, shown_frames: Shown
) -> None:
    film.shoot(T0 * 1000, 16)
    film.paths[1].write_bytes(b"\x00" * 10_000)

    built, video = build(job(T0 + 8.0, 7.0, 7.0))

    assert built.manifest.state == "partial"
    assert [gap.cause for gap in built.manifest.gaps] == ["unreadable"]
    damaged = parse_segment(film.paths[1])
    assert damaged is not None
    lost = range(damaged.start_ms, damaged.end_ms + 1)
    expected = [ms for ms in film.expected(T0 + 1.0, T0 + 15.0) if ms not in lost]
    assert [ms for ms, _ in shown_frames(video)] == expected


def test_a_segment_cut_short_by_a_crash_gives_what_it_holds(
    film: Any, build: Any, shown_frames: Shown
) -> None:
    film.shoot(T0 * 1000, 8, cause=None)
    content = film.paths[-1].read_bytes()
    film.paths[-1].write_bytes(content[: len(content) // 2 + 77])

    built, video = build(job(T0 + 6.0, 5.0, 5.0))

    frames = [ms for ms, _ in shown_frames(video)]
    assert len(frames) > 30
    assert (
        frames[:-2] == film.frames_ms[10 : 10 + len(frames) - 2]
    )  # the cut may fall among B-frames
    assert built.manifest.state == "partial"


def test_nothing_recorded_in_the_window_is_a_failure_that_says_why(film: Any, build: Any) -> None:
    film.shoot(T0 * 1000, 8, cause="camera_down")

    built, _ = build(job(T0 + 100.0, 5.0, 5.0))

    assert built.files == ()
    assert built.manifest.state == "failed"
    assert [gap.cause for gap in built.manifest.gaps] == ["camera_down"]
