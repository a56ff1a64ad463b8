"""Held against SciPy's functions of the same names."""

import numpy as np
import pytest
from scipy import special

from cefl_bench.functional import softmax as ours

SCORES = np.array([[1.0, 2.5, -3.0], [1000.0, 999.0, -1000.0], [-np.inf, 0.0, 2.0], [4.0, 4.0, 4.0]])


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_probabilities_are_scipys(name, dtype):
    scores = SCORES.astype(dtype)
    got, wanted = getattr(ours, name)(scores, axis=1), getattr(special, name)(scores, axis=1)
    assert got.dtype == dtype
    np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=0)
    np.testing.assert_array_equal(getattr(ours, name)(scores[0]), getattr(ours, name)(scores, axis=1)[0])
