"""Cameras with bad manners are recorded all the same, or it is said in words why not."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from clipper.build import Builder
from clipper.ffmpeg import Ffmpeg
from clipper.jobs import new_job
from hazardcast_tools.provision.certificates import make_authority, make_server

from hazardcast.contract.messages import ClipRequest
from hazardcast.machine.clock import SystemClock
from hazardcast.testing import eventually

pytestmark = [pytest.mark.network, pytest.mark.slow]


@pytest.fixture
def probe(ffmpeg: str) -> Callable[[Path], dict[str, Any]]:
    """What ffprobe tells of a file's pictures."""

    def tell(path: Path) -> dict[str, Any]:
        done = subprocess.run(
            ["ffprobe", "-v", "error", "-of", "json", "-select_streams", "v:0", "-count_packets",
             "-show_entries", "stream=width,height,nb_read_packets", str(path)],
            capture_output=True, check=True,
        )  # fmt: skip
        return dict(json.loads(done.stdout)["streams"][0])

    return tell


def _are_there(recordings: Any, kept: int) -> bool:
    return len(recordings.segments()) >= kept


def _is_past(moment: float) -> bool:
    return SystemClock().now() > moment


@pytest.mark.parametrize("fps", [4, 30])
def test_jpeg_over_http_is_as_long_as_the_time_that_passed(
    record: Any, jpeg_camera: Any, recordings: Any, probe: Any, fps: float
) -> None:
    record({"north": jpeg_camera(fps=fps).url})
    kept = eventually(lambda: recordings.segments()[4:], within_s=40) and recordings.segments()

    for segment in kept:
        pictures = int(probe(segment.path)["nb_read_packets"])
        assert (pictures - 1) / fps == pytest.approx(segment.end - segment.start, abs=0.15)
    for before, after in pairwise(kept):
        assert 0 < after.start - before.end < 1.5 / fps + 0.05
    assert recordings.causes() == [None]


def test_jpeg_of_an_odd_size_is_recorded_with_an_even_one(
    record: Any, jpeg_camera: Any, recordings: Any, probe: Any, decode_errors: Any
) -> None:
    record({"north": jpeg_camera(fps=10, size="333x187").url})
    (segment, *_) = eventually(recordings.segments, within_s=30)

    assert (probe(segment.path)["width"], probe(segment.path)["height"]) == (332, 186)
    assert decode_errors(segment.path) == ""


def test_behind_a_relay_the_key_frame_is_awaited_and_that_is_said(
    record: Any, odd_camera: Any, film: Any, recordings: Any, decode_errors: Any
) -> None:
    once_in_24_s = film(seconds=24, extra="-tune zerolatency -g 360")
    running = record({"north": odd_camera(once_in_24_s, "--relay")})
    report = running.service.recorders["north"].report
    eventually(lambda: running.state() == "waiting", within_s=10)
    assert "key frame" in (report.detail or "")
    eventually(lambda: running.state() == "live", within_s=45)
    running.stop()

    assert decode_errors(recordings.segments()[0].path) == ""


def test_a_relay_that_tells_the_size_with_the_key_frame_only_is_awaited_too(
    record: Any, odd_camera: Any, film: Any, recordings: Any
) -> None:
    once_in_24_s = film(seconds=24, extra="-tune zerolatency -g 360")
    running = record({"north": odd_camera(once_in_24_s, "--relay", "--no-sprop")})
    eventually(lambda: running.state() == "waiting", within_s=15)
    eventually(lambda: running.state() == "live", within_s=60)


def test_a_camera_that_has_just_booted_is_asked_again_soon(
    record: Any, odd_camera: Any, film: Any, recordings: Any
) -> None:
    record({"north": odd_camera(film(), "--no-sprop", "--keyless-viewers", "2")})

    eventually(recordings.segments, within_s=30)


@pytest.mark.parametrize(
    ("leap", "manner"),
    [
        *(
            (leap, "-tune zerolatency -g 15")
            for leap in ("6:3600", "6:-3600", "9:-20", "6:20", "6:4")
        ),
        ("6:3600", "-g 30 -bf 3"),
        ("6:-3600", "-tune zerolatency -g 45"),
    ],
)
def test_a_cameras_clock_that_is_set_is_in_no_name_and_in_no_file(
    record: Any, odd_camera: Any, film: Any, recordings: Any, probe: Any, leap: str, manner: str
) -> None:
    url = odd_camera(film(extra=manner), "--leap", leap)
    running = record({"north": url}, segment_s=4)
    eventually(lambda: "clock_stepped" in recordings.causes(), within_s=25)
    eventually(lambda: len(recordings.segments()) >= 3, within_s=20)
    running.stop()

    for segment in recordings.segments():
        assert segment.end - segment.start < 6
        assert (
            int(probe(segment.path)["nb_read_packets"]) <= (segment.end - segment.start) * 15 + 1.5
        )
        assert segment.end <= segment.path.stat().st_mtime + 1


@pytest.mark.parametrize("manner", ["udp", "mute-tcp"])
def test_a_camera_that_speaks_udp_only_is_found_by_itself(
    record: Any, odd_camera: Any, film: Any, recordings: Any, manner: str
) -> None:
    record({"north": odd_camera(film(), "--transport", manner)})

    eventually(recordings.segments, within_s=60)


@pytest.mark.parametrize("digest", ["SHA-256", "MD5,SHA-256"])
def test_a_login_that_ffmpeg_cannot_do_is_named(
    recorder_process: Any, odd_camera: Any, film: Any, monkeypatch: pytest.MonkeyPatch, digest: str
) -> None:
    monkeypatch.setenv("CAM_NORTH", "watcher:geheim")
    url = odd_camera(film(), "--account", "watcher:geheim", "--digest", digest)
    running = recorder_process({"north": {"url": url, "credentials": "CAM_NORTH"}})

    eventually(lambda: "asks for Digest with SHA-256" in running.log.read_text(), within_s=20)
    assert "geheim" not in running.log.read_text()


def test_long_passwords_in_any_letters_are_carried(
    recorder_process: Any,
    odd_camera: Any,
    film: Any,
    recordings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account = "operator:비밀번호도로카메라일이삼사오!@#{}[]<>?/|;:,.~`+="
    monkeypatch.setenv("CAM_NORTH", account)
    url = odd_camera(film(), "--account", account)
    recorder_process({"north": {"url": url, "credentials": "CAM_NORTH", "segment_s": 2}})

    eventually(recordings.segments, within_s=30)


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    """A certificate of nobody that anybody knows, and its key."""
    own = make_server(["127.0.0.1"], make_authority("maker", now=time.time()), now=time.time())
    path = tmp_path / "camera.pem"
    path.write_text(own.key + own.certificate)
    return path


def test_b_frames_over_tls_are_recorded_from_the_first_picture_on(
    record: Any, odd_camera: Any, film: Any, recordings: Any, pem: Path, decode_errors: Any
) -> None:
    running = record({"north": odd_camera(film(extra="-g 30 -bf 3"), "--tls", str(pem))})
    eventually(lambda: recordings.segments()[2:], within_s=30)
    running.stop()

    assert decode_errors(recordings.joined()) == ""
    assert recordings.causes() == ["recorder_stopped"]


@pytest.fixture
def camera_of(odd_camera: Any, film: Any, jpeg_camera: Any) -> Callable[[str], str]:
    """The address of a camera by its manner."""
    films = {"b-frames": "-g 30 -bf 3", "a key frame in four seconds": "-tune zerolatency -g 60"}

    def start(manner: str) -> str:
        if manner == "jpeg":
            return str(jpeg_camera(fps=10).url)
        return str(odd_camera(film(extra=films[manner])))

    return start


@pytest.mark.parametrize("manner", ["b-frames", "a key frame in four seconds", "jpeg"])
def test_a_clip_from_before_the_start_to_after_a_restart_holds_all_and_tells_what_is_not_there(
    record: Any,
    camera_of: Any,
    recordings: Any,
    probe: Any,
    ffmpeg: str,
    tmp_path: Path,
    manner: str,
) -> None:
    url = camera_of(manner)
    for kept in (2, 4):
        running = record({"north": url}, segment_s=4)
        eventually(partial(_are_there, recordings, kept), within_s=40)
        running.stop()
        eventually(partial(_is_past, SystemClock().now() + 1.0), what="a true gap")
    segments, runs = recordings.segments(), recordings.runs()
    first, last = segments[0].start, segments[-1].end
    request = ClipRequest(event_id="1-1", camera="north", ts=first, pre_s=20.0, post_s=last - first)
    clock = SystemClock()
    builder = Builder(Ffmpeg(ffmpeg, clock=clock, stop=threading.Event()), clock)
    wanted = new_job(request, now=last, names=(), stems=())

    manifest = builder.build(wanted, segments, runs, tmp_path).manifest

    assert manifest.frames == sum(int(probe(one.path)["nb_read_packets"]) for one in segments)
    assert [gap.cause for gap in manifest.gaps] == ["never_recorded", "recorder_stopped"]
    assert manifest.gaps[0].end == pytest.approx(first, abs=0.002)
    assert manifest.gaps[1].end - manifest.gaps[1].start > 0.3
    assert manifest.duration_s == pytest.approx(last - first, abs=0.3)


def test_intra_refresh_over_http_can_be_read_from_any_file_after_the_camera_is_known(
    record: Any, ts_camera: Any, film: Any, recordings: Any, ffmpeg: str, tmp_path: Path,
    decode_errors: Any,
) -> None:  # fmt: skip
    once = tmp_path / "once.ts"
    refreshed = film(seconds=14, extra="-bf 0 -x264-params intra-refresh=1:keyint=30")
    subprocess.run([ffmpeg, "-v", "error", "-i", str(refreshed), "-c", "copy", str(once)], check=True)  # fmt: skip
    running = record({"north": ts_camera(once).url})
    eventually(lambda: "format_changed" in recordings.causes(), within_s=30)
    known = len(recordings.segments())
    eventually(lambda: len(recordings.segments()) >= known + 2, within_s=30)
    running.stop()

    assert decode_errors(recordings.segments()[known + 1].path) == ""
