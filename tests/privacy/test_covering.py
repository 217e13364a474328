"""Whole files through ffmpeg: same pictures, same times, nothing sharp and nothing else in them."""

from __future__ import annotations

import copy
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from privacy import cover, ffmpeg_words
from privacy import ffmpeg as edge
from privacy.cover import Planes
from privacy.covering import Covered, CoverError, Covering, Recipe
from privacy.ffmpeg_words import UnreadableError
from privacy.looking import LookError
from privacy.plugins import PluginLook
from privacy.regions import Found, Kind, make
from privacy.verifying import NotVerifiedError, verify

from hazardcast.vision.geometry import boxes
from tests.privacy.conftest import HEAD, HEIGHT, WIDTH, Record, sees_head, sees_nothing

SOUND = ("-f", "lavfi", "-i", "sine=d=2", "-shortest", "-c:a", "aac")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "covered.ts"


def covered(
    program: str, source: Path, output: Path, look: Any = sees_head, **recipe: Any
) -> Covered:
    return Covering(program, replace(Recipe(), **recipe), look).run(source, output)


def pictures(program: str, path: Path) -> list[tuple[int, Planes]]:
    with edge.Decoder(program, path) as decoder:
        return [(seen.pts, cover.planes_of(data, WIDTH, HEIGHT)) for seen, data in decoder.frames()]


def is_bare(planes: Planes) -> bool:
    """Whether the noise that lies over each head is still there."""
    x1, y1, x2, y2 = HEAD
    return float(np.abs(np.diff(planes.y[y1:y2, x1:x2].astype(int))).mean()) > 6.0


RATES: dict[str, dict[str, Any]] = {
    "14.985": {"fps": "15000/1001"},
    "of its own times": {"output": ("-vf", "select=not(eq(mod(n\\,7)\\,3))", "-fps_mode", "vfr")},
    "with B-frames": {"output": ("-preset", "fast", "-bf", "3")},
    "where 33 bits begin anew": {"output": ("-output_ts_offset", "95443.2")},
    "of HEVC": {"output": ("-c:v", "libx265", "-x265-params", "log-level=none")},
}


@pytest.mark.parametrize("kind", RATES)
def test_a_recording_keeps_every_picture_at_its_time(
    kind: str, ffmpeg: str, record: Record, output: Path
) -> None:
    options = dict(RATES[kind])
    source = record(*options.pop("output", ()), **options)

    done = covered(ffmpeg, source, output)
    verify(ffmpeg, output, done)

    shown = pictures(ffmpeg, output)
    assert (
        [pts for pts, _ in shown]
        == list(done.source.pts)
        == [pts for pts, _ in pictures(ffmpeg, source)]
    )
    assert not any(is_bare(planes) for _, planes in shown)


def test_a_look_that_finds_nothing_leaves_the_head_bare_and_the_measure_tells(
    ffmpeg: str, record: Record, output: Path
) -> None:
    covered(ffmpeg, record(), output, sees_nothing)

    assert all(is_bare(planes) for _, planes in pictures(ffmpeg, output))


def test_without_bridging_the_measure_tells_of_pictures_between_looks(
    ffmpeg: str, record: Record, output: Path
) -> None:
    covered(ffmpeg, record(seconds=3), output, bridged=False)

    bare = [is_bare(planes) for _, planes in pictures(ffmpeg, output)]
    assert any(bare)
    assert not all(bare)


def test_sound_names_and_supplemental_information_stay_behind(
    ffmpeg: str, record: Record, output: Path
) -> None:
    source = record(
        "-c:a", "aac", "-metadata", "service_name=Hana", inputs=("-f", "lavfi", "-i", "sine=d=1.2")
    )
    assert edge.list_packets(ffmpeg, source).tracks == ("video", "audio")
    assert ffmpeg_words.holds_sei(edge.elementary(ffmpeg, source))

    done = covered(ffmpeg, source, output)
    verify(ffmpeg, output, done)

    assert edge.list_packets(ffmpeg, output).tracks == ("video",)
    assert not ffmpeg_words.holds_sei(edge.elementary(ffmpeg, output))
    assert b"Hana" not in output.read_bytes()


def test_pixels_that_are_not_square_stay_so(ffmpeg: str, record: Record, output: Path) -> None:
    covered(ffmpeg, record("-aspect", "2.5"), output)

    with edge.Decoder(ffmpeg, output) as decoder:
        seen = [seen for seen, _ in decoder.frames()]
    assert float(seen[0].aspect) == pytest.approx(2.5 * HEIGHT / WIDTH, rel=0.01)


def test_a_head_is_covered_before_the_first_look_that_found_it(
    ffmpeg: str, record: Record, output: Path
) -> None:
    def late(planes: Planes, t: float, index: int) -> Found:
        return sees_head(planes, t, index) if index >= 10 else sees_nothing(planes, t, index)

    done = covered(ffmpeg, record(), output, late)

    assert [bool(wanted) for wanted in done.grids[:15]] == [False] * 3 + [True] * 12


def test_two_picture_sizes_in_one_file_are_refused(
    ffmpeg: str, record: Record, output: Path, tmp_path: Path
) -> None:
    both = tmp_path / "both.ts"
    other = record("-output_ts_offset", "1.2", size=(160, 96))
    both.write_bytes(record().read_bytes() + other.read_bytes())

    with pytest.raises(UnreadableError, match="two picture sizes"):
        covered(ffmpeg, both, output)


@pytest.mark.parametrize("content", [b"", b"no video" * 100, b"\x47" * 188 * 40])
def test_what_is_no_recording_is_refused(
    content: bytes, ffmpeg: str, output: Path, tmp_path: Path
) -> None:
    source = tmp_path / "not.ts"
    source.write_bytes(content)

    with pytest.raises(UnreadableError):
        covered(ffmpeg, source, output)


def test_a_recording_with_flipped_bytes_loses_no_picture_or_is_refused(
    ffmpeg: str, record: Record, output: Path, tmp_path: Path
) -> None:
    data = bytearray(record(seconds=3).read_bytes())
    middle = len(data) // 2
    data[middle : middle + 6000] = bytes(byte ^ 0x5A for byte in data[middle : middle + 6000])
    damaged = tmp_path / "flipped.ts"
    damaged.write_bytes(data)

    try:
        done = covered(ffmpeg, damaged, output)
        verify(ffmpeg, output, done)
    except (UnreadableError, CoverError, NotVerifiedError):
        return
    assert done.lost <= max(2, 0.02 * len(done.source.pts))


def test_over_most_of_the_picture_covered_nothing_is_shown(
    ffmpeg: str, record: Record, output: Path
) -> None:
    def sees_all(planes: Planes, t: float, index: int) -> Found:
        return make([(np.array([0, 0, WIDTH, HEIGHT * 0.8], np.float32), 0.9, Kind.HEAD)])

    with pytest.raises(CoverError, match="would be covered"):
        covered(ffmpeg, record(), output, sees_all)


def test_a_look_that_answers_no_numbers_fails_the_file(
    ffmpeg: str, record: Record, output: Path
) -> None:
    def broken(planes: Planes, t: float, index: int) -> Found:
        return make([(np.array([np.nan, 0, 10, 10], np.float32), 0.9, Kind.HEAD)])

    with pytest.raises(LookError, match="no numbers"):
        covered(ffmpeg, record(), output, broken)


def from_picture(number: int, answer: Any) -> PluginLook:
    """A blur module that is well until a picture."""
    calls = iter(range(10_000))

    def blur(frame: Any) -> Any:
        return answer(frame) if next(calls) >= number else frame

    return PluginLook(blur)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda frame: frame[:-1, :-2], "returned uint8"),
        (lambda frame: frame.astype(np.float32), "returned float32"),
        (lambda frame: None, "returned NoneType"),
        (lambda frame: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_a_blur_module_that_errs_from_some_picture_on_fails_the_file(
    answer: Any, why: str, ffmpeg: str, record: Record, output: Path
) -> None:
    with pytest.raises(LookError, match=why):
        covered(ffmpeg, record(), output, from_picture(5, answer))


def test_what_a_blur_module_changes_is_covered_as_everything_is(
    ffmpeg: str, record: Record, output: Path
) -> None:
    def blur(frame: Any) -> Any:
        x1, y1, x2, y2 = HEAD
        frame[y1:y2, x1:x2] = 255 - frame[y1:y2, x1:x2]
        return frame

    done = covered(ffmpeg, record(), output, PluginLook(blur))
    verify(ffmpeg, output, done)

    assert not any(is_bare(planes) for _, planes in pictures(ffmpeg, output))


@pytest.fixture(scope="module")
def whole(
    ffmpeg: str, record: Record, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Covered, Path]:
    path = tmp_path_factory.mktemp("whole") / "covered.ts"
    done = covered(ffmpeg, record(), path)
    verify(ffmpeg, path, done)
    return done, path


class TestVerifying:
    """What of a written file is found out."""

    @pytest.fixture
    def done(self, whole: tuple[Covered, Path], output: Path) -> Covered:
        output.write_bytes(whole[1].read_bytes())
        return copy.deepcopy(whole[0])

    def test_a_file_that_was_not_covered_is_refused(
        self, done: Covered, ffmpeg: str, record: Record, tmp_path: Path
    ) -> None:
        bare = tmp_path / "bare.ts"
        covered(ffmpeg, record(), bare, sees_nothing)

        with pytest.raises(NotVerifiedError, match="not covered at"):
            verify(ffmpeg, bare, done)

    def test_a_picture_moved_by_a_tick_is_refused(
        self, done: Covered, ffmpeg: str, output: Path
    ) -> None:
        done.pts[7] += 1

        with pytest.raises(NotVerifiedError, match="picture 7 is shown at"):
            verify(ffmpeg, output, done)

    def test_a_picture_too_few_is_refused(self, done: Covered, ffmpeg: str, output: Path) -> None:
        done.pts.append(done.pts[-1] + 6000)
        done.grids.append([])

        with pytest.raises(NotVerifiedError, match="pictures in it"):
            verify(ffmpeg, output, done)

    def test_a_file_cut_short_after_success_is_refused(
        self, done: Covered, ffmpeg: str, output: Path
    ) -> None:
        data = output.read_bytes()
        output.write_bytes(data[: len(data) * 2 // 3])

        with pytest.raises((NotVerifiedError, UnreadableError)):
            verify(ffmpeg, output, done)

    def test_sound_in_it_is_refused(
        self, done: Covered, ffmpeg: str, output: Path, tmp_path: Path
    ) -> None:
        loud = tmp_path / "loud.ts"
        subprocess.run(
            [ffmpeg, "-v", "error", "-copyts", "-i", str(output), "-f", "lavfi", "-i", "sine=d=2",
             "-c:v", "copy", "-c:a", "aac", "-muxdelay", "0", str(loud)], check=True,
        )  # fmt: skip

        with pytest.raises(NotVerifiedError, match="tracks video, audio"):
            verify(ffmpeg, loud, done)

    def test_a_face_that_no_region_covers_is_refused(
        self, done: Covered, ffmpeg: str, output: Path
    ) -> None:
        with pytest.raises(NotVerifiedError, match="a face at 200,100"):
            verify(
                ffmpeg, output, done, faces=lambda _: boxes.make([[200, 100, 230, 140]], [0.9], [0])
            )

        verify(ffmpeg, output, done, faces=lambda _: boxes.make([[50, 50, 90, 90]], [0.9], [0]))
