"""Whatever ffmpeg reads is a camera, and every frame keeps its own time; the rest is refused in words."""

from __future__ import annotations

import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from camera import encoder
from camera.played import PlayedFile
from camera.source import SourceProblem

from hazardcast.media import burnt_clock
from hazardcast.testing import ManualClock
from hazardcast.vision.pixels.sources import FileFrames, VideoFileError
from tests.odd_video_files import FPS, FRAMES, MANNERS, REFUSED, Studio, timeless

EXACT_S = 0.012
"""A GIF counts hundredths of a second."""
UNSURE = 2
"""FFmpeg 5.1 dates the last pictures that it holds back from an AVI half a frame early."""


@pytest.fixture(scope="module")
def studio(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(ffmpeg, tmp_path_factory.mktemp("films"))


def played(ffmpeg: str, path: Path, target: Path) -> Path:
    """What the camera service makes of a file, in a file."""
    verdict = PlayedFile("a", path, loop=True, clock=ManualClock(), ffmpeg=ffmpeg)._examine()
    command = encoder.file_command(ffmpeg, path, copy=verdict.copy, offset_s=0.0)
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    target.write_bytes(done.stdout)
    return target


def times(path: Path) -> list[tuple[float, float]]:
    """(when it is shown, what the clock in it says) of each frame, seconds."""
    found = []
    for frame in FileFrames(path, fps=60):
        clock_ms = burnt_clock.read(frame.image)
        assert clock_ms is not None, f"{path.name}: no clock in the frame at {frame.t:.3f} s"
        found.append((frame.t, clock_ms / 1000))
    return found


def keeps_its_times(found: list[tuple[float, float]]) -> None:
    shown, clocks = zip(*found, strict=True)
    assert list(clocks) == sorted(set(clocks)), "each once, in order"
    for shown_s, clock_s in found:
        assert shown_s - shown[0] == pytest.approx(clock_s - clocks[0], abs=EXACT_S)


@pytest.mark.parametrize("manner", MANNERS)
def test_the_camera_service_and_the_evaluation_show_the_same_frames_at_the_same_times(
    manner: str, studio: Studio, ffmpeg: str, tmp_path: Path
) -> None:
    path = MANNERS[manner](studio)

    evaluated = times(path)
    streamed = times(played(ffmpeg, path, tmp_path / "played.ts"))

    keeps_its_times(evaluated)
    keeps_its_times(streamed[:-UNSURE] if manner == "AVI, H.264 with B-frames" else streamed)
    assert [clock for _, clock in evaluated] == [clock for _, clock in streamed]
    assert evaluated[0][0] == pytest.approx(0.0, abs=EXACT_S), "video time begins with the first"


def test_a_stream_without_times_is_shown_at_an_even_pace(
    studio: Studio, ffmpeg: str, tmp_path: Path
) -> None:
    path = timeless(studio)

    for found in times(path), times(played(ffmpeg, path, tmp_path / "played.ts")):
        shown, clocks = zip(*found, strict=True)
        assert len(found) == FRAMES
        assert list(clocks) == sorted(clocks)
        steps = [later - earlier for earlier, later in pairwise(shown)]
        assert max(steps) - min(steps) < EXACT_S
        assert steps[0] in (pytest.approx(1 / FPS, abs=0.002), pytest.approx(1 / 25, abs=0.002))


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_video_is_refused_by_name_and_reason(
    kind: str, studio: Studio, ffmpeg: str
) -> None:
    make, words = REFUSED[kind]
    path = make(studio)

    with pytest.raises(SourceProblem, match=words) as by_camera:
        PlayedFile("a", path, loop=True, clock=ManualClock(), ffmpeg=ffmpeg)._examine()
    with pytest.raises(VideoFileError, match=words) as by_evaluation:
        list(FileFrames(path, fps=8))

    assert str(path) in str(by_camera.value)
    assert str(path) in str(by_evaluation.value)
