"""Archives go by the site's own time, on the two days of the year that have another length, too."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from console.archives.names import moments, named
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.media.archives import Archive
from hazardcast.media.segments import Segment

ZONES = ["UTC", "Asia/Seoul", "America/Chicago", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"]  # fmt: skip


def archive(start: float) -> Archive:
    start_ms = round(start * 1000)
    return Archive((Segment(start_ms, start_ms + 599_000, Path(f"{start_ms}.ts")),))


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("zone", "utc", "name"),
    [
        ("UTC", "2027-01-15T08:00:00", "archive_20270115_080000.mp4"),
        ("Asia/Seoul", "2027-01-15T16:10:00", "archive_20270116_011000.mp4"),
        ("Europe/Berlin", "2026-10-25T00:10:00", "archive_20261025_021000.mp4"),
        ("Europe/Berlin", "2026-10-25T01:10:00", "archive_20261025_021000_2.mp4"),
        ("Europe/Berlin", "2026-03-29T01:00:00", "archive_20260329_030000.mp4"),
        ("America/Chicago", "2026-11-01T07:00:00", "archive_20261101_010000_2.mp4"),
        ("UTC", "2028-02-29T23:50:00.700", "archive_20280229_235000.mp4"),
    ],
)
def test_an_archive_has_the_sites_time(zone: str, utc: str, name: str) -> None:
    (one,) = named([archive(at(utc))], ZoneInfo(zone))

    assert one.name == name
    assert int(at(utc)) in [int(moment) for moment in moments(name, ZoneInfo(zone))]


def test_two_that_begin_in_one_second_have_two_names() -> None:
    start = at("2027-01-15T08:00:00")

    both = named([archive(start + 0.1), archive(start + 0.9)], UTC)

    assert [one.name for one in both] == ["archive_20270115_080000.mp4", "archive_20270115_080000_2.mp4"]  # fmt: skip


@given(st.sampled_from(ZONES), st.lists(st.integers(1_700_000_000, 1_800_000_000), unique=True, max_size=30))  # fmt: skip
def test_no_two_moments_have_one_name_and_each_is_found_by_its_own(zone: str, starts: list[int]) -> None:  # fmt: skip
    found = named([archive(start) for start in sorted(starts)], ZoneInfo(zone))

    assert len({one.name for one in found}) == len(starts)
    for one in found:
        assert one.archive.start in moments(one.name, ZoneInfo(zone))


@pytest.mark.parametrize(
    "name",
    ["", "archive.mp4", "archive_20271315_080000.mp4", "archive_20270115_080000_1.mp4", "../archive_20270115_080000.mp4",
     "archive_20270115_250000.mp4", "archive_20270115_080000.mp4\n", "archive_20270229_080000.mp4",
     "archive_00010101_000000.mp4", "archive_99991231_235959.mp4", "archive_00000101_000000.mp4"],
)  # fmt: skip
def test_what_is_no_name_has_no_moment(name: str) -> None:
    for zone in ZONES:
        assert moments(name, ZoneInfo(zone)) == []
