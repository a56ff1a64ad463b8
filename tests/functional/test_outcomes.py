"""Variances and intervals, against SciPy, scikit-learn and formulas of their sources."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from cefl_bench.functional.outcomes import (
    Outcomes,
    clustered_variance,
    difference_interval,
    group_weights,
    margin,
    rate_interval,
    rerun_variance,
)
from cefl_bench.functional.paired_tests import subjects_p


def outcomes(*folds, label=None, subject=None) -> Outcomes:
    """Folds of values (R, n), all of one class unless `label` tells."""
    count = sum(np.shape(values)[1] for values in folds)
    label = np.zeros(count, dtype=int) if label is None else np.asarray(label)
    return Outcomes([np.asarray(values) for values in folds], label, np.arange(count), subject)


@pytest.fixture
def clips():
    """210 clips of 7 classes, of which one never occurs, and of 21 people with 10 clips each."""
    rng = np.random.default_rng(0)
    label = rng.integers(6, size=210)
    subject = np.repeat(np.arange(21), 10)
    pred = np.where(rng.random(210) < 0.1 + 0.8 * rng.random(21)[subject], label, (label + 1) % 6)
    return label, pred, subject


def test_war_and_uar_are_those_of_scikit_learn(clips):
    label, pred, _ = clips
    found = outcomes([pred == label], label=label)
    assert found.value("war") == pytest.approx(accuracy_score(label, pred))
    assert found.value("uar") == pytest.approx(balanced_accuracy_score(label, pred))
    assert group_weights(np.array([0, 0, 2])).tolist() == [0.25, 0.25, 0.5], "a class without clips has no weight"


def test_a_difference_of_single_clips_is_a_paired_t_test(clips):
    label, pred, _ = clips
    values = (pred == label).astype(int) - (np.random.default_rng(1).random(210) < 0.5)
    theirs = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert difference_interval(outcomes([values]), "war") == pytest.approx((theirs.low, theirs.high))


def test_people_with_as_many_clips_each_are_a_t_test_of_their_means(clips):
    """The variance with G / (G - 1), and a t quantile of G - 1."""
    label, pred, subject = clips
    values = (pred == label).astype(float)
    theirs = stats.ttest_1samp(values.reshape(21, 10).mean(axis=1), 0).confidence_interval(0.95)
    assert difference_interval(outcomes([values], subject=subject), "war") == pytest.approx((theirs.low, theirs.high))
    alone = difference_interval(outcomes([values]), "war")
    assert theirs.high - theirs.low > 1.2 * (alone[1] - alone[0]), "people differ, so their clips count for less"


def test_unequal_people_by_hand():
    """Three people with 4, 2 and 2 clips: residuals of 0.25, and shares of 1/2, 1/4, 1/4."""
    values, subject = np.array([1, 1, 1, 0, 1, 0, 1, 1]), np.array([0, 0, 0, 0, 1, 1, 2, 2])
    found = clustered_variance(values, np.zeros(8, dtype=int), subject)
    sums = [3 - 4 * 0.75, 1 - 2 * 0.75, 2 - 2 * 0.75]
    assert found.value == pytest.approx(3 / 2 * np.sum(np.square(sums)) / 8**2)
    assert found.df == pytest.approx(1 / (1 / 4 + 1 / 16 + 1 / 16) - 1)
    assert clustered_variance(values, np.zeros(8, dtype=int), np.zeros(8, dtype=int)) is None


def test_the_variance_of_uar_is_that_of_independent_recalls(clips):
    label, pred, _ = clips
    hits = (pred == label).astype(float)
    of_class = [hits[label == number] for number in range(6)]
    by_hand = sum(values.var(ddof=1) / len(values) for values in of_class) / 6**2
    found = clustered_variance(hits, label, np.arange(210))
    assert found.value == pytest.approx(by_hand)


def test_a_uar_of_few_clips_a_class_is_as_uncertain_as_it_is():
    """Seven classes of two clips each: the interval holds the true UAR nearly as often as it says."""
    rng = np.random.default_rng(6)
    label = np.repeat(np.arange(7), 2)
    ends = [rate_interval(outcomes([rng.random(14) < 0.6], label=label), "uar") for _ in range(400)]
    assert np.mean([low <= 0.6 <= high for low, high in ends]) > 0.92
    once = outcomes([[1, 0, 1]], label=[0, 1, 1])
    assert rate_interval(once, "uar") is None and rate_interval(once, "war") is not None, "a class of one clip"


def test_the_uncertainty_of_training_again_by_hand():
    """Two folds of two runs: one has all 4 clips right and the other none."""
    fold = np.repeat([[1.0], [0.0]], 4, axis=1)
    found = rerun_variance(outcomes(fold, fold), np.zeros(8, dtype=int))
    of_fold = 0.5 * 0.5**2 - 4 * 0.5 * 0.125**2  # the variance of its sum, less that of single clips
    assert found.value == pytest.approx(2 * of_fold / 2) and found.df == 2
    alone = rerun_variance(outcomes(np.eye(2), np.eye(2)), np.zeros(4, dtype=int))
    assert alone.value == 0, "runs that differ clip by clip and not as a whole"


def test_what_whole_runs_have_in_common_widens_an_interval():
    rng = np.random.default_rng(0)
    together, alone = [], []
    for _ in range(40):
        folds = [rng.standard_normal((3, 500)) for _ in range(5)]
        alone.append(rerun_variance(outcomes(*folds), np.zeros(2500, dtype=int)).value)
        moved = [values + rng.normal(0, 0.3, (3, 1)) for values in folds]
        together.append(rerun_variance(outcomes(*moved), np.zeros(2500, dtype=int)).value)
    assert np.mean(together) == pytest.approx(0.3**2 / (5 * 3), rel=0.2)
    assert np.mean(alone) < 0.1 * np.mean(together), "chance on single clips is of the clips"


def test_half_widths_add_in_squares():
    rng = np.random.default_rng(1)
    found = outcomes(*[rng.standard_normal((2, 50)) + rng.normal(0, 1, (2, 1)) for _ in range(3)])
    of_clips = stats.ttest_1samp(found.mean, 0).confidence_interval(0.95)
    again = rerun_variance(found, np.zeros(150, dtype=int))
    expected = ((of_clips.high - of_clips.low) / 2) ** 2 + stats.t.ppf(0.975, 3) ** 2 * again.value
    assert again.value > 0 and margin(found, "war").half_squared == pytest.approx(expected)


def test_one_training_a_fold_counts_by_the_spread_over_folds_where_that_is_larger():
    rng = np.random.default_rng(2)
    noise = rng.standard_normal((5, 40))
    means = np.array([0.0, 1.0, -1.0, 0.5, -0.5])
    apart = outcomes(*[[values - values.mean() + mean] for values, mean in zip(noise, means, strict=True)])
    theirs = stats.ttest_1samp(means, 0).confidence_interval(0.95)
    assert difference_interval(apart, "war") == pytest.approx((theirs.low, theirs.high))
    alike = outcomes(*[[values - values.mean()] for values in noise])
    theirs = stats.ttest_1samp(alike.mean, 0).confidence_interval(0.95)
    assert difference_interval(alike, "war") == pytest.approx((theirs.low, theirs.high)), (
        "folds vary less than clips do"
    )


@pytest.mark.parametrize("right", [0, 1, 150, 299, 300])
def test_a_rate_of_many_single_clips_has_wilsons_interval(right):
    hits = np.arange(300) < right
    theirs = stats.binomtest(right, 300).proportion_ci(0.95, method="wilson")
    assert rate_interval(outcomes([hits]), "war") == pytest.approx((theirs.low, theirs.high), abs=0.002)


@pytest.mark.parametrize("hits", [[1, 1, 1, 1], [0, 0, 0, 0], [1, 0, 1, 1], [1, 0]])
def test_an_interval_of_a_rate_is_within_0_and_1_and_never_empty(hits):
    low, high = rate_interval(outcomes([hits]), "uar")
    assert 0 <= low <= np.mean(hits) <= high <= 1 and high - low > 0.3


@pytest.mark.parametrize(("people", "of_each", "right"), [(2, 6, 3), (4, 60, 30), (3, 10, 9)])
def test_people_who_happen_to_be_alike_tell_no_more_than_their_clips(people, of_each, right):
    hits = np.tile(np.arange(of_each) < right, people)
    subject = np.repeat(np.arange(people), of_each)
    low, high = rate_interval(outcomes([hits], subject=subject), "war")
    theirs = stats.binomtest(int(hits.sum()), len(hits)).proportion_ci(0.95, method="wilson")
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.04) and high - low >= theirs.high - theirs.low
    ends = difference_interval(outcomes([hits.astype(int)], subject=subject), "war")
    t_test = stats.ttest_1samp(hits, 0).confidence_interval(0.95)
    assert ends == pytest.approx((t_test.low, t_test.high))
    assert subjects_p(outcomes([hits.astype(int)], subject=subject)) == pytest.approx(stats.ttest_1samp(hits, 0).pvalue)


def test_a_uar_of_a_class_always_right_and_one_never_is_not_certain():
    label = np.repeat([0, 1], 5)
    low, high = rate_interval(outcomes([label == 0], label=label), "uar")
    theirs = stats.binomtest(5, 10).proportion_ci(0.95, method="wilson")
    assert low <= theirs.low and high >= theirs.high


def test_nothing_can_be_told_of_one_clip_or_one_person():
    assert rate_interval(outcomes([[1]]), "war") is None and difference_interval(outcomes([[1]]), "uar") is None
    assert rate_interval(outcomes([[1, 0, 1]], subject=np.zeros(3, dtype=int)), "war") is None


@pytest.mark.parametrize("runs", [1, 3])
@pytest.mark.parametrize("interval", [rate_interval, difference_interval])
@pytest.mark.parametrize("metric", ["war", "uar"])
def test_many_methods_at_once_have_the_intervals_of_each_alone(clips, runs, interval, metric):
    label, _, subject = clips
    rng = np.random.default_rng(3)
    hits = (rng.random((4, runs, 210)) < np.array([0.0, 0.4, 0.6, 1.0])[:, None, None]).astype(int)
    together = interval(of_two_folds(hits, label, subject), metric)
    for place in range(4):
        alone = interval(of_two_folds(hits[place], label, subject), metric)
        assert (together.low[place], together.high[place]) == pytest.approx(tuple(alone))


def of_two_folds(values, label, subject) -> Outcomes:
    return Outcomes([values[..., :100], values[..., 100:]], label, np.arange(210), subject)


def test_what_is_right_in_every_run_is_100_percent_to_the_last_digit(clips):
    label, _, _ = clips
    found = outcomes(np.ones((3, 210)), label=label)
    assert found.value("war") == found.value("uar") == 1
