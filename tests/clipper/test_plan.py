"""Which frames a window gets, and where they stand in the clip."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from clipper import chain, coverage, plan
from clipper.chain import Source
from clipper.scanning import Frame, Scan
from hypothesis import assume, given
from hypothesis import strategies as st

from hazardcast.contract.messages import Window
from hazardcast.media.mpegts import CLOCK_HZ, WRAP
from hazardcast.media.segments import Segment

T_MS = 1_800_000_000_000
FRAME_BYTES = 188
SEGMENT_TICKS = 72_000
PATTERNS = {"no reordering": (0, 1, 2, 3, 4), "B-frames": (0, 3, 1, 2, 4)}


def source(
    start_ms: int,
    frames: int,
    *,
    stream_ticks: int = 0,
    step_ms: int = 40,
    gop: int = 5,
    order: tuple[int, ...] = PATTERNS["no reordering"],
    format_: str = "a",
) -> Source:
    """A segment of whole GOPs, each of `gop` frames decoded in `order`."""
    found = []
    for index in range(frames):
        shown = index // gop * gop + order[index % gop] if gop == len(order) else index
        pts = (stream_ticks + shown * step_ms * 90) % WRAP
        found.append(Frame(pts, pts, index % gop == 0, 564 + index * FRAME_BYTES))
    scan = Scan(tuple(found), 564 + frames * FRAME_BYTES, "h264", format_, b"")
    end_ms = T_MS + start_ms + (frames - 1) * step_ms
    path = Path(f"{T_MS + start_ms}-{end_ms}.ts")
    return Source(Segment(T_MS + start_ms, end_ms, path), scan)


def segments(
    count: int, *, start_ms: int = 0, stream_ticks: int = 0, **more: object
) -> list[Source]:
    """`count` contiguous segments of 20 frames, 800 ms each."""
    return [
        source(start_ms + i * 800, 20, stream_ticks=stream_ticks + i * SEGMENT_TICKS, **more)  # type: ignore[arg-type]
        for i in range(count)
    ]


def window(start_ms: float, end_ms: float) -> Window:
    return Window(start=(T_MS + start_ms) / 1000, end=(T_MS + end_ms) / 1000)


def walls_ms(made: plan.Plan) -> list[int]:
    """Wall clock of the frames in the plan's bytes, from T."""
    return sorted(
        round(piece.source.wall(frame) * 1000) - T_MS
        for piece in made.pieces
        for frame in piece.source.scan.frames
        if max(piece.start_byte, 1) <= frame.offset < piece.end_byte
    )


@pytest.mark.parametrize("order", PATTERNS.values(), ids=PATTERNS.keys())
@given(
    start_ms=st.integers(-500, 8500),
    length_ms=st.integers(0, 4000),
    stream_ticks=st.sampled_from([0, 12_345, WRAP - 100_000]),
    lost=st.sets(st.integers(0, 9)),
)
def test_the_plan_is_what_the_window_needs_and_little_more(
    order: tuple[int, ...], start_ms: int, length_ms: int, stream_ticks: int, lost: set[int]
) -> None:
    film = segments(10, order=order, stream_ticks=stream_ticks)
    there = [one for at, one in enumerate(film) if at not in lost]
    wanted = window(start_ms, start_ms + length_ms)
    all_ms = [round(s.wall(f) * 1000) - T_MS for s in there for f in s.scan.frames]
    inside = [ms for ms in all_ms if start_ms <= ms <= start_ms + length_ms]
    try:
        made = plan.make(wanted, wanted.start, there)
    except plan.NothingToShowError:
        assert not inside
        return

    taken = walls_ms(made)
    assert len(taken) == len(set(taken)) == made.frames
    assert set(inside) <= set(taken)
    group_ms, reorder_ms = 5 * 40, 3 * 40
    assert taken[0] > start_ms - group_ms - 40
    assert taken[-1] <= start_ms + length_ms + reorder_ms + 40
    between = [ms for ms in all_ms if taken[0] <= ms <= taken[-1]]
    assert sorted(between) == taken
    found = coverage.cover(wanted, made.stretches, tolerance=0.12)
    missing_s = sum(gap.end - gap.start for gap in found.gaps)
    assert missing_s + found.covered_s == pytest.approx(length_ms / 1000, abs=0.001)


@given(
    gaps_ms=st.lists(st.integers(0, 50_000), min_size=1, max_size=4),
    stamps=st.lists(st.integers(0, WRAP - 1), min_size=5, max_size=5),
)
def test_media_time_runs_with_the_wall_clock_across_gaps(
    gaps_ms: list[int], stamps: list[int]
) -> None:
    film, at_ms = segments(2, stream_ticks=stamps[0]), 0
    for gap_ms, stamp in zip(gaps_ms, stamps[1:], strict=False):
        at_ms += 1600 + gap_ms
        film += segments(2, start_ms=at_ms, stream_ticks=stamp)
    assume(len(chain.chains(film)) == len(gaps_ms) + 1)  # stamps may continue by chance
    made = plan.make(window(0, at_ms + 1600), T_MS / 1000, film)

    assert made.frames == 40 * (len(gaps_ms) + 1)
    for piece in made.pieces:
        assert piece.media_s == pytest.approx(piece.wall - made.first_wall, abs=0.0011)
        stamp = (piece.source.scan.frames[0].pts + piece.shift_ticks) % WRAP
        expected = plan.ORIGIN_TICKS + round(piece.media_s * CLOCK_HZ)
        assert abs(stamp - expected) <= 1


def test_stamps_that_continue_over_a_wall_clock_gap_do_not_hide_it() -> None:
    film = [*segments(2), *segments(2, start_ms=20_000, stream_ticks=2 * SEGMENT_TICKS)]
    made = plan.make(window(0, 21_600), T_MS / 1000, film)

    assert len(made.stretches) == 2
    assert made.duration_s == pytest.approx(21.6, abs=0.001)


def test_after_a_clock_set_back_both_runs_are_kept_one_after_the_other() -> None:
    film = [*segments(3), *segments(3, start_ms=1200, stream_ticks=5_000_000)]
    made = plan.make(window(0, 3600), T_MS / 1000, film)

    assert made.frames == 120
    media = [piece.media_s for piece in made.pieces]
    assert media == sorted(media)
    assert len(set(media)) == 6


def test_frames_that_lean_on_what_is_not_there_are_left_out() -> None:
    """An open group: B-frames after the key frame that are shown before it."""
    film = [source(0, 10), source(400, 10, stream_ticks=36_000)]
    frames = list(film[1].scan.frames)
    key, leading = frames[0], frames[1]._replace(pts=frames[0].pts - 1800)
    scan = Scan((key, leading, *frames[2:]), film[1].scan.size, "h264", "a", b"")
    opened = Source(film[1].segment, scan)

    alone = plan.make(window(0, 800), T_MS / 1000, [opened])
    assert alone.frames == 9
    assert [piece.frames for piece in alone.pieces] == [1, 8]
    together = plan.make(window(0, 800), T_MS / 1000, [film[0], opened])
    assert together.frames == 10 + 10


def test_formats_divide_chains_and_pieces() -> None:
    film = [*segments(2), *segments(2, start_ms=1600, stream_ticks=2 * SEGMENT_TICKS, format_="b")]
    made = plan.make(window(0, 3200), T_MS / 1000, film)

    assert made.formats == 2
    assert [len(group) for group in plan.groups(made)] == [2, 2]


def test_frames_missing_inside_a_segment_divide_stretches() -> None:
    whole = source(0, 100, gop=5)
    kept = whole.scan.frames[:40] + whole.scan.frames[75:]
    film = [Source(whole.segment, Scan(kept, whole.scan.size, "h264", "a", b""))]
    made = plan.make(window(0, 4000), T_MS / 1000, film)

    assert [round(s.start * 1000 - T_MS) for s in made.stretches] == [0, 3000]


def test_one_chain_for_a_whole_run() -> None:
    assert [len(one) for one in chain.chains(segments(6))] == [6]


def test_a_segments_name_is_the_time_of_the_frame_shown_first() -> None:
    whole = source(0, 20)
    frames = list(whole.scan.frames)
    frames[0], frames[1] = (
        frames[0]._replace(pts=frames[1].pts),
        frames[1]._replace(pts=frames[0].pts),
    )
    scan = Scan(tuple(frames), whole.scan.size, "h264", "a", b"")
    swapped = Source(whole.segment, scan)

    assert swapped.wall(frames[1]) == T_MS / 1000
    assert swapped.wall(frames[0]) == T_MS / 1000 + 0.04


@pytest.mark.parametrize("leap_s", [3600, -3600, 10])
def test_frames_that_a_segments_name_cannot_mean_are_left_out(leap_s: int) -> None:
    film = source(0, 20)
    frames = film.scan.frames
    leapt = tuple(
        frame._replace(pts=(frame.pts + leap_s * CLOCK_HZ) % WRAP) for frame in frames[12:]
    )
    wild = Source(film.segment, replace(film.scan, frames=frames[:12] + leapt))

    assert chain.as_named(film) == film
    assert chain.as_named(wild).scan.frames == frames[:12]
    assert chain.as_named(wild).scan.size == frames[12].offset


def wild(leap_s: int, *, named: tuple[int, int]) -> Source:
    """20 frames of 40 ms of which the last eight leap, in a file named `named` (ms after T)."""
    film = source(0, 20)
    leapt = tuple(
        frame._replace(pts=(frame.pts + leap_s * CLOCK_HZ) % WRAP)
        for frame in film.scan.frames[12:]
    )
    scan = replace(film.scan, frames=film.scan.frames[:12] + leapt)
    first_ms, last_ms = named
    return Source(Segment(T_MS + first_ms, T_MS + last_ms, film.segment.path), scan)


@pytest.mark.parametrize(
    ("leap_s", "named"),
    [(7200, (0, 7_200_760)), (60, (0, 60_760)), (-300, (-299_520, 440))],
)
def test_a_name_that_an_earlier_recorder_made_from_wild_frames_makes_no_long_clip(
    leap_s: int, named: tuple[int, int]
) -> None:
    after = source(20_000, 20, stream_ticks=5_000_000)
    kept = chain.as_named(wild(leap_s, named=named))

    made = plan.make(window(-40_000, 30_000), T_MS / 1000, [kept, after])

    assert kept.segment.start_ms == T_MS
    assert made.duration_s == pytest.approx(20.8)
    assert walls_ms(made) == [*range(0, 480, 40), *range(20_000, 20_800, 40)]


def test_a_segment_that_does_not_tell_how_its_pictures_are_made_goes_with_the_one_before() -> None:
    first, second, third = segments(3)
    bare = [
        Source(one.segment, replace(one.scan, format="b", is_whole=False))
        for one in (second, third)
    ]

    assert len(chain.chains(chain.told_before([first, *bare]))) == 1
    assert len(chain.chains(chain.told_before([*bare]))) == 1
    assert len(chain.chains([first, *bare])) == 2


def at_pace(pace: float, one: Source) -> Source:
    """The segment with its stamps counted by a clock that runs at `pace`."""
    frames = tuple(frame._replace(pts=round(frame.pts * pace)) for frame in one.scan.frames)
    return Source(one.segment, replace(one.scan, frames=frames))


@pytest.mark.parametrize("percent", [2, -2])
def test_stretches_date_every_frame_of_a_camera_whose_clock_runs_wrong(percent: int) -> None:
    step_ms = 8000
    film = [
        at_pace(1 + percent / 100, source(n * step_ms, 200, stream_ticks=n * step_ms * 90))
        for n in range(10)
    ]
    made = plan.make(window(0, 90_000), T_MS / 1000, film)
    pairs = list(zip(made.stretches, made.media, strict=True))

    assert len(chain.chains(film)) == 1
    assert made.frames == 2000
    assert 3 <= len(pairs) <= 10
    for piece in made.pieces:
        told, media_s = max((pair for pair in pairs if pair[1] <= piece.media_s + 1e-6), key=lambda pair: pair[1])  # fmt: skip
        assert piece.wall == pytest.approx(told.start + piece.media_s - media_s, abs=0.26)
    for (before, _), (after, _) in pairwise(pairs):
        assert after.start - before.end < 0.01
