"""Projected cost: by hand."""

import pytest

from cefl_bench.functional.projection import of_jobs, of_run


def test_runs_after_each_other_on_several_gpus():
    projection = of_run(seconds=3600, runs=5, devices=4, price=2.5)
    assert projection == (pytest.approx(5), pytest.approx(20), pytest.approx(50))
    assert projection.in_words("GPU") == "5 h, 20 GPU-hours, 50.00 to pay"
    assert of_run(3600, 1, 1).in_words("machine") == "1 h, 1 machine-hours"


def test_jobs_share_the_places_and_none_is_split():
    assert of_jobs([1, 1, 1, 1], places=2, price=3) == (2, 4, 12)
    assert of_jobs([5, 1], places=4)[:2] == (5, 6), "no faster than the longest job"
    assert of_jobs([10] * 5, places=4)[:2] == (20, 50), "the fifth starts when the others have ended"
    assert of_jobs([3, 1, 1, 4], places=2)[0] == 6, "the last starts after 2 h; another order takes 5 h"
    assert of_jobs([], places=1)[:2] == (0, 0)
