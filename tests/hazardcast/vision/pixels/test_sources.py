from __future__ import annotations

import contextlib
import itertools
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.machine.clock import SystemClock
from hazardcast.testing import eventually
from hazardcast.vision.pixels.frame_times import Bursts, Mapping
from hazardcast.vision.pixels.sources import (
    FileFrames,
    LiveFrames,
    VideoFileError,
    is_timeless,
    squared,
)


def make(ffmpeg: str, path: Path, source: str, *options: str) -> Path:
    subprocess.run(
        [ffmpeg, "-y", "-loglevel", "error", "-f", "lavfi", "-i", source, *options, str(path)],
        check=True, timeout=60,
    )  # fmt: skip
    return path


def test_a_file_is_read_in_video_time_at_the_wanted_rate(ffmpeg, tmp_path) -> None:
    clip = make(ffmpeg, tmp_path / "clip.mp4", "testsrc=size=320x180:rate=25:duration=4")

    frames = list(FileFrames(clip, fps=8))

    assert len(frames) == pytest.approx(32, abs=1)
    gaps = [b.t - a.t for a, b in itertools.pairwise(frames)]
    assert all(0.07 <= gap <= 0.17 for gap in gaps)
    assert frames[0].image.shape == (180, 320, 3)


def test_pixels_that_are_not_square_are_made_square(ffmpeg, tmp_path) -> None:
    clip = make(ffmpeg, tmp_path / "a.mp4", "testsrc=size=320x180:rate=5:duration=1,setsar=4/3")

    assert {frame.image.shape for frame in FileFrames(clip, fps=5)} == {(180, 427, 3)}


def test_a_picture_of_square_pixels_is_left_as_it_is() -> None:
    picture = np.zeros((180, 320, 3), np.uint8)

    assert squared(picture, 1.0) is picture


def test_a_file_slower_than_wanted_gives_every_frame(ffmpeg, tmp_path) -> None:
    clip = make(ffmpeg, tmp_path / "slow.mp4", "testsrc=size=160x120:rate=2:duration=5")

    assert [round(frame.t, 2) for frame in FileFrames(clip, fps=8)] == [k / 2 for k in range(10)]


def test_a_file_that_is_no_video_is_an_error_that_names_it(tmp_path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_bytes(b"this is no video" * 100)

    with pytest.raises(VideoFileError, match=r"notes\.mp4"):
        list(FileFrames(path, fps=8))


def test_a_file_cut_off_in_the_middle_gives_what_there_is(ffmpeg, tmp_path) -> None:
    clip = make(ffmpeg, tmp_path / "a.ts", "testsrc=size=320x180:rate=25:duration=4", "-g", "25")
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])

    assert 4 <= len(list(FileFrames(clip, fps=8))) <= 24


def test_reading_may_be_given_up_at_any_time(ffmpeg, tmp_path) -> None:
    clip = make(ffmpeg, tmp_path / "clip.mp4", "testsrc=size=320x180:rate=25:duration=4")
    before = threading.active_count()

    for frame in FileFrames(clip, fps=25):
        if frame.index == 3:
            break

    eventually(lambda: threading.active_count() <= before, what="the reader ends")


@given(
    st.lists(
        st.tuples(st.floats(-1e6, 1e6), st.floats(0, 100)), min_size=1, max_size=60,
    )
)  # fmt: skip
def test_capture_time_is_never_later_than_arrival(steps) -> None:
    mapping, now = Mapping(), 1.7e9
    for stream_s, gap_s in steps:
        now += gap_s
        assert mapping.wall(stream_s, now) <= now


def test_frames_held_back_at_the_start_are_known_to_be_late() -> None:
    mapping = Mapping()
    arrivals = [1002.0 + number / 1000 for number in range(30)]
    arrivals += [1000.0 + number / 15 for number in range(30, 40)]
    told = []
    for number, arrived_at in enumerate(arrivals):
        mapping.wall(number / 15, arrived_at)
        told.append(mapping.caught_up)

    assert told.index(True) in {34, 35}
    assert all(told[35:])


def test_a_stream_whose_time_stands_still_is_looked_at_all_the_same() -> None:
    mapping = Mapping()
    for number in range(100):
        mapping.wall(0.0, 1000.0 + number / 15)

    assert mapping.caught_up


def test_frames_handed_over_late_are_dated_when_they_were_taken() -> None:
    plain, with_b = Mapping(parsed=1), Mapping(parsed=1)
    for number in range(60):
        taken_at = 1000.0 + number
        assert plain.wall(float(number), taken_at + 1.0) <= taken_at + (number < 1)
        is_b = number % 3 != 0
        dated = with_b.wall(float(number), taken_at + 3.0, reordered=is_b)

    assert dated == pytest.approx(taken_at)


def test_a_pause_is_not_taken_for_the_time_between_two_frames() -> None:
    mapping = Mapping(parsed=1)
    moments = [n / 10 for n in range(50)] + [7.5 + n / 10 for n in range(50)]
    dated = [mapping.wall(moment, 1000.1 + moment) for moment in moments]

    assert max(abs(at - 1000.0 - moment) for at, moment in zip(dated[1:], moments[1:], strict=True)) < 0.01  # fmt: skip


def test_jitter_of_the_network_does_not_reach_the_capture_time() -> None:
    mapping, walls = Mapping(), []
    for number in range(100):
        late_s = 0.0 if number % 10 == 0 else 0.01 * (number % 7)
        walls.append(mapping.wall(number * 0.04, 1000.0 + number * 0.04 + late_s))

    gaps = [b - a for a, b in itertools.pairwise(walls)]
    assert all(abs(gap - 0.04) < 1e-3 for gap in gaps)


def test_what_comes_as_it_is_taken_never_waits() -> None:
    bursts = Bursts()

    for number in range(50):
        taken_at = 1000.0 + number / 15
        late_s = 0.05 + 0.03 * (number % 2)
        assert bursts.may_wait_s(taken_at, taken_at + late_s, awaited_s=0.05) == 0.0


def test_of_a_burst_none_waits_until_it_is_older_than_the_first_was() -> None:
    """Fragments of a second: what was taken last came as it was taken, and may wait a second."""
    bursts, waits = Bursts(), []
    for fragment, number in itertools.product(range(3), range(10)):
        taken_at, now = 1000.0 + fragment + number / 10, 1001.0 + fragment
        waits.append(bursts.may_wait_s(taken_at, now, awaited_s=0.0 if number else 0.9))

    assert waits[:10] == [0.0] * 10
    assert waits[10:20] == pytest.approx([number / 10 for number in range(10)], abs=1e-6)
    assert waits[20:] == pytest.approx(waits[10:20], abs=1e-6)
    assert bursts.may_wait_s(1003.0, 1004.5, awaited_s=0.0) == 0.0


@pytest.mark.network
def test_of_pictures_that_come_at_once_all_that_are_wanted_are_looked_at(ffmpeg, tmp_path) -> None:
    film = make(
        ffmpeg, tmp_path / "film.mp4", "testsrc=size=320x180:rate=24:duration=12", "-c:v", "libx264",
        "-preset", "ultrafast", "-g", "24", "-movflags", "frag_keyframe+empty_moov",
    ).read_bytes()  # fmt: skip
    starts = [found.start() - 4 for found in re.finditer(b"moof", film)]
    with fragments_on(film, starts) as url:
        frames = LiveFrames(lambda: url, camera="north", fps=8, clock=SystemClock())
        frames.start()
        got = [eventually(lambda: frames.take(1.0), within_s=20)]
        while len(got) < 40 and (frame := frames.take(3.0)):
            got.append(frame)
            time.sleep(0.03)  # as long as a look takes
        frames.close()

    steps = [after.t - before.t for before, after in itertools.pairwise(got[8:])]
    assert len(got) == 40
    assert max(steps) < 0.3


@contextmanager
def fragments_on(film: bytes, starts: list[int]) -> Iterator[str]:
    """A camera that sends a fragment a second."""

    def send() -> None:
        with contextlib.suppress(OSError):
            viewer, _ = server.accept()
            with viewer:
                viewer.recv(8192)
                viewer.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: video/mp4\r\n\r\n")
                for begin, end in itertools.pairwise([0, *starts[1:], len(film)]):
                    viewer.sendall(film[begin:end])
                    time.sleep(1.0)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=send, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/live.mp4"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def camera_on(port: int, ffmpeg: str, seconds: int = 30) -> Iterator[subprocess.Popen[bytes]]:
    """A camera that streams MPEG-TS over HTTP to the first who asks."""
    process = subprocess.Popen(
        [
            ffmpeg, "-loglevel", "quiet", "-re", "-f", "lavfi",
            "-i", f"testsrc=size=320x180:rate=25:duration={seconds}",
            "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "25",
            "-f", "mpegts", "-listen", "1", f"http://127.0.0.1:{port}/cam.ts",
        ]
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


@pytest.fixture
def live():
    opened: list[LiveFrames] = []

    def open_(port: int, **counts) -> LiveFrames:
        frames = LiveFrames(
            lambda: f"http://127.0.0.1:{port}/cam.ts",
            camera="north", fps=8, clock=SystemClock(), **counts,
        )  # fmt: skip
        opened.append(frames)
        frames.start()
        return frames

    yield open_
    for frames in opened:
        frames.close()


def listening(port: int) -> bool:
    """Whether someone listens, without connecting: a one-shot server would take that for all."""
    table = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()
    return any(line.split()[1].endswith(f":{port:04X}") and " 0A " in line for line in table[1:])


@pytest.mark.network
def test_a_live_camera_gives_its_newest_frames_with_their_time(ffmpeg, live) -> None:
    port, captured, dropped = free_port(), [], []
    with camera_on(port, ffmpeg):
        eventually(lambda: listening(port), what="the camera listens")
        frames = live(port, captured=lambda: captured.append(1), dropped=lambda: dropped.append(1))
        got = [eventually(lambda: frames.take(1.0), within_s=15) for _ in range(8)]
        assert frames.state == "live"
        # Who does not come for frames gets the newest one; the others are counted.
        eventually(lambda: len(dropped) >= 3, within_s=10)
        late = frames.take(1.0)
        assert late is not None

    assert all(b.t > a.t for a, b in itertools.pairwise(got))
    assert SystemClock().now() - late.t < 5
    assert len(captured) > len(got)


@pytest.mark.network
def test_a_camera_that_comes_late_is_found(ffmpeg, live) -> None:
    port = free_port()
    frames = live(port)
    eventually(lambda: frames.state == "unreachable", within_s=10)
    assert frames.take(0.1) is None

    with camera_on(port, ffmpeg):
        eventually(lambda: frames.take(1.0), within_s=20, what="a frame after the camera came")
        assert frames.state == "live"


@pytest.mark.network
def test_a_camera_that_dies_is_told_and_closing_does_not_hang(ffmpeg, live) -> None:
    port = free_port()
    with camera_on(port, ffmpeg):
        eventually(lambda: listening(port), what="the camera listens")
        frames = live(port)
        eventually(lambda: frames.take(1.0), within_s=15)

    eventually(lambda: frames.state in ("stalled", "unreachable"), within_s=15)
    frames.close()
    frames.take(0.0)  # the last one may still lie there
    assert frames.take(0.0) is None


def test_pictures_without_times_are_dated_by_their_arrival() -> None:
    mapping = Mapping(timeless=True)

    assert [mapping.wall(n / 25, 1_800_000_000.0 + n / 10) for n in range(3)] == [
        1_800_000_000.0,
        1_800_000_000.0 + 0.1,
        1_800_000_000.0 + 0.2,
    ]


@pytest.mark.parametrize(
    ("url", "fourcc", "timeless"),
    [
        ("http://cam/video", "MJPG", True),
        ("rtsp://cam/video", "MJPG", False),
        ("http://cam/a.ts", "h264", False),
    ],
)
def test_only_jpeg_over_http_carries_no_times(url: str, fourcc: str, timeless: bool) -> None:
    assert is_timeless(url, cv2.VideoWriter.fourcc(*fourcc)) == timeless


ODD_RTSP_CAMERA = Path(__file__).resolve().parents[3] / "odd_rtsp_camera.py"


@pytest.mark.network
@pytest.mark.parametrize(
    ("manner", "wanted"), [("udp", "auto"), ("mute-tcp", "auto"), ("mute-tcp", "udp")]
)
def test_a_camera_that_speaks_udp_only_is_watched(ffmpeg, tmp_path, manner, wanted) -> None:
    film = make(
        ffmpeg, tmp_path / "film.mp4", "testsrc=size=320x180:rate=15:duration=4",
        "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "15",
    )  # fmt: skip
    camera = subprocess.Popen(
        [sys.executable, str(ODD_RTSP_CAMERA), str(film), "--transport", manner],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert camera.stdout is not None
    url = camera.stdout.readline().strip()
    frames = LiveFrames(lambda: url, camera="north", fps=8, clock=SystemClock(), transport=wanted)
    frames.start()
    try:
        eventually(lambda: frames.take(1.0), within_s=30 if wanted == "auto" else 8)
        assert frames.state == "live"
    finally:
        frames.close()
        camera.kill()
        camera.wait(10)
