from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hazardcast.vision.geometry import quantiles

NUMBERS = st.floats(-1e6, 1e6)


@given(arrays(np.float64, st.integers(1, 40), elements=NUMBERS), st.floats(0, 1))
def test_a_quantile_is_numpys(values, share) -> None:
    np.testing.assert_allclose(
        quantiles.quantile(values, share), np.quantile(values, share), atol=1e-6
    )


@given(arrays(np.float64, st.tuples(st.integers(1, 40), st.just(2)), elements=NUMBERS))
def test_medians_are_numpys(values) -> None:
    np.testing.assert_allclose(quantiles.medians(values), np.median(values, axis=0), atol=1e-6)
    np.testing.assert_allclose(quantiles.median(values[:, 0]), np.median(values[:, 0]), atol=1e-6)
