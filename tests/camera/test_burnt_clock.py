from __future__ import annotations

import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.media import burnt_clock

TIMES = st.integers(0, (1 << burnt_clock.TIME_BITS) - 1)
WIDTHS = st.integers(burnt_clock.SMALLEST_WIDTH_PX, 1920)


def noisy_frame(width: int, height: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@given(TIMES, WIDTHS)
def test_what_is_burnt_is_read(wall_ms: int, width: int) -> None:
    frame = noisy_frame(width, width // 20)
    burnt_clock.burn(frame, wall_ms)
    assert burnt_clock.read(frame) == wall_ms


@given(TIMES, st.sampled_from([(640, 40), (854, 53), (1280, 80), (1920, 120)]))
def test_it_survives_scaling(wall_ms: int, size: tuple[int, int]) -> None:
    frame = noisy_frame(960, 60)
    burnt_clock.burn(frame, wall_ms)
    scaled = cv2.resize(frame, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    assert burnt_clock.read(scaled) == wall_ms


@given(TIMES)
def test_brightness_planes_are_enough(wall_ms: int) -> None:
    frame = noisy_frame(960, 60)[:, :, 0].copy()
    burnt_clock.burn(frame, wall_ms)
    assert burnt_clock.read(frame) == wall_ms


@given(st.integers(0, 2**32 - 1))
def test_a_picture_without_a_clock_reads_as_none(seed: int) -> None:
    assert burnt_clock.read(noisy_frame(640, 40, seed)) is None


@given(st.lists(st.booleans(), min_size=80, max_size=80))
def test_any_row_of_cells_that_was_not_burnt_reads_as_none(cells: list[bool]) -> None:
    row = np.repeat(np.where(cells, 255, 0).astype(np.uint8), 12)
    frame = np.broadcast_to(row[None, :, None], (20, 960, 3)).copy()
    wall_ms = burnt_clock.read(frame)
    if wall_ms is not None:  # the strategy found a true clock: it must be that very row
        again = np.zeros_like(frame)
        burnt_clock.burn(again, wall_ms)
        assert np.array_equal(again[:16] > 128, frame[:16] > 128)


@given(TIMES, st.integers(0, burnt_clock.CELLS - 1))
def test_one_flipped_cell_is_noticed(wall_ms: int, cell: int) -> None:
    frame = noisy_frame(960, 60)
    burnt_clock.burn(frame, wall_ms)
    part = frame[: burnt_clock.strip_height_px(960), cell * 12 : (cell + 1) * 12]
    part[:] = np.where(part > 128, 16, 235)
    assert burnt_clock.read(frame) is None


@given(TIMES, TIMES, st.floats(0.05, 0.95))
def test_a_mixture_of_two_frames_is_never_misread(first: int, second: int, part: float) -> None:
    one, other = noisy_frame(640, 40), noisy_frame(640, 40)
    burnt_clock.burn(one, first)
    burnt_clock.burn(other, second)
    mixed = cv2.addWeighted(one, part, other, 1 - part, 0).astype(np.uint8, copy=False)
    assert burnt_clock.read(mixed) in (None, first, second)


@pytest.mark.parametrize("shape", [(0, 0, 3), (10, 20, 3), (540, 960, 3), (3,), (2, 2, 2, 2)])
def test_odd_frames_read_as_none(shape: tuple[int, ...]) -> None:
    assert burnt_clock.read(np.zeros(shape, np.uint8)) is None


def test_times_and_frames_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="44 bits"):
        burnt_clock.burn(noisy_frame(960, 540), 1 << 44)
    with pytest.raises(ValueError, match="44 bits"):
        burnt_clock.burn(noisy_frame(960, 540), -1)
    with pytest.raises(ValueError, match="320"):
        burnt_clock.burn(noisy_frame(200, 100), 0)


@pytest.mark.network
@pytest.mark.parametrize("height", [360, 1080])
def test_every_frame_survives_hard_compression(tmp_path: Path, ffmpeg: str, height: int) -> None:
    times = [1_800_000_000_000 + 67 * number for number in range(30)]
    path = tmp_path / "clock.mp4"
    frames = []
    for number, wall_ms in enumerate(times):
        soft = cv2.GaussianBlur(noisy_frame(960, 540, seed=number), (0, 0), 3)
        frame = soft.astype(np.uint8, copy=False)
        burnt_clock.burn(frame, wall_ms)
        frames.append(frame.tobytes())
    command = [ffmpeg, "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "bgr24"]
    command += ["-video_size", "960x540", "-framerate", "15", "-i", "pipe:0"]
    command += ["-vf", f"scale=-2:{height}", "-c:v", "libx264", "-preset", "ultrafast"]
    command += ["-crf", "28", "-pix_fmt", "yuv420p", str(path)]
    subprocess.run(command, input=b"".join(frames), check=True, timeout=60)
    assert [burnt_clock.read(frame) for frame in _frames(path)] == times


def _frames(path: Path) -> list[np.ndarray]:
    capture, found = cv2.VideoCapture(str(path)), []
    while (read := capture.read())[0]:
        found.append(read[1])
    return found
