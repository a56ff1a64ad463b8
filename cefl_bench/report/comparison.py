"""The rows of a table on the clips they share: numbers with intervals, pairs with tests, ranks."""

from collections.abc import Mapping, Sequence
from itertools import chain, combinations, product
from typing import Any

import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.functional.recall import UNANSWERED
from cefl_bench.functional.statistics import (
    clip_weights,
    holm,
    interval,
    majority_p,
    mcnemar,
    recalls,
    rerun_half_width,
    resampled_recalls,
    tied_ranks,
    widened,
)
from cefl_bench.report.collect import Run

ABSENT = -2
"""Answer of a run whose predictions do not have the clip."""
CERTAIN = 0.05


class Clips:
    """The test clips of a table, fold by fold: every clip that any of its runs has, with its label and subject.

    Raises:
        UserError: naming a clip that has one label in a run and another one in another.
    """

    def __init__(self, runs: Sequence[Run], num_classes: int) -> None:
        self.num_classes = num_classes
        self.label: dict[int, dict[str, int]] = {}
        self.subject: dict[int, dict[str, str]] = {}
        for run in runs:
            label, subject = self.label.setdefault(run.fold, {}), self.subject.setdefault(run.fold, {})
            answers = run.predictions
            for name, value in zip(answers.name, answers.label.tolist(), strict=True):
                if label.setdefault(name, value) != value:
                    raise UserError(
                        f"{run.folder}: clip {name!r} of fold {run.fold} has label {value}, and {label[name]} in "
                        f"another run: expected runs on the same lists"
                    )
            subject |= zip(answers.name, answers.subject or (), strict=False)

    def answers(self, run: Run) -> np.ndarray:
        """(n,) what a run answered to each clip of its fold, -1 where nothing, -2 where it does not have the clip."""
        given = dict(zip(run.predictions.name, run.predictions.pred.tolist(), strict=True))
        return np.array([given.get(name, ABSENT) for name in self.label[run.fold]])

    def labels(self, fold: int) -> np.ndarray:
        return np.array(list(self.label[fold].values()))

    def people(self, fold: int) -> list[str] | None:
        """Who is in each clip of a fold, where that is known of all."""
        known = self.subject[fold]
        return [known[name] for name in self.label[fold]] if all(map(known.get, self.label[fold])) else None


class Answers:
    """What the runs of one method answered: per fold and seed (n,) classes."""

    def __init__(self, runs: Sequence[Run], clips: Clips) -> None:
        self.clips = clips
        self.of: dict[int, dict[int | None, np.ndarray]] = {}
        for run in runs:
            self.of.setdefault(run.fold, {})[run.seed] = clips.answers(run)

    def scores(self) -> dict[str, Any]:
        """Pooled numbers with their intervals, and the pooled recall per class (None for one without clips)."""
        labels, hits_of_folds = [], []
        people: list[list[str] | None] = []
        names: list[str] = []
        for fold, of_seed in sorted(self.of.items()):
            answers = np.stack(list(of_seed.values()))
            have = (answers != ABSENT).all(axis=0)
            labels.append(self.clips.labels(fold)[have])
            hits_of_folds.append((answers[:, have] == labels[-1]).mean(axis=0))
            people.append(_chosen(self.clips.people(fold), have))
            names += _chosen(list(self.clips.label[fold]), have) or []
        label, hits, who = np.concatenate(labels), np.concatenate(hits_of_folds), _clusters(people, names)
        uar, war = recalls(hits, label, self.clips.num_classes)
        spread = resampled_recalls(hits, label, self.clips.num_classes, who)
        known = len(label if who is None else set(who)) > 1  # nothing can be drawn from one clip or one person
        recall = [hits[label == k].mean() if (label == k).any() else None for k in range(self.clips.num_classes)]
        return {
            "pooled": {"uar": uar, "war": war},
            "interval": {
                name: list(interval(values[:, 0])) if known else None
                for name, values in zip(("uar", "war"), spread, strict=True)
            },
            "recall": [None if value is None else float(value) for value in recall],
            "resampled_by": "clip" if any(of_fold is None for of_fold in people) else "subject",
            "clips": len(set(names)),
        }

    def confusion(self) -> list[list[int]]:
        """(K, K) counts over all folds and seeds; clips without an answer are in no column."""
        counts = np.zeros((self.clips.num_classes, self.clips.num_classes), dtype=int)
        for fold, of_seed in self.of.items():
            for answers in of_seed.values():
                given = answers > UNANSWERED
                np.add.at(counts, (self.clips.labels(fold)[given], answers[given]), 1)
        return counts.tolist()


def compare(names: Sequence[str], answers: Sequence[Answers]) -> tuple[list[dict[str, Any]], list[tuple[int, int]]]:
    """Every pair of methods on the clips that both have, and the ranks that follow.

    Runs are matched by fold and seed. A pair is different when its Holm-corrected McNemar p is below 0.05 and the
    interval of the difference leaves out 0. McNemar's test takes clips to be independent and models as they are; the
    interval knows about subjects, and with several seeds about training again. Seeds are no further clips: McNemar's
    test is made once per seed over all folds, and most seeds must find the difference (`majority_p`). Nor are answers
    to one clip in several folds, as across corpora: then the test is made once per fold and seed, and the bootstrap
    draws a clip with all its answers.
    """
    pairs = []
    for (a, one), (b, other) in combinations(zip(names, answers, strict=True), 2):
        pairs.append({"a": a, "b": b} | _pair(one, other))
    tested = [pair for pair in pairs if pair["mcnemar_p"] is not None]
    for pair, corrected in zip(tested, holm([pair["mcnemar_p"] for pair in tested]), strict=True):
        low, high = pair["interval"] or (0, 0)
        pair |= {"p_holm": corrected, "different": corrected < CERTAIN and not low <= 0 <= high}
    better = np.zeros((len(names), len(names)), dtype=bool)
    for (row, column), pair in zip(combinations(range(len(names)), 2), pairs, strict=True):
        if pair["different"]:
            better[(row, column) if pair["war_difference"] > 0 else (column, row)] = True
    return pairs, tied_ranks(better)


def _pair(one: Answers, other: Answers) -> dict[str, Any]:
    """Two methods on the clips that both have."""
    matched = {fold: _matched(one.of[fold], other.of[fold]) for fold in sorted({*one.of} & {*other.of})}
    passes = min(map(len, matched.values()), default=0)
    hits, label = [], []
    people: list[list[str] | None] = []
    names: list[str] = []
    for fold, couples in matched.items():
        both = np.array(couples[:passes])  # (passes, 2, n)
        have = (both != ABSENT).all(axis=(0, 1))
        label.append(one.clips.labels(fold)[have])
        hits.append(both[:, :, have] == label[-1])
        people.append(_chosen(one.clips.people(fold), have))
        names += _chosen(list(one.clips.label[fold]), have) or []
    nothing = dict(war_difference=None, uar_difference=None, interval=None, uar_interval=None, mcnemar_p=None)
    if not any(map(len, label)):
        return nothing | {"p_holm": None, "different": False, "clips": 0, "folds": [], "runs": 0}
    hits_P2N, who = np.concatenate(hits, axis=2), _clusters(people, names)
    mean_2N, all_labels, classes = hits_P2N.mean(axis=0), np.concatenate(label), one.clips.num_classes
    spread = resampled_recalls(mean_2N, all_labels, classes, who)
    values = [recalls(mean, all_labels, classes) for mean in mean_2N]
    known = len(all_labels if who is None else set(who)) > 1  # nothing can be drawn from one clip or one person
    ends = np.cumsum([len(labels) for labels in label])[:-1]
    differences = [np.subtract(part[:, 0], part[:, 1], dtype=float) for part in np.split(hits_P2N, ends, axis=2)]
    found: dict[str, Any] = {}
    for which, (name, prefix) in enumerate((("uar", "uar_"), ("war", ""))):
        found[f"{name}_difference"] = value = values[0][which] - values[1][which]
        low, high = interval(spread[which][:, 0] - spread[which][:, 1])
        rerun = rerun_half_width(differences, np.split(clip_weights(all_labels, classes)[which], ends))
        found[f"{prefix}interval"] = list(widened(low, value, high, rerun)) if known else None
    tested = [hits_P2N] if len(set(names)) == len(names) else [part for part in hits if part.size]
    return found | {
        "mcnemar_p": majority_p([mcnemar(*hits_2N) for hits_2N in chain.from_iterable(tested)]),
        "p_holm": None,
        "different": False,
        "clips": len(set(names)),
        "folds": list(matched),
        "runs": passes,
    }


def _matched(one: Mapping[int | None, np.ndarray], other: Mapping[int | None, np.ndarray]) -> list[tuple]:
    """The answers of both methods on one fold, of the same seed; of any seeds, in order, where they share none.

    Predictions of other code have no seed, and meet every seed of a method.
    """
    if None in one or None in other:
        return list(product(one.values(), other.values()))
    common = [seed for seed in one if seed in other]
    if common:
        return [(one[seed], other[seed]) for seed in common]
    return list(zip(one.values(), other.values(), strict=False))


def _chosen(people: list[str] | None, have: np.ndarray) -> list[str] | None:
    return None if people is None else [who for who, there in zip(people, have, strict=True) if there]


def _clusters(people: Sequence[list[str] | None], names: list[str]) -> list[str] | None:
    """Who is in each clip of all folds; else the clip, where several folds test it; None: each stands for itself."""
    known = [who for who in people if who is not None]
    if len(known) == len(people):
        return list(chain.from_iterable(known))
    return names if len(set(names)) < len(names) else None
