"""The bar that shows a recording."""

from __future__ import annotations

from hazardcast_tools.cli.timeline import FULL, MISSING, PARTLY, axis, bar, stretches_between
from hypothesis import given
from hypothesis import strategies as st


def test_a_gap_is_seen_where_it_lies() -> None:
    there = stretches_between(0.0, 100.0, [(40.0, 60.0)])

    assert bar(there, 0.0, 100.0, width=10) == FULL * 4 + MISSING * 2 + FULL * 4


def test_the_shortest_gap_leaves_a_trace() -> None:
    there = stretches_between(0.0, 100.0, [(41.0, 41.1)])

    assert bar(there, 0.0, 100.0, width=10) == FULL * 4 + PARTLY + FULL * 5


def test_a_camera_that_came_later_begins_later() -> None:
    assert bar([(50.0, 100.0)], 0.0, 100.0, width=10) == MISSING * 5 + FULL * 5


def test_the_axis_is_as_wide_as_the_bar() -> None:
    assert len(axis(1_700_000_000.0, 1_700_003_600.0)) == 60


@given(st.lists(st.floats(0, 1000, allow_nan=False), min_size=4, max_size=40, unique=True))
def test_a_full_bar_means_no_gap(edges: list[float]) -> None:
    edges.sort()
    edges = edges[: len(edges) // 2 * 2]
    gaps = list(zip(edges[1:-1:2], edges[2:-1:2], strict=True))
    drawn = bar(stretches_between(edges[0], edges[-1], gaps), edges[0], edges[-1], width=20)

    assert len(drawn) == 20
    if any(b - a > (edges[-1] - edges[0]) * 1e-4 for a, b in gaps):
        assert set(drawn) != {FULL}
