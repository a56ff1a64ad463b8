"""The methods of a table on the clips they share: numbers with intervals, pairs with p values, ranks."""

from collections.abc import Mapping, Sequence
from itertools import combinations, product
from math import lcm
from typing import NamedTuple, TypedDict

import numpy as np

from cefl_bench.functional.outcomes import Ends, Metric, Outcomes, difference_interval, rate_interval
from cefl_bench.functional.paired_tests import Evidence, evidence, told_apart
from cefl_bench.functional.statistics import Rank, holm_of_known, tied_ranks
from cefl_bench.report.board import METRICS, Pair
from cefl_bench.report.clips import ABSENT, OnFold, Predicted

OfSeed = Mapping[int | None, np.ndarray]
"""(n,) predicted classes of each seed, None of predictions of other code."""


class Difference(NamedTuple):
    """Of two methods."""

    outcomes: Outcomes
    folds: list[int]
    runs: int
    """Of the fold that has the fewest."""


class MethodScores(TypedDict):
    """The numbers of a method over the clips of all its folds together."""

    pooled: dict[Metric, float]
    interval: dict[Metric, list[float] | None]
    """Ends; None where one clip or one person is all."""
    recall: list[float | None]
    """(K,) of each class, None of one without clips."""
    clustered_by: str
    """What a test set is drawn of: `subject`, or `clip` where subjects are unknown."""
    subjects: int | None
    clips: int
    support: list[int]
    """(K,) clips of each class; one that several folds test is one."""


def method_scores(predicted: Predicted) -> MethodScores:
    """WAR, UAR and recalls, the runs of a fold averaged."""
    outcomes = predicted.outcomes()
    recall: list[float | None] = []
    _, first = np.unique(outcomes.clip, return_index=True)
    for number in range(predicted.clips.num_classes):
        of_class = outcomes.mean[outcomes.label == number]
        recall.append(float(of_class.mean()) if len(of_class) else None)
    return {
        "pooled": {metric: float(outcomes.value(metric)) for metric in METRICS},
        "interval": {metric: _listed(rate_interval(outcomes, metric)) for metric in METRICS},
        "recall": recall,
        "clustered_by": "clip" if outcomes.subject is None else "subject",
        "subjects": None if outcomes.subject is None else len(np.unique(outcomes.subject)),
        "clips": len(first),
        "support": np.bincount(outcomes.label[first], minlength=predicted.clips.num_classes).tolist(),
    }


def compare(
    names: Sequence[str], predicted: Sequence[Predicted], num_folds: int | None = None
) -> tuple[list[Pair], list[Rank | None]]:
    """Every pair of methods on the clips that both have, and the ranks that follow.

    A method is certainly better where clips, people and trainings all say so (`functional/paired_tests.py`): the
    largest of their p values, corrected for the pairs of the table, is below 0.05, and the interval of the difference
    leaves out 0. Where subjects are unknown, people are not asked. A method that was trained once is described and not
    ranked, because it is unknown what training it again would change.

    Args:
        num_folds: folds of the corpus, 1 for a fixed split; by default as many as the table has.
    """
    if num_folds is None:
        num_folds = len(set().union(*(method.clips.label for method in predicted)))
    places = list(combinations(range(len(names)), 2))
    pairs, largest = [], []
    for a, b in places:
        difference = difference_of(predicted[a], predicted[b])
        found = evidence(difference.outcomes, num_folds) if difference else None
        pairs.append(_pair(names[a], names[b], difference, found))
        largest.append(_number(found.largest()) if found else None)
    better = np.zeros((len(names), len(names)), dtype=bool)
    for (a, b), pair, p_holm in zip(places, pairs, holm_of_known(largest), strict=True):
        pair["p_holm"], value, ends = p_holm, pair["war_difference"], pair["interval"]
        if value is not None and ends is not None and told_apart(p_holm, *ends):
            pair["different"] = True
            better[(a, b) if value > 0 else (b, a)] = True
    return pairs, tied_ranks(better, [method.trainings() > 1 for method in predicted])


def _pair(a: str, b: str, difference: Difference | None, found: Evidence | None) -> Pair:
    """Two methods, not yet corrected for the other pairs of the table."""
    pair: Pair = {
        "a": a,
        "b": b,
        "war_difference": None,
        "uar_difference": None,
        "interval": None,
        "uar_interval": None,
        "clip_p": _number(found.clips) if found else None,
        "subject_p": _number(found.subjects) if found else None,
        "training_p": _number(found.trainings) if found else None,
        "p_holm": None,
        "different": False,
        "clips": 0,
        "folds": difference.folds if difference else [],
        "runs": difference.runs if difference else 0,
    }
    if difference:
        outcomes = difference.outcomes
        pair["war_difference"], pair["uar_difference"] = float(outcomes.value("war")), float(outcomes.value("uar"))
        pair["interval"] = _listed(difference_interval(outcomes, "war"))
        pair["uar_interval"] = _listed(difference_interval(outcomes, "uar"))
        pair["clips"] = len(np.unique(outcomes.clip))
    return pair


def difference_of(one: Predicted, other: Predicted) -> Difference | None:
    """Hits of one method less those of the other, on the clips that both have; None where they share none.

    Where a method has one training of a fold, what they differ by is averaged over the runs of each fold: it is a
    single training of both.
    """
    folds = [fold for fold in sorted(one.of) if fold in other.of]
    matched = [_matched(one.of[fold], other.of[fold]) for fold in folds]
    counts = [len(couples) for couples in matched]
    trained_once = any(1 in (len(one.of[fold]), len(other.of[fold])) for fold in folds)
    parts = []
    for fold, couples in zip(folds, matched, strict=True):
        pred = np.array(couples)  # (R, 2, n)
        right = (pred == one.clips.labels(fold)).astype(np.int8)
        values = right[:, 0] - right[:, 1]
        if trained_once:
            values = values.mean(axis=0, keepdims=True)
        parts.append(OnFold(fold, (pred != ABSENT).all(axis=(0, 1)), values))
    outcomes = one.clips.outcomes(parts, passes=lcm(*counts) if trained_once else 1)
    return None if outcomes is None else Difference(outcomes, folds, min(counts))


def _matched(one: OfSeed, other: OfSeed) -> list[tuple[np.ndarray, np.ndarray]]:
    """The predictions of both methods on one fold, of the same seed; of any seeds, in order, where they share none.

    Predictions of other code have no seed, and meet every seed of a method.
    """
    if None in one or None in other:
        return list(product(one.values(), other.values()))
    common = [seed for seed in one if seed in other]
    if common:
        return [(one[seed], other[seed]) for seed in common]
    return list(zip(one.values(), other.values(), strict=False))


def _listed(ends: Ends | None) -> list[float] | None:
    return None if ends is None else [float(ends.low), float(ends.high)]


def _number(value: np.ndarray | None) -> float | None:
    return None if value is None else float(value)
