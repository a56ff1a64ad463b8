"""The simulation against what it says of itself, on many clips."""

import numpy as np
import pytest

from cefl_bench.functional.simulation import Shape, SimulatedTable

MANY = Shape("many", 60_000, 0, folds=4, balanced=False)


def test_methods_have_the_rates_that_are_said():
    table = SimulatedTable(MANY, 2, 1, 0.0, np.random.default_rng(0))
    (first,), (second,) = table.hits()
    assert first.mean() == pytest.approx(0.6, abs=0.01)
    assert table.hits_of_leader(0.05).mean() == pytest.approx(0.65, abs=0.01)
    recall = [first[table.label == number].mean() for number in range(7)]
    assert table.truth("uar") == pytest.approx([np.mean(recall)] * 2, abs=0.02)
    assert table.truth("war") == pytest.approx([0.6] * 2) and table.truth("uar")[0] < 0.58
    agree = np.mean(first == second)
    assert agree == pytest.approx(0.72, abs=0.02)


def test_trainings_come_out_as_differently_as_is_said():
    table = SimulatedTable(MANY, 30, 3, 0.05, np.random.default_rng(1))
    of_run = np.stack([values.mean(axis=-1) for values in table.outcomes(table.hits()).of_fold])
    assert of_run.shape == (4, 30, 3) and np.std(of_run) == pytest.approx(0.05, rel=0.15)
    assert abs(np.corrcoef(of_run[..., 0].ravel(), of_run[..., 1].ravel())[0, 1]) < 0.25, "each on its own"


def test_a_single_training_is_judged_by_what_it_would_reach():
    one = Shape("one", 60_000, 0, folds=1)
    table = SimulatedTable(one, 5, 1, 0.05, np.random.default_rng(2))
    assert table.truth("war") == pytest.approx(table.hits().mean(axis=(1, 2)), abs=0.01)
    assert np.ptp(table.truth("war")) > 0.03


def test_people_are_in_one_fold_each_and_what_they_share_is_not_of_clips():
    shape = Shape("people", 60_000, 60, folds=4)
    fold, subject = shape.fold(), shape.subject()
    assert {len(set(fold[subject == person])) for person in range(60)} == {1}
    assert np.ptp(np.bincount(subject)) <= 1 and shape.labels(np.random.default_rng(0))[:8].tolist()[-1] == 0
    table = SimulatedTable(shape, 2, 1, 0.0, np.random.default_rng(3))
    (first,), (second,) = table.hits()
    difference = first - second
    means = np.array([difference[subject == person].mean() for person in range(60)])
    alone = difference.std() / np.sqrt(1000)
    assert means.std() > 3 * alone, "what a method makes of a person is in all their clips"
    assert MANY.subject() is None
