"""Means, corrections for many tests, and ranks. Pure NumPy."""

from collections.abc import Sequence

import numpy as np

Rank = tuple[int, int]
"""The best and the worst rank of a method."""


def mean_and_std(values: Sequence[float]) -> tuple[float, float | None]:
    """The mean and the standard deviation of a sample (n - 1 in the denominator); None for the latter of one value."""
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None


def holm(p_values: Sequence[float]) -> list[float]:
    """P values corrected for their number (Holm, A simple sequentially rejective multiple test procedure, 1979)."""
    given = np.asarray(p_values, dtype=float)
    order = np.argsort(given, kind="stable")
    corrected = np.empty(len(given))
    corrected[order] = np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1))
    return np.minimum(corrected, 1).tolist()


def holm_of_known(p_values: Sequence[float | None]) -> list[float | None]:
    """`holm` of those that are known; the others are no tests, and stay None."""
    corrected = iter(holm([p for p in p_values if p is not None]))
    return [None if p is None else next(corrected) for p in p_values]


def tied_ranks(better_than: np.ndarray, ranked: Sequence[bool]) -> list[Rank | None]:
    """(M, M) whether the method of the row is certainly better than that of the column -> its ranks.

    Best rank = 1 + number of methods certainly better; worst rank = number of methods that are ranked, less those that
    it is certainly better than. Methods that cannot be told apart overlap in their ranks.

    Args:
        ranked: (M,) whether a method is ranked at all; None is the rank of one that is not, and it counts in no other.
    """
    among = np.asarray(ranked, dtype=bool)
    better = np.asarray(better_than, dtype=bool) & among & among[:, None]
    best, worst = 1 + better.sum(axis=0), among.sum() - better.sum(axis=1)
    ranks: list[Rank | None] = []
    for place, counts in enumerate(among):
        ranks.append((int(best[place]), int(worst[place])) if counts else None)
    return ranks
