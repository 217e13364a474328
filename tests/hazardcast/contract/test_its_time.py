from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.contract.its_time import epoch_s, its_ms


@pytest.mark.parametrize(
    ("unix_s", "expected_ms"),
    [
        (1_072_915_200.0, 0),
        (1_167_609_600.0, 94_694_401_000),  # the example of TS 102 894-2
        (1_483_228_799.999, 410_313_603_999),  # before the last leap second, four have passed
        (1_483_228_800.0, 410_313_605_000),  # after it, five
        (1_737_930_000.123, 665_014_805_123),
    ],
)
def test_its_time_counts_leap_seconds_and_is_right_to_the_millisecond(
    unix_s: float, expected_ms: int
) -> None:
    assert its_ms(unix_s) == expected_ms


def test_before_its_epoch_there_is_no_its_time() -> None:
    with pytest.raises(ValueError, match="2004"):
        its_ms(1_000_000_000.0)


@given(st.integers(1_072_915_200_000, 4_102_444_800_000))
def test_there_and_back_is_the_same_moment(unix_ms: int) -> None:
    assert round(epoch_s(its_ms(unix_ms / 1000)) * 1000) == unix_ms


@given(st.integers(1_072_915_200_000, 4_102_444_800_000), st.integers(0, 10_000_000))
def test_later_is_never_earlier(unix_ms: int, later_ms: int) -> None:
    assert its_ms((unix_ms + later_ms) / 1000) >= its_ms(unix_ms / 1000)
