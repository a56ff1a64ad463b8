"""What can be said about recall on a finite test set: intervals, paired tests, ranks. Pure NumPy and SciPy.

Everything starts from hits: (n,) how often each of n clips was answered rightly, 0 or 1 for one run, the share of the
seeds that were right for several. WAR is the mean hit, UAR the mean over the classes of the mean hit of a class.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy.stats import binomtest, t

RESAMPLES = 2000
LEVEL = 0.95


def mean_and_std(values: Sequence[float]) -> tuple[float, float | None]:
    """The mean and the standard deviation of a sample (n - 1 in the denominator); None for the latter of one value."""
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None


def recalls(hits: np.ndarray, label: np.ndarray, num_classes: int) -> tuple[float, float]:
    """(n,) hits and labels -> UAR and WAR; UAR over the classes that occur."""
    support = np.bincount(label, minlength=num_classes)
    of_class = np.bincount(label, weights=hits, minlength=num_classes)
    return float((of_class[support > 0] / support[support > 0]).mean()), float(np.mean(hits))


def resampled_recalls(
    hits_MN: np.ndarray,
    label: np.ndarray,
    num_classes: int,
    cluster: Sequence | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Bootstrap UAR and WAR, both (resamples, M), of M methods on the same n clips.

    Clusters are drawn with replacement, as many as there are, with all their clips (Field and Welsh, Bootstrapping
    clustered data, JRSS B 2007). Every method sees the same resamples, so that differences of columns are paired. UAR
    is over the classes that occur in a resample.

    Args:
        hits_MN: (M, n).
        cluster: (n,) who is in each clip; None: every clip is a cluster of its own.
    """
    hits_MN, label = np.atleast_2d(hits_MN), np.asarray(label)
    methods, clips = hits_MN.shape
    place = np.arange(clips) if cluster is None else np.unique(np.asarray(cluster), return_inverse=True)[1].reshape(-1)
    groups = int(place.max()) + 1
    support = np.zeros((groups, num_classes))
    np.add.at(support, (place, label), 1)
    right = np.zeros((groups, methods, num_classes))
    for method, hits in enumerate(hits_MN):
        np.add.at(right[:, method], (place, label), hits)
    drawn = _drawn(groups, resamples, seed)
    support = _times(drawn, support)
    right = _times(drawn, right.reshape(groups, -1)).reshape(resamples, methods, num_classes)
    occurs = (support > 0)[:, None]
    recall = np.divide(right, support[:, None], out=np.zeros_like(right), where=occurs)
    return recall.sum(axis=2) / occurs.sum(axis=2), right.sum(axis=2) / support.sum(axis=1, keepdims=True)


def interval(values: np.ndarray) -> tuple[float, float]:
    """The percentile interval of (resamples,) bootstrap values, at `LEVEL`."""
    low, high = np.quantile(values, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return float(low), float(high)


def widened(low: float, value: float, high: float, rerun: float) -> tuple[float, float]:
    """The interval of a value with another, independent and symmetric uncertainty in it; half-widths add in squares."""
    return value - float(np.hypot(value - low, rerun)), value + float(np.hypot(high - value, rerun))


def clip_weights(label: np.ndarray, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """(n,) labels -> (n,) what each clip's hit counts in UAR, and in WAR."""
    support = np.bincount(label, minlength=num_classes)
    return 1 / (support[label] * (support > 0).sum()), np.full(len(label), 1 / len(label))


def rerun_half_width(values_JN: Sequence[np.ndarray], weights_N: Sequence[np.ndarray]) -> float:
    """Half-width at `LEVEL` of what training again would do to a weighted sum over the clips of F folds.

    The variance that the J runs of a fold have, less what chance does to each clip alone (the bootstrap over clips has
    that already): the covariance of clips, which is there when a whole run comes out better or worse. Student's t with
    F (J - 1) degrees of freedom. 0 for one run of each fold, which says nothing about it.

    Args:
        values_JN: per fold (J, n), a value of each clip in each run.
        weights_N: per fold (n,).
    """
    folds, runs = len(values_JN), len(values_JN[0])
    if runs < 2:
        return 0.0
    common = sum(
        (values @ weights).var(ddof=1) - (weights**2 * values.var(axis=0, ddof=1)).sum()
        for values, weights in zip(values_JN, weights_N, strict=True)
    )
    return float(t.ppf((1 + LEVEL) / 2, folds * (runs - 1)) * np.sqrt(max(common, 0.0) / runs))


def mcnemar(one: np.ndarray, other: np.ndarray) -> float:
    """The exact two-sided p of McNemar's test, from (n,) booleans: was each clip answered rightly by either method?

    A binomial test on the clips that exactly one of them has right (McNemar 1947); 1 where there is no such clip.
    """
    first, second = int(np.sum(one & ~other)), int(np.sum(other & ~one))
    return float(binomtest(first, first + second).pvalue) if first + second else 1.0


def majority_p(p_values: Sequence[float]) -> float:
    """One p for a hypothesis tested K times on the same clips, valid however the K tests depend on each other.

    K / k times the k-th smallest, for k the smallest majority of K (Rüger's inequality, Metrika 1978): most of the
    tests must find it, and one p stays as it is.
    """
    ordered, count = sorted(p_values), len(p_values)
    majority = count // 2 + 1
    return min(1.0, ordered[majority - 1] * count / majority)


def holm(p_values: Sequence[float]) -> list[float]:
    """P values corrected for their number (Holm, A simple sequentially rejective multiple test procedure, 1979)."""
    given = np.asarray(p_values, dtype=float)
    order = np.argsort(given, kind="stable")
    corrected = np.empty(len(given))
    corrected[order] = np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1))
    return np.minimum(corrected, 1).tolist()


def tied_ranks(better_than: np.ndarray) -> list[tuple[int, int]]:
    """(M, M) whether the method of the row is better than that of the column, for certain -> best and worst rank each.

    Nobody ranks above a method but who is better for certain, so its best rank is one more than their number; its worst
    is M less the number of those that it is better than. Methods that cannot be told apart overlap in their ranks.
    """
    better_than = np.asarray(better_than, dtype=bool)
    best, worst = 1 + better_than.sum(axis=0), len(better_than) - better_than.sum(axis=1)
    return [(int(low), int(high)) for low, high in zip(best, worst, strict=True)]


@lru_cache(maxsize=4)
def _drawn(groups: int, resamples: int, seed: int) -> np.ndarray:
    """uint16 (resamples, groups): how often each group was drawn."""
    rng = np.random.default_rng(seed)
    return np.stack(
        [np.bincount(rng.integers(groups, size=groups), minlength=groups).astype(np.uint16) for _ in range(resamples)]
    )


def _times(drawn: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """(R, G) draws and (G, V) totals of the groups -> (R, V); a block at a time, because the draws are many."""
    return np.concatenate([drawn[start : start + 128] @ totals for start in range(0, len(drawn), 128)])
