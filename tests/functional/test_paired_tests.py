"""P values of clips, people and trainings, against SciPy and formulas of their sources, and what each part prevents."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from cefl_bench.functional.outcomes import Outcomes
from cefl_bench.functional.paired_tests import clips_p, evidence, exchange_p, subjects_p, told_apart, trainings_p


def differences(*folds, clip=None, subject=None, passes=1) -> Outcomes:
    """Folds of differences (R, n)."""
    count = sum(np.shape(values)[1] for values in folds)
    clip = np.arange(count) if clip is None else np.asarray(clip)
    subject = None if subject is None else np.asarray(subject)
    return Outcomes([np.asarray(values) for values in folds], np.zeros(count, dtype=int), clip, subject, passes)


def differences_of_many(folds, subject) -> Outcomes:
    """Folds of differences (..., R, n)."""
    count = len(subject)
    return Outcomes(folds, np.zeros(count, dtype=int), np.arange(count), subject)


def one_sided(first: int, second: int, equal: int = 0) -> list[list[int]]:
    """One run on clips that the first method alone has right, the second alone, and both or none."""
    return [[1] * first + [-1] * second + [0] * equal]


@pytest.mark.parametrize(("first", "second"), [(15, 5), (5, 15), (4, 0), (1, 0), (0, 0), (7, 7), (700, 600), (60, 5)])
def test_one_run_each_is_mcnemars_exact_test(first, second):
    expected = stats.binomtest(first, first + second).pvalue if first + second else 1.0
    assert clips_p(differences(one_sided(first, second, 80))) == pytest.approx(expected, abs=1e-12)


def enumerated(total) -> float:
    """The p value of all ways to exchange two methods on the clips, one by one."""
    sums = [abs(np.dot(signs, total)) for signs in product((1, -1), repeat=len(total))]
    return float(np.mean(np.array(sums) >= abs(np.sum(total)) - 1e-9))


@pytest.mark.parametrize("seed", range(5))
def test_several_runs_are_exchanged_clip_by_clip(seed):
    rng = np.random.default_rng(seed)
    values = rng.choice((-1, 0, 1), (3, 10), p=(0.1, 0.5, 0.4))
    assert clips_p(differences(values)) == pytest.approx(enumerated(values.sum(axis=0)))
    folds = differences(values, values, clip=np.tile(np.arange(10), 2))
    assert clips_p(folds) == pytest.approx(enumerated(2 * values.sum(axis=0))), "folds that share their clips"
    averaged = differences(values.mean(axis=0, keepdims=True), passes=3)
    assert clips_p(averaged) == pytest.approx(enumerated(values.sum(axis=0)))


def test_seeds_do_not_enlarge_the_test_set():
    values = one_sided(15, 5, 80)
    assert clips_p(differences(values * 3)) == pytest.approx(clips_p(differences(values)))


def test_people_are_a_t_test_of_their_means():
    rng = np.random.default_rng(0)
    values, subject = rng.choice((-1, 0, 1), 120), np.tile(np.arange(12), 10)
    means = [values[subject == person].mean() for person in range(12)]
    expected = stats.ttest_1samp(means, 0).pvalue
    assert subjects_p(differences([values], subject=subject)) == pytest.approx(expected)
    assert subjects_p(differences([values])) is None, "nobody knows who is in the clips"
    assert subjects_p(differences([values], subject=np.zeros(120, dtype=int))) == 1, "one person tells nothing"


def test_trainings_are_the_corrected_t_test_of_nadeau_and_bengio():
    """Five folds and two seeds, whose differences are known: t = mean / sqrt((1 / J + n2 / n1) * variance)."""
    means = np.array([[0.1, 0.3], [0.2, 0.0], [0.4, 0.2], [-0.1, 0.1], [0.3, 0.3]])
    folds = [np.repeat(runs[:, None], 20, axis=1) for runs in means]
    t = means.mean() / np.sqrt((1 / 10 + 1 / 4) * means.var(ddof=1))
    assert trainings_p(differences(*folds), test_to_train=1 / 4) == pytest.approx(2 * stats.t.sf(t, 9))
    uncorrected = stats.ttest_1samp(means.ravel(), 0).pvalue
    assert trainings_p(differences(*folds), test_to_train=0) == pytest.approx(uncorrected)
    assert trainings_p(differences(folds[0][:1]), test_to_train=1 / 4) is None, "a single training"


def test_the_correction_follows_the_number_of_folds():
    means = np.array([0.1, 0.2, 0.4, -0.1, 0.3])
    found = differences(*[np.full((1, 20), mean) for mean in means])
    for num_folds, test_to_train in ((5, 1 / 4), (10, 1 / 9), (2, 1), (1, 1 / 4)):
        assert evidence(found, num_folds).trainings == pytest.approx(trainings_p(found, test_to_train))


def test_few_clips_are_no_evidence_whatever_people_and_trainings_say():
    """Each of five people, in five folds, has one clip that only the first method has right: hardly anything varies."""
    folds = [*[one_sided(1, 0, 19)] * 4, one_sided(1, 0, 18)]
    found = evidence(differences(*folds, subject=np.repeat(np.arange(5), 20)[:-1]), num_folds=5)
    assert found.subjects < 1e-6 and found.trainings < 1e-5
    assert found.clips == found.largest() == pytest.approx(2 * 0.5**5)


def test_clips_of_people_who_disagree_are_no_evidence():
    """In each of five folds one person has 30 clips that only the first method has right, the other 15 the reverse."""
    folds = [one_sided(30, 15, 15)] * 5
    subject = np.concatenate([np.repeat([2 * fold, 2 * fold + 1, 2 * fold], [30, 15, 15]) for fold in range(5)])
    found = evidence(differences(*folds, subject=subject), num_folds=5)
    assert found.clips < 1e-5 and found.trainings == 0
    assert found.subjects == found.largest() > 0.2


def test_trainings_that_disagree_are_no_evidence():
    folds = [one_sided(60, 0, 60), one_sided(5, 2, 113)]
    found = evidence(differences(*folds), num_folds=2)
    assert found.clips < 1e-10 and found.subjects is None
    assert found.trainings == found.largest() > 0.2


def test_a_single_training_is_no_evidence():
    found = evidence(differences(one_sided(60, 0, 60), subject=np.arange(120)), num_folds=1)
    assert found.clips < 1e-10 and found.subjects < 1e-10 and found.largest() is None


def test_a_claim_needs_a_small_p_and_an_interval_without_0():
    assert told_apart(0.049, 0.1, 0.2) and told_apart(0.0, -0.2, -0.1)
    for p_holm, low, high in ((0.051, 0.1, 0.2), (0.0, -0.1, 0.2), (0.0, 0.0, 0.2), (None, 0.1, 0.2)):
        assert not told_apart(p_holm, low, high)


@pytest.mark.parametrize("runs", [1, 3])
def test_many_pairs_at_once_are_judged_as_each_alone(runs):
    rng = np.random.default_rng(0)
    pairs = [rng.choice((-1, 0, 1), (5, runs, count), p=(0.1, 0.5, 0.4)) for count in (20, 30, 10)]
    subject = np.arange(60) // 5
    together = evidence(differences_of_many(pairs, subject), num_folds=3)
    for place in range(5):
        alone = evidence(differences_of_many([fold[place] for fold in pairs], subject), num_folds=3)
        assert [values[place] for values in together] == pytest.approx([float(p) for p in alone], abs=1e-12)
    assert exchange_p(np.zeros((0, 4), dtype=int)).shape == (0,)
