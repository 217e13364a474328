"""What lies on disk: every frame, once, decodable, under the time at which it arrived."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from recorder import pictures

from hazardcast.testing import eventually

pytestmark = pytest.mark.network
FRAME_S = 1 / 15


def test_no_frame_is_lost_or_doubled_at_the_seams(
    recorded: Any, stream_file: Path, coded_pictures: Callable[[Path], list[Any]]
) -> None:
    source, kept = coded_pictures(stream_file), coded_pictures(recorded.recordings.joined())

    assert len(kept) > 60
    assert kept == source[: len(kept)]


def test_each_segment_is_decodable_by_itself_and_begins_with_a_key_frame(
    recorded: Any, decode_errors: Callable[[Path], str]
) -> None:
    for segment in recorded.recordings.segments():
        assert decode_errors(segment.path) == ""
        assert pictures.picture_format(segment.path.read_bytes()[:65_536])


def test_segments_joined_end_to_end_are_one_valid_stream(
    recorded: Any, decode_errors: Callable[[Path], str]
) -> None:
    assert decode_errors(recorded.recordings.joined()) == ""


@pytest.mark.alone
def test_names_say_when_the_first_and_last_frame_arrived_within_100_ms(recorded: Any) -> None:
    sent = recorded.camera.sent[0]
    place, errors = 0, []
    for segment in recorded.recordings.segments():
        times = pictures.times(segment.path.read_bytes())
        assert times
        errors.append(segment.start - sent[place])
        place += times.pictures
        errors.append(segment.end - sent[place - 1])

    assert max(abs(error) for error in errors) < 0.1


def test_segments_follow_each_other_by_one_frame(recorded: Any) -> None:
    for before, after in pairwise(recorded.recordings.segments()):
        assert after.start - before.end == pytest.approx(FRAME_S, abs=0.01)


def test_sound_is_kept(recorded: Any, decode_errors: Any, ffmpeg: str) -> None:
    done = subprocess.run(
        [ffmpeg, "-hide_banner", "-i", str(recorded.recordings.segments()[0].path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert "Audio: aac" in done.stderr


def test_the_live_playlist_names_the_newest_segments(recorded: Any) -> None:
    playlist = (recorded.recordings.folder / "recordings/north/live.m3u8").read_text()
    uris = [line for line in playlist.splitlines() if line and not line.startswith("#")]

    assert [(recorded.recordings.folder / "recordings/north" / uri).exists() for uri in uris]
    assert [Path(uri).name for uri in uris] == [
        s.path.name for s in recorded.recordings.segments()
    ][-6:]
    assert "#EXT-X-PROGRAM-DATE-TIME:" in playlist


def test_ffmpeg_plays_the_live_playlist(
    recorded: Any, coded_pictures: Callable[[Path], list[Any]]
) -> None:
    playlist = recorded.recordings.folder / "recordings/north/live.m3u8"
    playlist.write_text(playlist.read_text() + "#EXT-X-ENDLIST\n")

    assert coded_pictures(playlist) == coded_pictures(recorded.recordings.joined())


def test_nothing_is_left_open_after_a_clean_stop(recorded: Any) -> None:
    open_folder = recorded.recordings.folder / "recordings/north/.open"

    assert [path.name for path in open_folder.iterdir()] == ["lock"]
    assert recorded.recordings.causes() == ["recorder_stopped"]


def test_a_picture_format_that_changes_begins_a_new_run_without_a_frame_lost(
    record: Any,
    ts_camera: Any,
    recordings: Any,
    ffmpeg: str,
    stream_file: Path,
    other_stream_file: Path,
    tmp_path: Path,
    coded_pictures: Callable[[Path], list[Any]],
) -> None:
    both = tmp_path / "both.ts"
    head = tmp_path / "head.ts"
    subprocess.run([ffmpeg, "-v", "error", "-i", str(stream_file), "-t", "4", "-c", "copy", str(head)], check=True)  # fmt: skip
    subprocess.run([ffmpeg, "-v", "error", "-i", f"concat:{head}|{other_stream_file}", "-c", "copy", str(both)], check=True)  # fmt: skip
    running = record({"north": ts_camera(both).url})
    eventually(lambda: len(recordings.segments()) >= 4, within_s=20)
    running.stop()

    kept = coded_pictures(recordings.joined())
    assert kept == coded_pictures(both)[: len(kept)]
    assert recordings.causes() == ["format_changed", "recorder_stopped"]
