"""The first pictures of a connection, as ffmpeg leaves them and as they are kept."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from recorder import beginning, pictures
from recorder.archive import Archive
from recorder.disk import Shelf
from recorder.index import RecordingIndex
from recorder.pictures import Picture
from recorder.timeline import NamedSegment

from hazardcast.media import mpegts
from hazardcast.media.mpegts import PACKET_BYTES
from hazardcast.media.segments import list_segments

FPS = 10
STEP = 9000
OPEN = "-x264-params open-gop=1:b-adapt=0:b-pyramid=none -bf 2"
Film = Callable[..., bytes]


@pytest.fixture(scope="module")
def film(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> Film:
    """What a viewer gets who comes in at the second key frame: a file of its own."""
    folder = tmp_path_factory.mktemp("films")

    def make(extra: str, codec: str = "libx264") -> bytes:
        path: Path = folder / "film.ts"
        subprocess.run(
            [ffmpeg, "-v", "error", "-y", "-f", "lavfi", "-i", f"testsrc2=s=160x96:r={FPS}", "-t",
             "6", "-c:v", codec, "-preset", "ultrafast", "-g", "20", *extra.split(), "-f", "mpegts",
             str(path)],
            check=True, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        data = path.read_bytes()
        keys = [one for one in pictures_of(data) if one.key]
        return data[: pictures_of(data)[0].packet] + data[keys[1].packet :]

    return make


def pictures_of(data: bytes) -> list[Picture]:
    video = mpegts.first_video(data)
    assert video
    return list(pictures.found_in(data, video.pid))


def guessed(data: bytes) -> tuple[bytes, int]:
    """`data` with the first times that `FIRST_TIMES` gives, and by how much too early they are."""
    first, following = pictures_of(data)[:2]
    at = mpegts.pts_at(data, first.packet)
    shown = following.shown - 4 * STEP
    changed = bytearray(data)
    changed[at : at + 5] = mpegts.stamp(shown, like=data[at])
    changed[at + 5 : at + 10] = mpegts.stamp(shown - 2 * STEP, like=data[at + 5])
    return bytes(changed), first.shown - shown


def mended(data: bytes) -> tuple[bytes, float]:
    found = beginning.mended(data)
    assert found
    changed = bytearray(data)
    for at, what in found.changes:
        changed[at : at + len(what)] = what
    return bytes(changed), found.later_s


def counter_steps(data: bytes) -> set[int]:
    """How the counter of the video's packets goes on."""
    video = mpegts.first_video(data)
    assert video
    counts = [data[at + 3] & 15 for at in mpegts.packets_of(data, video.pid, 0, len(data))]
    return {(later - before) % 16 for before, later in pairwise(counts)}


def shown_by_a_player(ffmpeg: str, data: bytes) -> list[float]:
    done = subprocess.run(
        [ffmpeg, "-hide_banner", "-copyts", "-f", "mpegts", "-i", "-", "-vf", "showinfo", "-fps_mode",
         "passthrough", "-f", "null", "-"],
        input=data, capture_output=True, check=True,
    )  # fmt: skip
    lines = done.stderr.decode().splitlines()
    return [float(line.split("pts_time:")[1].split()[0]) for line in lines if "pts_time:" in line]


@pytest.mark.parametrize(
    ("codec", "extra"),
    [
        ("libx264", OPEN),
        ("libx265", "-x265-params open-gop=1:bframes=3:b-adapt=0:log-level=none"),
    ],
)
def test_pictures_that_lean_on_what_was_never_sent_are_taken_out_and_no_byte_moves(
    film: Film, ffmpeg: str, codec: str, extra: str
) -> None:
    data = film(extra, codec)
    first, *rest = pictures_of(data)
    true_s = first.shown / 90_000
    leading = sum(one.shown < first.shown for one in rest)
    assert leading

    for sent in (data, guessed(data)[0]):
        kept, later_s = mended(sent)

        assert len(kept) == len(sent)
        assert len(pictures_of(kept)) == len(pictures_of(sent)) - leading
        found, before = pictures.times(kept), pictures.times(sent)
        assert found
        assert before
        assert found.first_s == pytest.approx(true_s, abs=1e-4)
        assert later_s == pytest.approx(true_s - before.first_s, abs=1e-4)
        assert counter_steps(kept) == counter_steps(sent) == {1}
        player = shown_by_a_player(ffmpeg, kept)
        assert len(player) == len(pictures_of(kept))
        assert player[0] == pytest.approx(true_s, abs=1e-4)
        assert beginning.mended(kept) is None


@pytest.mark.parametrize("b_frames", [1, 2])
def test_a_first_picture_that_was_dated_too_early_is_shown_a_step_before_the_next(
    film: Film, b_frames: int
) -> None:
    data = film(f"-x264-params open-gop=0:b-adapt=0 -bf {b_frames}")
    sent, early = guessed(data)
    assert early == (3 - b_frames) * STEP

    kept, later_s = mended(sent)

    assert pictures_of(kept)[0].shown == pictures_of(data)[0].shown
    assert pictures_of(kept)[1:] == pictures_of(data)[1:]
    assert later_s == pytest.approx(early / 90_000)


@pytest.mark.parametrize("extra", ["-bf 0", "-x264-params open-gop=0:b-adapt=0 -bf 3"])
def test_a_beginning_that_is_right_stays_as_it_is(film: Film, extra: str) -> None:
    data = film(extra)

    assert beginning.mended(data) is None
    assert beginning.mended(data[: 5 * PACKET_BYTES]) is None
    assert beginning.mended(b"") is None


def test_the_first_file_is_named_from_its_first_picture_that_can_be_shown(
    film: Film, tmp_path: Path
) -> None:
    data = guessed(film(OPEN))[0]
    archive = Archive(Shelf(tmp_path, "north"), RecordingIndex(), lambda: None)
    assert archive.open()

    for place in range(2):
        name = f"17-{place:06d}.ts"
        (archive.shelf.open_folder / name).write_bytes(data)
        start = 1_800_000_000.0 + 10 * place
        archive.keep(NamedSegment(name, start, start + 4.0, 4.0, False, 0.0), "h264")

    first, second = list_segments(tmp_path, "north")
    assert first.start == pytest.approx(1_800_000_000.0 + mended(data)[1], abs=0.002)
    assert first.end == pytest.approx(1_800_000_004.0, abs=0.002)
    assert second.start == pytest.approx(1_800_000_010.0, abs=0.002)
    assert second.path.read_bytes() == data
