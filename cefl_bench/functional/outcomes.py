"""What runs did on test clips, and how far their mean would move with other clips, other people, other trainings."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

Metric = Literal["war", "uar"]

LEVEL = 0.95
"""Of every interval."""
MIN_FOLD_EXCESS = 1.2
"""How many times as much as clips and people explain the folds must vary before an interval is by their spread.

At 1, intervals of one seed are too wide where training again changes nothing; at 1.5 they are too narrow where it
changes as much as other clips would.
"""
MIN_CLIP_VARIANCE = 1e-12
"""Of the outcome of a clip; below it a rate is 0 or 1, but for rounding."""
MIN_VARIANCE = 1e-24
"""Of a mean, or a difference of means; one below it is rounding."""


class Ends(NamedTuple):
    """Of an interval: (...) each."""

    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class Outcomes:
    """A value of every test clip in every run: 1 right and 0 wrong for a method, their difference for two methods.

    Many methods, or pairs of them, that were tested on the same clips can be in one: the `...` of all shapes here.
    Folds that test the same clips, as the models of all folds do on another corpus, are runs of one fold.
    """

    of_fold: Sequence[np.ndarray]
    """Per fold (..., R, n): its R trainings, on its n clips. The clips of all folds, one after another, are the N of
    the other fields."""
    label: np.ndarray
    """(N,) classes."""
    clip: np.ndarray
    """(N,) a number for each clip; a clip that several folds test has one number."""
    subject: np.ndarray | None
    """(N,) a number for who is in each clip; None where that is not known of all."""
    passes: int = 1
    """Times so many, a value is a whole number: one training may be set beside a mean over several of another."""

    @cached_property
    def mean(self) -> np.ndarray:
        """(..., N) over the trainings of a fold."""
        return np.concatenate([values.mean(axis=-2) for values in self.of_fold], axis=-1)

    @cached_property
    def fold(self) -> np.ndarray:
        """(N,) the fold of each clip, counted from 0."""
        return np.repeat(np.arange(len(self.of_fold)), [values.shape[-1] for values in self.of_fold])

    @property
    def cluster(self) -> np.ndarray:
        """(N,) what a test set is drawn of: people, or clips where people are not known."""
        return self.clip if self.subject is None else self.subject

    def group(self, metric: Metric) -> np.ndarray:
        """(N,) the group of each clip: WAR is the mean over all clips, UAR the mean over the classes of their means."""
        return np.zeros_like(self.label) if metric == "war" else self.label

    def value(self, metric: Metric) -> np.ndarray:
        """(...) WAR or UAR, or the difference of two."""
        group = self.group(metric)
        support = np.bincount(group)
        occurs = support > 0
        return ((self.mean @ np.eye(len(support))[group])[..., occurs] / support[occurs]).mean(axis=-1)


class Variance(NamedTuple):
    """The variance of a mean, and the degrees of freedom that it was estimated with."""

    value: np.ndarray
    """(...)"""
    df: np.ndarray
    """One for all, or (...)."""

    def half_width_squared(self) -> np.ndarray:
        """(...) of the interval at `LEVEL`, by Student's t."""
        from scipy.special import stdtrit  # takes longer to load than most tools need for all else

        return stdtrit(self.df, (1 + LEVEL) / 2) ** 2 * self.value


class Margin(NamedTuple):
    """A mean and the half-width of its interval, squared: (...) each."""

    value: np.ndarray
    half_squared: np.ndarray
    draws: np.ndarray
    """How many draws of equal weight the test set is worth: its effective number of clusters."""


def group_weights(group: np.ndarray) -> np.ndarray:
    """(N,) groups -> (N,) what each clip counts in the mean, over the groups that occur, of the means of groups."""
    support = np.bincount(group)
    return 1 / (support[group] * np.count_nonzero(support))


def group_sums(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """(..., N) values and (N,) groups, counted from 0 -> (..., G) sums."""
    if np.array_equal(group, np.arange(len(group))):
        return values
    rows = values.reshape(-1, len(group))
    sums = np.empty((len(rows), int(group.max()) + 1))
    for place, row in enumerate(rows):
        sums[place] = np.bincount(group, weights=row)
    return sums.reshape(*values.shape[:-1], sums.shape[-1])


def clustered_variance(mean: np.ndarray, group: np.ndarray, cluster: np.ndarray) -> Variance | None:
    """Variance of the mean over groups, whatever the clips of one cluster have in common.

    None where a group has clips of a single cluster, which does not tell how it would vary.

    Weighted residuals are summed over each cluster, those of a group with clips of G clusters times the root of
    G / (G - 1), as its own mean is taken off; the variance is the sum of their squares (Liang and Zeger, Longitudinal
    data analysis using generalized linear models, 1986). The degrees of freedom are one less than the effective number
    of clusters, which is that of all where they have the same weight, and less where a few have most of it.

    Args:
        mean: (..., N) value of each clip.
        group, cluster: (N,) of each clip; both count from 0.
    """
    weight, support = group_weights(group), np.bincount(group)
    num_clusters = int(cluster.max()) + 1
    clusters = np.bincount(np.unique(group * num_clusters + cluster) // num_clusters, minlength=len(support))
    if (clusters[support > 0] < 2).any():
        return None
    share = np.bincount(cluster, weights=weight)
    weight = weight * (clusters / np.maximum(clusters - 1, 1))[group] ** 0.5
    centre = mean @ np.eye(len(support))[group] / np.maximum(support, 1)
    residual = group_sums(weight * (mean - np.take(centre, group, axis=-1)), cluster)
    return Variance((residual**2).sum(axis=-1), 1 / (share @ share) - 1)


def sampling_variance(outcomes: Outcomes, group: np.ndarray) -> Variance | None:
    """Variance of the mean over groups by other people, or by other clips where people are not known; None of a single.

    People who all come out the same, as two with three of six clips right each may by luck, do not tell how people
    differ: where they do, the variance is by other clips.
    """
    people = clustered_variance(outcomes.mean, group, outcomes.cluster)
    if outcomes.subject is None or people is None:
        return people
    clips = clustered_variance(outcomes.mean, group, outcomes.clip)
    if clips is None:  # files that name two people in one clip
        return people
    differ = people.value > MIN_VARIANCE
    return Variance(np.where(differ, people.value, clips.value), np.where(differ, people.df, clips.df))


def rerun_variance(outcomes: Outcomes, group: np.ndarray) -> Variance:
    """What training again adds to the variance of the mean over groups, where every fold was trained more than once.

    The variance that the runs of a fold have, less what chance does to each clip alone, which the variance over clips
    has already. What is left is the covariance of clips: a whole run comes out better or worse. Not below 0.
    """
    weight, df = group_weights(group), 0
    total = np.zeros(outcomes.mean.shape[:-1])
    for place, values in enumerate(outcomes.of_fold):
        of_fold, runs = weight[outcomes.fold == place], values.shape[-2]
        together = (values @ of_fold).var(axis=-1, ddof=1)
        alone = values.var(axis=-2, ddof=1) @ of_fold**2
        total += (together - alone) / runs
        df += runs - 1
    return Variance(np.maximum(total, 0.0), np.array(df))


def margin(outcomes: Outcomes, metric: Metric) -> Margin | None:
    """WAR or UAR, or a difference of two, with its half-width at `LEVEL`.

    None where one clip or one person is all, for UAR all of a class.

    The interval is of the clips and people that the test clips stand for. With several trainings of each fold it is of
    the trainings as well: half-widths add in squares. With one training of each of several folds, what training again
    changes shows in the folds alone: where they vary `MIN_FOLD_EXCESS` times as much as clips and people explain, the
    half-width is by their spread. A single training tells nothing of it.
    """
    group = outcomes.group(metric)
    sampling = sampling_variance(outcomes, group)
    if sampling is None:
        return None
    half_squared = sampling.half_width_squared()
    if all(values.shape[-2] > 1 for values in outcomes.of_fold):
        half_squared = half_squared + rerun_variance(outcomes, group).half_width_squared()
    else:
        spread = clustered_variance(outcomes.mean, group, outcomes.fold)
        if spread is not None:
            larger = spread.value > MIN_FOLD_EXCESS * sampling.value
            half_squared = np.where(larger, spread.half_width_squared(), half_squared)
    return Margin(outcomes.value(metric), half_squared, sampling.df + 1)


def difference_interval(outcomes: Outcomes, metric: Metric) -> Ends | None:
    """The interval of a difference of two methods; None as `margin`."""
    found = margin(outcomes, metric)
    if found is None:
        return None
    half = found.half_squared**0.5
    return Ends(found.value - half, found.value + half)


def rate_interval(outcomes: Outcomes, metric: Metric) -> Ends | None:
    """The interval of WAR or UAR, within 0..1 and never empty; None as `margin`.

    Wilson's interval (Journal of the American Statistical Association 22, 1927), with the number of independent clips
    that would give the same half-width in the place of the number of clips. Where nothing varies, as in a class that is
    always right and another that never is, each draw counts as a clip.
    """
    found = margin(outcomes, metric)
    if found is None:
        return None
    rate = np.clip(found.value, 0.0, 1.0)
    of_one_clip = rate * (1 - rate)
    varies = (of_one_clip > MIN_CLIP_VARIANCE) & (found.half_squared > MIN_VARIANCE)
    shrink = np.where(
        varies,
        found.half_squared / np.where(varies, of_one_clip, 1.0),
        Variance(np.ones(()), found.draws - 1).half_width_squared() / found.draws,
    )
    centre = (rate + shrink / 2) / (1 + shrink)
    half = (shrink * of_one_clip + shrink**2 / 4) ** 0.5 / (1 + shrink)
    return Ends(np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0))
