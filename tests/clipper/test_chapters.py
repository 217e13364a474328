"""Chapters, and ffmpeg's metadata format."""

from __future__ import annotations

from clipper.chapters import Chapter, ffmetadata, iso_time
from hypothesis import given
from hypothesis import strategies as st


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
