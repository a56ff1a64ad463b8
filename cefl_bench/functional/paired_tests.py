"""Is one method better than another? A p value for each of three sources of luck: clips, subjects, trainings."""

from typing import NamedTuple

import numpy as np

from cefl_bench.functional.outcomes import MIN_VARIANCE, Outcomes, group_sums, sampling_variance

SIGNIFICANCE = 0.05
FIXED_SPLIT_TEST_TO_TRAIN = 0.25
"""Test clips per training clip that is assumed of a fixed split: as in FERV39k, and in each of five folds."""
GRID_REACH_IN_DEVIATIONS = 8
"""How far from 0 the exact test sums up, in standard deviations: what lies beyond has a p below 3e-14 (Hoeffding)."""


class Evidence(NamedTuple):
    """That two methods differ in WAR: a two-sided p value for each source of luck, (...) each."""

    clips: np.ndarray
    subjects: np.ndarray | None
    """None where it is unknown who is in a clip."""
    trainings: np.ndarray | None
    """None of a single training."""

    def largest(self) -> np.ndarray | None:
        """The p value of the pair: each source must find the difference. None where training again was not seen."""
        if self.trainings is None:
            return None
        found = np.maximum(self.clips, self.trainings)
        return found if self.subjects is None else np.maximum(found, self.subjects)


def evidence(difference: Outcomes, num_folds: int) -> Evidence:
    """The p values of a difference of two methods on a corpus of so many folds, 1 for a fixed split."""
    test_to_train = 1 / (num_folds - 1) if num_folds > 1 else FIXED_SPLIT_TEST_TO_TRAIN
    return Evidence(clips_p(difference), subjects_p(difference), trainings_p(difference, test_to_train))


def told_apart(p_holm: float | None, low: float, high: float) -> bool:
    """Whether one method is certainly better: by a corrected p value, and an interval of the difference without 0."""
    return p_holm is not None and p_holm < SIGNIFICANCE and not low <= 0 <= high


def clips_p(difference: Outcomes) -> np.ndarray:
    """The exact p value of other clips: McNemar's test, and its like for several trainings.

    If two methods are equal, the outcomes of each clip could as well have been exchanged between them. The p value is
    the share of all 2**N ways to exchange them in which the methods differ at least as much as they do. With one run of
    each method this is a binomial test on the clips that exactly one of them has right (McNemar, Psychometrika 1947).
    All runs of a clip are exchanged together, in whatever folds, so that seeds do not enlarge the test set.
    """
    runs = np.array([values.shape[-2] for values in difference.of_fold])[difference.fold]
    total = group_sums(difference.mean * runs * difference.passes, difference.clip)
    return exchange_p(np.rint(total).astype(int))


def exchange_p(total: np.ndarray) -> np.ndarray:
    """(..., N) whole numbers d -> (...) P(|sum of +-|d|| >= |sum of d|) if every sign is as likely.

    A sum of +-|d| has the characteristic function prod cos(|d| x); its inverse Fourier transform is its distribution.
    """
    magnitude = np.abs(total)
    size = np.arange(1, int(magnitude.max(initial=1)) + 1)
    count = np.zeros((*total.shape[:-1], len(size) + 1), dtype=int)
    for place in np.ndindex(total.shape[:-1]):
        count[place] = np.bincount(magnitude[place], minlength=len(size) + 1)
    count, observed = count[..., 1:], np.abs(total.sum(axis=-1))
    reach = np.minimum(count @ size, GRID_REACH_IN_DEVIATIONS * (count @ size**2) ** 0.5)
    points = 2 ** int(2 * reach.max(initial=1) + 1).bit_length()
    cosine = np.cos(np.outer(size, 2 * np.pi * np.arange(points // 2 + 1) / points))
    odd = count % 2 @ (cosine < 0) % 2  # whether an odd number of factors is negative
    spectrum = np.exp(count @ np.log(np.abs(cosine))) * (1 - 2 * odd)
    share = np.fft.irfft(spectrum, points)[..., : points // 2]
    beyond = np.arange(points // 2) >= observed[..., None]
    return np.where(observed == 0, 1.0, np.clip(2 * (share * beyond).sum(axis=-1), 0.0, 1.0))


def subjects_p(difference: Outcomes) -> np.ndarray | None:
    """The p value of other people: a t test clustered by subject; None where they are not known.

    1 where one person is in all clips, who tells nothing of others.
    """
    if difference.subject is None:
        return None
    variance = sampling_variance(difference, difference.group("war"))
    value = difference.mean.mean(axis=-1)
    return np.ones_like(value) if variance is None else two_sided_p(value, variance.value, variance.df)


def trainings_p(difference: Outcomes, test_to_train: float) -> np.ndarray | None:
    """The p value of other trainings: a t test over the J of them, each a fold with a seed; None of a single one.

    Folds share training clips, and seeds of one fold share all of them, so that the variance of J trainings over J is
    less than that of their mean: it is multiplied by 1 / J + n_test / n_train instead (Nadeau and Bengio, Inference for
    the generalization error, 2003; for folds with several seeds, Bouckaert and Frank, Evaluating the replicability of
    significance tests for comparing learning algorithms, 2004).

    Args:
        test_to_train: n_test / n_train.
    """
    of_training = np.concatenate([values.mean(axis=-1) for values in difference.of_fold], axis=-1)
    trainings = of_training.shape[-1]
    if trainings < 2:
        return None
    variance = (1 / trainings + test_to_train) * of_training.var(axis=-1, ddof=1)
    return two_sided_p(difference.mean.mean(axis=-1), variance, trainings - 1)


def two_sided_p(value: np.ndarray, variance: np.ndarray, df: np.ndarray | int) -> np.ndarray:
    """(...) P of a t test; where nothing varies, 1 for a value of 0 and 0 for any other."""
    from scipy.special import stdtr  # as in `outcomes.py`

    varies = variance > MIN_VARIANCE
    t = np.abs(value) / np.where(varies, variance, 1.0) ** 0.5
    return np.where(varies, 2 * stdtr(df, -t), np.abs(value) < MIN_VARIANCE**0.5)
