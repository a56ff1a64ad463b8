"""Our recall against scikit-learn's."""

import numpy as np
import pytest
from sklearn import metrics

from cefl_bench.functional.recall import UNANSWERED, chance_limit, confusion_matrix, predicted_class, recall_scores


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("never", [(), (3,), (0, 6)], ids=["all occur", "one never", "two never"])
def test_equals_scikit_learn(seed, never):
    rng = np.random.default_rng(seed)
    label = rng.choice([k for k in range(7) if k not in never], size=rng.integers(1, 90))
    pred = np.where(rng.random(len(label)) < 0.5, label, rng.integers(7, size=len(label)))
    ours, occurring = recall_scores(label, pred, 7), np.unique(label)
    theirs = metrics.recall_score(label, pred, labels=range(7), average=None, zero_division=np.nan)
    np.testing.assert_allclose(ours["per_class"], theirs)
    assert ours["uar"] == pytest.approx(
        metrics.recall_score(label, pred, labels=occurring, average="macro", zero_division=0)
    )
    assert ours["war"] == pytest.approx(metrics.accuracy_score(label, pred))
    f1 = {"labels": occurring, "zero_division": 0}
    assert ours["f1_macro"] == pytest.approx(metrics.f1_score(label, pred, average="macro", **f1))
    assert ours["f1_weighted"] == pytest.approx(metrics.f1_score(label, pred, average="weighted", **f1))
    np.testing.assert_array_equal(ours["confusion_matrix"], metrics.confusion_matrix(label, pred, labels=range(7)))


def test_an_unanswered_clip_is_wrong_and_in_no_column():
    scores = recall_scores(np.array([0, 0, 1, 1]), np.array([0, UNANSWERED, 1, 1]), 2)
    assert scores["war"] == 0.75 and scores["per_class"].tolist() == [0.5, 1.0]
    assert scores["unanswered"] == 1 and scores["confusion_matrix"].sum() == 3


def test_scores_become_classes_and_nan_becomes_unanswered():
    assert predicted_class(np.array([[0.1, 0.9], [2.0, -1.0], [np.nan, np.nan]])).tolist() == [1, 0, UNANSWERED]


@pytest.mark.parametrize(("label", "pred"), [([7], [0]), ([-1], [0]), ([0], [7]), ([0], [-2])])
def test_a_class_that_does_not_exist_is_refused(label, pred):
    with pytest.raises(ValueError, match="outside"):
        confusion_matrix(np.array(label), np.array(pred), 7)


def test_nothing_to_score_is_refused():
    with pytest.raises(ValueError, match="no clip"):
        recall_scores(np.array([]), np.array([]), 7)


@pytest.mark.parametrize("spread", [np.full(7, 1 / 7), (0.6, 0.4, 0, 0, 0, 0, 0)])
def test_guessing_stays_below_the_chance_limit(spread):
    rng, label = np.random.default_rng(0), np.repeat(np.arange(7), (40, 30, 50, 20, 24, 10, 60))
    limit = chance_limit(np.bincount(label))
    guesses = rng.choice(7, (3000, len(label)), p=spread)
    below = np.mean([recall_scores(label, guess, 7)["uar"] < limit for guess in guesses])
    assert below > 0.97 and (below < 0.985 or spread[0] == 0.6), "97.5 % where guesses are even"
    assert chance_limit(np.array([50, 0, 50])) == pytest.approx(0.5 + 1.96 * 0.05)


@pytest.mark.parametrize("support", [[1, 1], [2, 1, 1], [5], [0, 3, 0]])
def test_of_few_clips_guessing_reaches_all_and_no_more(support):
    assert chance_limit(np.array(support)) <= 1.0
