"""Chapters, and ffmpeg's metadata format."""

from __future__ import annotations

from clipper.chapters import MOST_CHAPTERS, Chapter, chapters, ffmetadata, iso_time
from clipper.plan import Piece, Plan, PlannedFrame
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.contract.messages import Gap
from hazardcast.media.coverage import Stretch

T = 1_800_000_000.0


def plan_of(segments: int, gap_s: float = 0.0) -> Plan:
    """Ten-second pieces, with a gap after the first half."""
    half = segments // 2
    starts = [at * 10.0 + (gap_s if at >= half else 0.0) for at in range(segments)]
    pieces = tuple(
        Piece(None, 0, 0, 0, 0, 100, 100, at, T + at, "h264", "a")  # type: ignore[arg-type]
        for at in starts
    )
    end = starts[-1] + 10
    stretches = (Stretch(T, T + half * 10), Stretch(T + starts[half], T + end))
    return Plan(pieces, stretches, (0.0, starts[half]), end, PlannedFrame(T, 0.0), 0.1)


def test_every_segment_and_every_gap_gets_a_chapter() -> None:
    gap = Gap(start=T + 20, end=T + 50, cause="stalled")
    made = chapters(plan_of(4, gap_s=30), [gap])

    assert [(one.start_s, one.end_s) for one in made] == [
        (0, 10), (10, 20), (20, 50), (50, 60), (60, 70),
    ]  # fmt: skip
    assert made[0].title == "2027-01-15T08:00:00.000Z"
    assert made[2].title == "2027-01-15T08:00:20.000Z no video: stalled"


def test_a_gap_at_an_end_of_the_window_is_not_in_the_clip() -> None:
    late = Gap(start=T + 40, end=T + 90, cause="stalled")

    assert len(chapters(plan_of(4), [late])) == 4


def test_more_segments_than_players_show_become_one_chapter_a_stretch() -> None:
    assert len(chapters(plan_of(MOST_CHAPTERS + 2, gap_s=5), [])) == 2


def test_times_are_iso_8601_in_utc_to_the_millisecond() -> None:
    assert iso_time(1_800_000_000.1234) == "2027-01-15T08:00:00.123Z"


def test_a_title_may_hold_what_the_format_uses_itself() -> None:
    text = ffmetadata({"title": "a=b;c#d\\e"}, [Chapter(0.0, 1.5, "x=1")])

    assert "title=a\\=b\\;c\\#d\\\\e" in text
    assert "START=0\nEND=1500\ntitle=x\\=1" in text


@given(st.text(max_size=40))
def test_no_value_can_begin_a_section_of_its_own(value: str) -> None:
    lines = ffmetadata({"title": value}, []).split("\n")
    unescaped = [
        line for at, line in enumerate(lines) if at == 0 or not lines[at - 1].endswith("\\")
    ]

    assert "[CHAPTER]" not in unescaped
