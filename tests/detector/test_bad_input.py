"""Streams that are not as they should be, through the worker and the pipeline that run live."""

from __future__ import annotations

import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from detector.incidents import Report
from detector.pipeline import Pipeline
from detector.worker import Worker

from hazardcast.config.site import Camera
from hazardcast.contract.topics import DETECTIONS, INCIDENTS
from hazardcast.testing import ManualClock, MemoryBroker, eventually
from hazardcast.vision.models.background import BackgroundModel
from hazardcast.vision.pixels.frame import Frame
from hazardcast.vision.pixels.sources import FileFrames, VideoFileError

START_T = 1_700_000_000.0
RNG = np.random.default_rng(4)
BLOCKS = RNG.normal(100, 35, (18, 32, 3)).clip(0, 255).astype(np.uint8)


def street(t: float, width: int = 640, height: int = 360) -> np.ndarray:
    """A textured street with a car that drives along, and the noise that cameras have."""
    picture = cv2.resize(BLOCKS, (width, height), interpolation=cv2.INTER_CUBIC)
    left, size = int(0.2 * width * t) % width, width // 10
    cv2.rectangle(picture, (left, height // 2), (left + size, height // 2 + size // 2), (200, 190, 180), -1)  # fmt: skip
    return cv2.add(picture, np.full_like(picture, int(10 * t) % 3))


class Played:
    """Frames handed out as fast as they are asked for."""

    state, last_frame_at, trouble = "live", None, None

    def __init__(self, frames: list[Frame]) -> None:
        self.frames = list(frames)

    def start(self) -> None: ...
    def close(self) -> None: ...

    def take(self, timeout_s: float) -> Frame | None:
        return self.frames.pop(0) if self.frames else None


@pytest.fixture
def analysed():
    """Run the worker over frames; gives what was published and the worker."""
    workers: list[Worker] = []

    def run(frames: list[Frame]):
        broker, clock = MemoryBroker(), ManualClock(frames[-1].t)
        worker = Worker(
            "north", Camera(url="rtsp://camera/main"), frames=Played(frames),
            open_pipeline=lambda: Pipeline(BackgroundModel()), bus=broker.bus(clock), clock=clock,
        )  # fmt: skip
        workers.append(worker)
        worker.start()
        eventually(lambda: len(broker.payloads(DETECTIONS)) == len(frames), within_s=60)
        return broker, worker

    yield run
    for worker in workers:
        worker.close()


def at(times, picture=street) -> list[Frame]:
    return [Frame(picture(t), START_T + t, number) for number, t in enumerate(times)]


def steady(until_s: float, fps: float = 8.0) -> list[float]:
    return [number / fps for number in range(int(until_s * fps))]


def test_a_black_picture_is_a_state_and_no_incident(analysed) -> None:
    broker, worker = analysed(at(steady(12), lambda t: street(t) if t < 4 else street(t) // 60))

    assert broker.messages(INCIDENTS) == []
    assert worker.status().detail.split(",")[0] == "picture: black"


def test_a_frozen_picture_is_a_state_and_no_incident(analysed) -> None:
    broker, worker = analysed(at(steady(20), lambda t: street(min(t, 5.0))))

    assert broker.messages(INCIDENTS) == []
    assert worker.status().detail == "picture: frozen"


def test_a_camera_that_is_turned_over_is_a_cut_and_goes_on(analysed) -> None:
    turned = lambda t: street(t) if t < 5 else np.ascontiguousarray(street(t)[::-1, ::-1])  # noqa: E731
    broker, worker = analysed(at(steady(9), turned))

    assert broker.messages(INCIDENTS) == []
    assert worker.status().detail == "picture: cut"


def test_a_stream_that_changes_its_size_goes_on(analysed) -> None:
    sizes = lambda t: street(t) if t < 4 else street(t, 360, 640) if t < 8 else street(t, 1280, 720)  # noqa: E731
    broker, _ = analysed(at(steady(12), sizes))

    told = broker.messages(DETECTIONS)
    assert [(one.width, one.height) for one in told[::40]] == [(640, 360), (360, 640), (1280, 720)]
    assert broker.messages(INCIDENTS) == []


def test_a_portrait_camera_is_followed_like_any_other(analysed) -> None:
    broker, _ = analysed(at(steady(12), lambda t: street(t, 360, 640)))

    assert any(one.objects for one in broker.messages(DETECTIONS)[40:])
    assert broker.messages(INCIDENTS) == []


def test_a_4k_camera_is_followed_like_any_other(analysed) -> None:
    broker, _ = analysed(at(steady(5, 5), lambda t: street(t, 3840, 2160)))

    assert all((one.width, one.height) == (3840, 2160) for one in broker.messages(DETECTIONS))
    assert broker.messages(INCIDENTS) == []


def test_two_frames_a_second_raise_no_alarm(analysed) -> None:
    broker, _ = analysed(at(steady(40, 2)))

    assert broker.messages(INCIDENTS) == []


def test_a_variable_frame_rate_raises_no_alarm(analysed) -> None:
    gaps = np.random.default_rng(6).choice([0.04, 0.125, 0.5, 2.5], 120, p=[0.3, 0.5, 0.15, 0.05])
    broker, _ = analysed(at(np.cumsum(gaps)))

    assert broker.messages(INCIDENTS) == []


def test_times_that_stand_still_or_jump_are_survived(analysed) -> None:
    times = [*steady(4), 4.0, 4.0, 3.0, *(1e4 + t for t in steady(2)), *(1 + t for t in steady(2))]
    broker, _ = analysed(at(times))

    assert broker.messages(INCIDENTS) == []


def test_pictures_torn_by_lost_packets_raise_no_alarm(analysed) -> None:
    tears = np.random.default_rng(7)

    def torn(t: float):
        picture = street(t)
        if tears.random() < 0.2:
            row = int(tears.integers(40, 300))
            picture[row:] = np.roll(picture[row:], int(tears.integers(20, 200)), axis=1)
            picture[row : row + 30, : int(tears.integers(40, 600))] = 128
        return picture

    broker, _ = analysed(at(steady(25), torn))

    assert broker.messages(INCIDENTS) == []


@pytest.fixture(scope="module")
def stream(tmp_path_factory) -> bytes:
    """A real stream of a street, MJPEG in AVI: every frame stands alone."""
    path = tmp_path_factory.mktemp("stream") / "street.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (640, 360))
    for t in steady(8, 10):
        writer.write(street(t))
    writer.release()
    return path.read_bytes()


def run_file(path: Path) -> tuple[int, list[Report]]:
    pipeline, frames = Pipeline(BackgroundModel()), 0
    reports: list[Report] = []
    for frame in FileFrames(path, fps=8):
        frames += 1
        reports += pipeline.process(frame).reports
    return frames, reports


@pytest.mark.parametrize("share", [0.1, 0.5, 0.97])
def test_a_truncated_file_is_read_as_far_as_it_goes(stream, tmp_path, share) -> None:
    path = tmp_path / "cut.avi"
    path.write_bytes(stream[: int(share * len(stream))])

    frames, reports = run_file(path)

    assert 0 < frames <= 66 * share + 2
    assert reports == []


def test_a_stream_with_damaged_bytes_raises_no_alarm(ffmpeg, stream, tmp_path) -> None:
    whole, path = tmp_path / "street.avi", tmp_path / "street.ts"
    whole.write_bytes(stream)
    subprocess.run(
        [ffmpeg, "-y", "-loglevel", "error", "-i", whole, "-c:v", "libx264", "-preset", "ultrafast", "-g", "10", path],
        check=True, timeout=60,
    )  # fmt: skip
    data = bytearray(path.read_bytes())
    for place in np.random.default_rng(8).integers(2000, len(data), 40):
        data[place] ^= 0xFF
    path.write_bytes(data)

    frames, reports = run_file(path)

    assert frames > 20
    assert reports == []


@pytest.mark.parametrize("data", [b"", b"not a video", b"\0" * 5000, b"RIFF" + b"\xff" * 4000])
def test_what_is_no_video_is_an_error_that_names_the_file(tmp_path, data) -> None:
    path = tmp_path / "none.avi"
    path.write_bytes(data)

    with pytest.raises(VideoFileError, match=r"none\.avi"):
        list(FileFrames(path, fps=8))
