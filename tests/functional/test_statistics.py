"""Means, corrections for many tests and ranks, by hand and against SciPy."""

import numpy as np
import pytest
from scipy import stats

from cefl_bench.functional.statistics import holm, holm_of_known, mean_and_std, tied_ranks


def test_mean_and_deviation():
    values = [0.5, 0.6, 0.8]
    assert mean_and_std(values) == (pytest.approx(np.mean(values)), pytest.approx(stats.tstd(values)))
    assert mean_and_std([0.4]) == (0.4, None)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1, 1] and holm([]) == [] and holm([0.02]) == [0.02]


def test_what_was_not_tested_costs_the_others_nothing():
    assert holm_of_known([None, 0.01, None, 0.04]) == [None, 0.02, None, 0.04] and holm_of_known([None]) == [None]


def test_ranks_are_ranges_where_nothing_can_be_told_apart():
    better = np.zeros((4, 4), dtype=bool)
    assert tied_ranks(better, [True] * 4) == [(1, 4)] * 4
    better[0, 2:] = better[1, 3] = True
    assert tied_ranks(better, [True] * 4) == [(1, 2), (1, 3), (2, 4), (3, 4)]
    assert tied_ranks(np.triu(np.ones((3, 3), dtype=bool), 1), [True] * 3) == [(1, 1), (2, 2), (3, 3)]


def test_a_method_that_is_not_ranked_counts_in_no_rank():
    better = np.triu(np.ones((4, 4), dtype=bool), 1)
    assert tied_ranks(better, [True, False, True, True]) == [(1, 1), None, (2, 2), (3, 3)]
    assert tied_ranks(better, [False, True, False, False]) == [None, (1, 1), None, None]
