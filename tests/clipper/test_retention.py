"""Which clips go, and which stay."""

from __future__ import annotations

from clipper.retention import KeptClip, to_remove
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.machine.steady import Moment

clips = st.lists(
    st.builds(
        KeptClip,
        stem=st.uuids().map(str),
        created_at=st.floats(0, 1000),
        bytes=st.integers(0, 100),
        held=st.booleans(),
    ),
    unique_by=lambda clip: clip.stem,
    max_size=15,
)


def remove(
    *kept: KeptClip, now: float = 100.0, longest_s: float = 1e9, most: float = 1e9
) -> list[str]:
    return to_remove(kept, now=Moment(now, now), longest_s=longest_s, most_bytes=most)


def test_old_clips_go_and_held_ones_stay() -> None:
    kept = (KeptClip("old", 10, 1), KeptClip("held", 5, 1, held=True), KeptClip("new", 95, 1))

    assert remove(*kept, longest_s=50) == ["old"]


def test_no_clip_goes_for_its_age_because_the_clock_was_set() -> None:
    """Forward: old ones by the time before, new ones by the time since; back: by the later word."""
    before, since = KeptClip("before", 90, 1), KeptClip("since", 7195, 1)
    forward, back = Moment(7200, 100), Moment(100, 7300)

    assert to_remove([before, since], now=forward, longest_s=50, most_bytes=1e9) == []
    assert to_remove([before], now=Moment(7300, 200), longest_s=50, most_bytes=1e9) == ["before"]
    assert to_remove([KeptClip("x", 7290, 1), before], now=back, longest_s=50, most_bytes=1e9) == []


def test_the_oldest_go_until_the_rest_fits() -> None:
    kept = [KeptClip(name, at, 10) for at, name in enumerate("abcd")]

    assert remove(*kept, most=25) == ["a", "b"]


def test_the_newest_stays_even_if_it_alone_is_too_large() -> None:
    assert remove(KeptClip("a", 1, 500), most=10) == []


def test_no_more_than_so_many_are_kept_the_newest_among_them() -> None:
    kept = [KeptClip(name, at, 1, held=name == "a") for at, name in enumerate("abcd")]

    assert to_remove(kept, now=Moment(9.0, 9.0), longest_s=1e9, most_bytes=1e9, most_clips=2) == [
        "b",
        "c",
    ]


@given(clips, st.floats(0, 500), st.integers(0, 500))
def test_after_removal_all_limits_hold_but_for_held_clips_and_the_newest(
    kept: list[KeptClip], longest_s: float, most: int
) -> None:
    removed = set(to_remove(kept, now=Moment(1000.0, 1000.0), longest_s=longest_s, most_bytes=most))
    left = [clip for clip in kept if clip.stem not in removed]

    assert not any(clip.held for clip in kept if clip.stem in removed)
    assert all(clip.held or 1000.0 - clip.created_at <= longest_s for clip in left)
    free = [clip for clip in left if not clip.held]
    held_bytes = sum(clip.bytes for clip in left if clip.held)
    assert len(free) <= 1 or held_bytes + sum(c.bytes for c in free) <= most
