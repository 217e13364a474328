from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.contract.geo import bearing_deg, distance_m, heading_difference_deg

lat = st.floats(-89, 89)
lon = st.floats(-180, 180)


def test_a_degree_of_latitude_is_111_km() -> None:
    assert distance_m(37.0, 127.0, 38.0, 127.0) == pytest.approx(111_195, abs=5)


def test_east_is_90_degrees() -> None:
    assert bearing_deg(0.0, 10.0, 0.0, 11.0) == pytest.approx(90.0)


@given(lat, lon, lat, lon)
def test_distance_is_the_same_both_ways_and_never_negative(
    a: float, b: float, c: float, d: float
) -> None:
    there = distance_m(a, b, c, d)

    assert there >= 0
    assert there == pytest.approx(distance_m(c, d, a, b), abs=1e-6)


@given(st.floats(0, 360), st.floats(0, 360))
def test_headings_differ_by_half_a_circle_at_most(a: float, b: float) -> None:
    assert 0 <= heading_difference_deg(a, b) <= 180
    assert heading_difference_deg(a, b) == pytest.approx(heading_difference_deg(b, a))


def test_the_short_way_round_is_taken() -> None:
    assert heading_difference_deg(350, 10) == pytest.approx(20)
