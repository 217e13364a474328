"""The live playlist: what RFC 8216 asks, and what stays through a restart."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from recorder.playlist import KEPT, Entry, Playlist, following, render


def entry(number: int, *, begins_run: bool = False, duration_s: float = 10.0) -> Entry:
    return Entry(
        f"20270115T08/{number}-{number + 9999}.ts",
        1_800_000_000.123 + number,
        duration_s,
        begins_run,
    )


def test_the_text_has_relative_names_wall_clock_and_durations() -> None:
    text = render(Playlist().with_entry(entry(1, duration_s=10.04)))

    assert text == (
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXT-X-MEDIA-SEQUENCE:0\n"
        "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
        "#EXT-X-PROGRAM-DATE-TIME:2027-01-15T08:00:01.123Z\n#EXTINF:10.040,\n20270115T08/1-10000.ts\n"
    )


def test_a_new_run_is_a_discontinuity() -> None:
    text = render(Playlist().with_entry(entry(1)).with_entry(entry(2, begins_run=True)))

    assert text.index("#EXT-X-DISCONTINUITY\n") > text.index("1-10000.ts")


def test_numbers_go_on_through_a_restart() -> None:
    before = Playlist()
    for number in range(9):
        before = before.with_entry(entry(number, begins_run=number == 5))
    after = following(render(before))

    assert after.sequence == 9
    assert after.discontinuities == 1
    assert after.entries == ()


@given(st.text(max_size=300))
def test_any_text_may_lie_where_the_playlist_was(text: str) -> None:
    assert following(text).entries == ()


@given(st.lists(st.tuples(st.booleans(), st.floats(0.1, 60)), min_size=1, max_size=30))
def test_every_segment_keeps_its_number_and_the_target_is_never_exceeded(
    runs: list[tuple[bool, float]],
) -> None:
    playlists = [Playlist()]
    for number, (begins_run, duration_s) in enumerate(runs):
        playlists.append(
            playlists[-1].with_entry(entry(number, begins_run=begins_run, duration_s=duration_s))
        )

    for before, after in pairwise(playlists):
        numbers = {item.uri: before.sequence + place for place, item in enumerate(before.entries)}
        for place, item in enumerate(after.entries):
            assert numbers.get(item.uri, after.sequence + place) == after.sequence + place
    last = playlists[-1]
    assert len(last.entries) <= KEPT
    target = int(render(last).split("TARGETDURATION:")[1].split("\n")[0])
    assert all(round(item.duration_s) <= target for item in last.entries)
