"""Ten minutes in one file."""

from __future__ import annotations

from pathlib import Path

from hazardcast.contract.vocabulary import RunCause
from hazardcast.media.archives import plan, write
from hazardcast.media.segments import Run, Segment

START_MS = 1_800_000_000_000


def segment(tmp_path: Path, at_s: float, length_s: float = 9.93) -> Segment:
    start_ms = START_MS + round(at_s * 1000)
    end_ms = start_ms + round(length_s * 1000)
    path = tmp_path / f"{start_ms}-{end_ms}.ts"
    path.write_bytes(f"[{at_s:g}]".encode())
    return Segment(start_ms, end_ms, path)


def test_a_file_ends_with_its_ten_minutes_of_utc(tmp_path: Path) -> None:
    parts = [segment(tmp_path, at * 10) for at in range(130)]

    found = plan(parts)

    assert [len(one.segments) for one in found] == [60, 60, 10]
    assert [one.name("north") for one in found][1] == "north_20270115T081000Z_600s.ts"


def test_a_gap_and_a_new_run_begin_another_file(tmp_path: Path) -> None:
    parts = [segment(tmp_path, at) for at in (0, 10, 25, 35, 45)]
    runs = [
        Run(parts[0].start, parts[1].end, RunCause.CAMERA_DOWN),
        Run(parts[4].start, None, None),
    ]

    assert [len(one.segments) for one in plan(parts, runs)] == [2, 2, 1]


def test_a_file_holds_its_segments_end_to_end_and_is_written_once(tmp_path: Path) -> None:
    (one,) = plan([segment(tmp_path, 0), segment(tmp_path, 10)])
    path = write(one, tmp_path / "out", "north")
    assert path.read_bytes() == b"[0][10]"

    path.write_bytes(b"kept")
    assert write(one, tmp_path / "out", "north").read_bytes() == b"kept"
    assert [each.name for each in (tmp_path / "out").iterdir()] == [path.name]
