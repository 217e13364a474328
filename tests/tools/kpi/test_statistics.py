from __future__ import annotations

import pytest
from hazardcast_tools.kpi.statistics import proven, spread, tries_to_prove
from hypothesis import given
from hypothesis import strategies as st


def test_all_of_120_ticks_prove_only_97_5_percent() -> None:
    assert proven(120, 120) == pytest.approx(0.05 ** (1 / 120))
    assert 0.975 < proven(120, 120) < 0.976


def test_299_ticks_without_a_miss_prove_99_percent_and_298_do_not() -> None:
    assert tries_to_prove(0.99) == 299
    assert proven(299, 299) >= 0.99 > proven(298, 298)


@pytest.mark.parametrize("misses", [0, 1, 2, 5])
def test_a_miss_has_to_be_paid_with_more_tries(misses: int) -> None:
    needed = tries_to_prove(0.99, misses=misses)
    assert proven(needed - misses, needed) >= 0.99 > proven(needed - 1 - misses, needed - 1)


@given(st.integers(1, 600), st.data(), st.sampled_from([0.9, 0.95, 0.99]))
def test_it_is_the_bound_of_clopper_and_pearson(
    tries: int, data: st.DataObject, confidence: float
) -> None:
    beta = pytest.importorskip("scipy.stats").beta
    successes = data.draw(st.integers(1, tries))
    expected = beta.ppf(1 - confidence, successes, tries - successes + 1)
    assert proven(successes, tries, confidence=confidence) == pytest.approx(expected, abs=1e-7)


def test_nothing_proves_nothing() -> None:
    assert proven(0, 0) == proven(0, 100) == 0.0
    with pytest.raises(ValueError, match="101 successes of 100"):
        proven(101, 100)


def test_quantiles_are_values_that_occurred() -> None:
    found = spread([n / 1000 for n in range(1, 201)])
    assert found
    assert (found.p50_s, found.p95_s, found.p99_s, found.max_s) == (0.1, 0.19, 0.198, 0.2)
    assert spread([]) is None


@given(st.lists(st.floats(0, 10), min_size=1))
def test_quantiles_grow_up_to_the_worst(values: list[float]) -> None:
    found = spread(values)
    assert found
    assert found.p50_s <= found.p95_s <= found.p99_s <= found.max_s == max(values)
