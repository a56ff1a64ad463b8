"""Intervals, tests and ranks, against SciPy and scikit-learn, on random and on degenerate cases."""

import numpy as np
import pytest
from helpers.simulated import CLASSES, answer
from scipy import stats
from sklearn.metrics import balanced_accuracy_score

from cefl_bench.functional.statistics import (
    clip_weights,
    holm,
    interval,
    majority_p,
    mcnemar,
    mean_and_std,
    recalls,
    rerun_half_width,
    resampled_recalls,
    tied_ranks,
    widened,
)

K = len(CLASSES)


@pytest.fixture
def clips():
    rng = np.random.default_rng(0)
    label = rng.integers(K, size=210)
    pred = answer(label, rng.standard_normal(210), 0.6, stream=0).argmax(1)
    return label, pred, rng.integers(20, size=210)


def test_mean_and_deviation():
    values = [0.5, 0.6, 0.8]
    assert mean_and_std(values) == (pytest.approx(np.mean(values)), pytest.approx(stats.tstd(values)))
    assert mean_and_std([0.4]) == (0.4, None)


def test_recalls_are_those_of_scikit_learn(clips):
    label, pred, _ = clips
    uar, war = recalls(pred == label, label, K + 1)  # nobody has the last class
    assert uar == pytest.approx(balanced_accuracy_score(label, pred)) and war == pytest.approx(np.mean(pred == label))
    weights = clip_weights(label, K + 1)
    assert [(pred == label) @ weight for weight in weights] == pytest.approx([uar, war])


def test_the_bootstrap_over_clips_is_that_of_scipy(clips):
    label, pred, _ = clips
    values = resampled_recalls(pred == label, label, K, resamples=4000)
    places = np.arange(len(label))
    for ours, score in (
        (values[0], lambda place: balanced_accuracy_score(label[place.astype(int)], pred[place.astype(int)])),
        (values[1], lambda place: np.mean(label[place.astype(int)] == pred[place.astype(int)])),
    ):
        theirs = stats.bootstrap(
            (places,), score, vectorized=False, n_resamples=1500, method="percentile", rng=np.random.default_rng(1)
        )
        assert interval(ours[:, 0]) == pytest.approx(tuple(theirs.confidence_interval), abs=0.008)
        assert ours.std() == pytest.approx(theirs.standard_error, rel=0.08)


def test_the_bootstrap_over_subjects_draws_whole_subjects(clips):
    label, _, who = clips
    whole = np.isin(who, np.arange(10)).astype(float)  # half of the people are always right
    by_clip, by_subject = (resampled_recalls(whole, label, K, cluster)[1].std() for cluster in (None, who))
    share = [whole[who == person].mean() for person in np.unique(who)]
    assert by_clip == pytest.approx(0.5 / np.sqrt(len(label)), rel=0.1)
    assert by_subject == pytest.approx(np.std(share) / np.sqrt(20), rel=0.15) and by_subject > 2.5 * by_clip
    assert np.array_equal(*(resampled_recalls(whole, label, K, x)[1] for x in (who, [f"s{n:02d}" for n in who])))


def test_methods_see_the_same_resamples(clips):
    label, pred, _ = clips
    hits = (pred == label).astype(float)
    for values in resampled_recalls(np.stack([hits, hits, 1 - hits]), label, K):
        assert np.array_equal(values[:, 0], values[:, 1])
    np.testing.assert_allclose(values[:, 0] + values[:, 2], 1)
    alone = resampled_recalls(hits, label, K)[1]
    assert np.array_equal(alone[:, 0], values[:, 0]), "the same clips are drawn when a method stands alone"


@pytest.mark.parametrize(
    ("label", "hits", "uar", "war"),
    [
        ([0, 0, 1, 1], [1, 1, 0, 0], 0.5, 0.5),  # a class with no correct clip
        ([0, 0, 2, 2], [1, 1, 1, 0], 0.75, 0.75),  # a class without any clip
        ([1], [1], 1, 1),  # a single clip
        ([0, 1, 2], [0, 0, 0], 0, 0),  # all wrong
        ([0, 1, 2], [1, 1, 1], 1, 1),
    ],
)
def test_degenerate_cases_have_numbers(label, hits, uar, war):
    label, hits = np.array(label), np.array(hits)
    assert recalls(hits, label, 3) == (pytest.approx(uar), pytest.approx(war))
    values = resampled_recalls(hits, label, 3)
    assert all(np.isfinite(part).all() and (part >= 0).all() and (part <= 1).all() for part in values)
    if uar in (0, 1):
        assert all(interval(part[:, 0]) == (uar, uar) for part in values)


def test_mcnemar_is_the_binomial_test_of_the_clips_that_differ():
    one = np.array([True] * 15 + [False] * 5 + [True] * 70 + [False] * 10)
    other = np.array([False] * 15 + [True] * 5 + [True] * 70 + [False] * 10)
    by_hand = 2 * sum(stats.binom.pmf(k, 20, 0.5) for k in range(6))
    assert mcnemar(one, other) == mcnemar(other, one) == pytest.approx(by_hand)
    assert mcnemar(one, one) == 1 and mcnemar(np.array([True]), np.array([False])) == 1


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1, 1] and holm([]) == [] and holm([0.02]) == [0.02]


def test_most_seeds_must_find_it():
    assert majority_p([0.03]) == 0.03 and majority_p([0.001, 0.2]) == 0.2
    assert majority_p([0.01, 0.02, 0.9]) == pytest.approx(0.03) and majority_p([0.9, 0.8, 1]) == 1
    rng = np.random.default_rng(0)
    for shared in (0, 0.5, 0.9, 1):  # five tests of what is not there, alike or not
        normal = np.sqrt(shared) * rng.standard_normal((20_000, 1)) + np.sqrt(1 - shared) * rng.standard_normal(
            (20_000, 5)
        )
        found = np.mean([majority_p(p_values) < 0.05 for p_values in stats.norm.sf(normal)])
        assert found < 0.053


def test_ranks_are_ranges_where_nothing_can_be_told_apart():
    better = np.zeros((4, 4), dtype=bool)
    assert tied_ranks(better) == [(1, 4)] * 4
    better[0, 2:] = better[1, 3] = True
    assert tied_ranks(better) == [(1, 2), (1, 3), (2, 4), (3, 4)]
    assert tied_ranks(np.triu(np.ones((3, 3), dtype=bool), 1)) == [(1, 1), (2, 2), (3, 3)]


def test_the_uncertainty_of_training_again_by_hand():
    """Two folds of two runs: one has all 4 clips right and the other none."""
    together = 0.5 * 0.5**2 - 4 * 0.5 * 0.125**2  # of a fold: variance of its sum, less that of single clips
    expected = stats.t.ppf(0.975, 2) * np.sqrt(2 * together / 2)
    fold = np.repeat([[1.0], [0.0]], 4, axis=1)
    assert rerun_half_width([fold, fold], [np.full(4, 0.125)] * 2) == pytest.approx(expected)
    assert rerun_half_width([np.eye(2)], [np.full(2, 0.5)]) == 0, "runs that differ clip by clip and not as a whole"


def test_what_runs_have_in_common_widens_an_interval():
    rng = np.random.default_rng(0)
    weights, together, alone = [np.full(500, 1 / 2500)] * 5, [], []
    for _ in range(40):
        values = [rng.standard_normal((3, 500)) for _ in range(5)]
        alone.append(rerun_half_width(values, weights))
        together.append(rerun_half_width([part + rng.normal(0, 0.3, (3, 1)) for part in values], weights))
    expected = stats.t.ppf(0.975, 10) * 0.3 / np.sqrt(5 * 3)
    assert np.sqrt(np.mean(np.square(together))) == pytest.approx(expected, rel=0.1)
    assert np.mean(alone) < 0.1 * expected, "chance on single clips is the bootstrap's"
    assert rerun_half_width([part[:1] for part in values], weights) == 0
    assert widened(-1, 0, 2, 0) == (-1, 2) and widened(-3, 0, 12, 4) == pytest.approx((-5, np.sqrt(160)))
