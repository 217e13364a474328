"""What must go, and what never may."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from recorder.retention import Limits, Stored, oldest_of_all, surplus

from hazardcast.machine.steady import Moment
from hazardcast.media.segments import Segment

NOW = 1_800_000_000.0
EVERYTHING = Limits(max_age_s=1e12, max_bytes=1e18)


def stored(age_s: float, size: int = 100, length_s: float = 10.0) -> Stored:
    start_ms = int((NOW - age_s) * 1000)
    return Stored(Segment(start_ms, start_ms + int(length_s * 1000), Path(f"{start_ms}.ts")), size)


def row(*ages_s: float) -> list[Stored]:
    return [stored(age) for age in sorted(ages_s, reverse=True)]


def test_nothing_goes_while_all_is_within_the_limits() -> None:
    assert surplus(row(30, 20, 10), EVERYTHING, now=Moment(NOW, NOW)) == []
    assert surplus([], EVERYTHING, now=Moment(NOW, NOW)) == []


def test_what_is_too_old_goes() -> None:
    items = row(100, 50, 20)

    assert surplus(items, Limits(60, 1e9), now=Moment(NOW, NOW)) == items[:1]


def test_a_segment_goes_only_once_its_last_frame_is_too_old() -> None:
    items = [stored(65, length_s=10), stored(5)]

    assert surplus(items, Limits(60, 1e9), now=Moment(NOW, NOW)) == []


def test_what_is_too_much_goes_oldest_first() -> None:
    items = row(40, 30, 20, 10)

    assert surplus(items, Limits(1e9, 250), now=Moment(NOW, NOW)) == items[:2]


def test_the_newest_stays_even_when_it_alone_is_too_old_and_too_much() -> None:
    items = row(5000)

    assert surplus(items, Limits(60, 1), now=Moment(NOW, NOW)) == []


def test_a_segment_dated_in_the_future_goes_before_anything_true() -> None:
    true, future = row(40, 30), stored(-40_000)

    assert surplus([*true, future], Limits(1e9, 250), now=Moment(NOW, NOW)) == [future]


def test_a_segment_dated_in_the_future_holds_up_nothing_that_is_too_old() -> None:
    old, true, future = row(200, 100), row(40, 30), stored(-40_000)

    assert surplus([*old, *true, future], Limits(60, 1e9), now=Moment(NOW, NOW)) == old


def test_space_is_freed_oldest_first_across_cameras_and_each_keeps_its_newest() -> None:
    north, south = row(50, 30, 10), row(40, 20)

    order = list(oldest_of_all({"north": north, "south": south}, now=Moment(NOW, NOW)))

    assert order == [("north", north[0]), ("south", south[0]), ("north", north[1])]


ages = st.lists(st.integers(0, 100_000), max_size=40, unique=True)
sizes = st.integers(0, 10_000)


@given(ages, st.floats(1, 100_000), st.integers(0, 100_000), st.data())
def test_the_limits_hold_afterwards_and_nothing_goes_without_need(
    chosen: list[float], max_age_s: float, max_bytes: int, data: st.DataObject
) -> None:
    items = [stored(age, data.draw(sizes)) for age in sorted(chosen, reverse=True)]
    gone = surplus(items, Limits(max_age_s, max_bytes), now=Moment(NOW, NOW))
    left = [item for item in items if item not in gone]

    assert not items or left
    if len(left) > 1:
        assert sum(item.size for item in left) <= max_bytes
        assert all(item.segment.end >= NOW - max_age_s for item in left[:1])
    if gone:
        last, before = gone[-1], sum(item.size for item in [gone[-1], *left])
        assert last.segment.end < NOW - max_age_s or before > max_bytes
    assert gone == items[: len(gone)]


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), ages))
def test_freeing_space_never_offers_a_newest_and_goes_by_age(
    cameras: dict[str, list[float]],
) -> None:
    kept = {name: row(*chosen) for name, chosen in cameras.items()}
    order = list(oldest_of_all(kept, now=Moment(NOW, NOW)))

    assert len(order) == sum(max(0, len(items) - 1) for items in kept.values())
    assert not set(order) & {(name, items[-1]) for name, items in kept.items() if items}
    assert order == sorted(order, key=lambda pair: pair[1].segment.start)


def test_recordings_of_before_a_clock_was_set_live_as_long_as_they_would_have() -> None:
    items = row(50, 40, 10)

    assert surplus(items, Limits(60, 1e9), now=Moment(NOW + 7200, NOW)) == []
    assert surplus(items, Limits(60, 1e9), now=Moment(NOW - 7200, NOW)) == []
    assert surplus(items, Limits(60, 1e9), now=Moment(NOW + 7225, NOW + 25)) == items[:1]


def test_what_was_recorded_before_the_clock_was_set_back_is_no_ghost_of_the_future() -> None:
    items = row(30, 20, 10)

    assert surplus(items, Limits(1e9, 250), now=Moment(NOW - 7200, NOW)) == items[:1]
