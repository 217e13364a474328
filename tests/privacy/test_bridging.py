"""Between looks, before the first and after the last one, a head is covered too."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from privacy.bridging import AHEAD_S, Bridge, Placed
from privacy.regions import Found, Kind, make

FPS = 15


def head(x: float, y: float = 200.0, *, score: float = 0.8, kind: Kind = Kind.HEAD) -> Found:
    return make([(np.array([x, y, x + 40, y + 50], np.float32), score, kind)])


def looked(looks: Iterable[tuple[float, Found]], **more: bool) -> Bridge:
    bridge = Bridge(1920, 1080, **more)
    for t, found in looks:
        bridge.look(t, found)
    return bridge


def covers(placed: Placed, x: float, y: float = 200.0) -> bool:
    """Whether the head at `x` is covered whole."""
    return any(
        x1 <= x and y1 <= y and x2 >= x + 40 and y2 >= y + 50 for x1, y1, x2, y2 in placed.xyxy
    )


def test_between_two_looks_a_walking_head_is_covered_where_it_is() -> None:
    bridge = looked([(0.0, head(100)), (1 / 3, head(140)), (2 / 3, head(180))])

    assert all(covers(bridge.at(n / FPS), 100 + 120 * n / FPS) for n in range(11))


def test_behind_a_pole_for_three_looks_it_stays_covered() -> None:
    nothing = make([])
    bridge = looked(
        [(0.0, head(100)), (0.2, nothing), (0.4, nothing), (0.6, nothing), (0.8, head(196))]
    )

    assert all(covers(bridge.at(n / FPS), 100 + 120 * n / FPS) for n in range(13))


def test_it_is_covered_before_the_look_that_found_it_and_after_the_last() -> None:
    bridge = looked([(0.0, make([])), (1.0, head(300)), (1.3, head(336)), (3.0, make([]))])

    assert covers(bridge.at(0.6), 300 - 48)
    assert covers(bridge.at(1.7), 336 + 48)
    assert not len(bridge.at(0.4))
    assert not len(bridge.at(2.0))


def test_a_face_hardly_seen_counts_beside_looks_that_are_sure() -> None:
    bridge = looked([(0.0, head(100, score=0.16)), (0.3, head(110)), (0.6, head(120, score=0.16))])

    assert covers(bridge.at(0.0), 100)
    assert covers(bridge.at(0.6), 120)


def test_what_is_hardly_seen_only_is_nobody() -> None:
    bridge = looked([(n / 5, head(100, score=0.2)) for n in range(5)])

    assert not len(bridge.at(0.4))


def test_over_a_second_without_a_look_that_saw_it_it_was_gone() -> None:
    bridge = looked([(0.0, head(100)), (2.2, head(100))])

    assert len(bridge.at(0.0))
    assert not len(bridge.at(1.1))


def test_two_who_meet_keep_their_own_regions() -> None:
    def both(t: float) -> Found:
        one, other = head(100 + 60 * t), head(400 - 60 * t, 260)
        return Found(*(np.concatenate(pair) for pair in zip(
            (one.xyxy, one.scores, one.kinds), (other.xyxy, other.scores, other.kinds), strict=True
        )))  # fmt: skip

    bridge = looked([(n / 3, both(n / 3)) for n in range(12)])

    for n in range(50):
        t = n / FPS
        assert covers(bridge.at(t), 100 + 60 * t)
        assert covers(bridge.at(t), 400 - 60 * t, 260)


def test_without_bridging_pictures_between_looks_show_the_head() -> None:
    bridge = looked([(0.0, head(100)), (1 / 3, head(140))], bridged=False)

    assert covers(bridge.at(0.0), 100)
    assert not len(bridge.at(0.2))


def test_regions_end_at_the_pictures_edge() -> None:
    bridge = looked([(0.0, head(-20)), (0.3, head(1900))])

    for t in (0.0, 0.15, 0.3):
        xyxy = bridge.at(t).xyxy
        assert (xyxy >= 0).all()
        assert (xyxy[:, 2] <= 1920).all()


@given(st.lists(st.floats(0, 1500), min_size=1, max_size=12), st.integers(0, 11))
def test_what_is_known_ahead_is_all_that_a_picture_needs(places: list[float], cut: int) -> None:
    """Later looks change nothing of a picture that was waited for, and forgetting neither."""
    looks = [(n / 3, head(x)) for n, x in enumerate(places)]
    t = max(0.0, looks[min(cut, len(looks) - 1)][0] - AHEAD_S)
    some = looked([look for look in looks if look[0] <= t + AHEAD_S])
    every = looked(looks)

    before = some.at(t).xyxy
    every.forget(t)

    assert np.array_equal(before, every.at(t).xyxy)
