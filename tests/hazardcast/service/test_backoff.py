from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from hazardcast.service.backoff import backoff_s


@given(st.integers(0, 10_000))
def test_no_wait_is_longer_than_the_longest(failures: int) -> None:
    assert 0.5 <= backoff_s(failures) <= 30.0


@given(st.integers(0, 40))
def test_waits_double_until_the_longest(failures: int) -> None:
    ceiling_s = min(20.0, 0.5 * 2.0**failures)

    assert ceiling_s / 2 <= backoff_s(failures, first_s=0.5, most_s=20.0) <= ceiling_s


def test_those_that_failed_together_come_back_spread() -> None:
    waits = sorted(backoff_s(3) for _ in range(1000))

    assert waits[0] < 4.3, "half of the ceiling"
    assert waits[-1] > 7.7, "up to the ceiling"
    assert max(later - earlier for earlier, later in itertools.pairwise(waits)) < 0.2


def test_the_least_wait_may_be_given() -> None:
    waits = [backoff_s(9, first_s=1.5, most_s=6.0, least_s=0.2) for _ in range(1000)]

    assert 0.2 <= min(waits) < 0.6
