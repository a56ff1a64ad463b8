"""The test clips of a table, and what each method predicted on them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.functional.outcomes import Outcomes
from cefl_bench.functional.recall import UNANSWERED
from cefl_bench.report.collect import Run

ABSENT = -2
"""In the place of a predicted class: the predictions of the run do not have the clip."""


class OnFold(NamedTuple):
    """What the runs of one fold, which differ in the seed, gave on its clips."""

    fold: int
    have: np.ndarray
    """(n,) bool: whether all of them have the clip."""
    values: np.ndarray
    """(R, n), of clips that not all have anything."""


class Clips:
    """The test clips of a table, fold by fold: every clip that any of its runs has, with its label, subject and group.

    A name stands for one clip in all folds, unless one has two labels there: other code may number its clips anew in
    each fold, and a name then stands for a clip of its fold.

    Raises:
        UserError: naming a clip that has one label, or group, in a run and another one in another.
    """

    def __init__(self, runs: Sequence[Run], num_classes: int) -> None:
        self.num_classes = num_classes
        self.label: dict[int, dict[str, int]] = {}
        self.subject: dict[int, dict[str, str]] = {}
        self.group: dict[str, str] = {}
        """Of the clips of which it is known."""
        for run in runs:
            label, subject = self.label.setdefault(run.fold, {}), self.subject.setdefault(run.fold, {})
            given = run.predictions
            for name, value in zip(given.name, given.label.tolist(), strict=True):
                if label.setdefault(name, value) != value:
                    raise UserError(
                        f"{run.folder}: clip {name!r} of fold {run.fold} has label {value}, and {label[name]} in "
                        f"another run: expected runs on the same lists"
                    )
            subject |= zip(given.name, given.subject or (), strict=False)
            self.add_groups(run)
        self._names = {fold: sorted(of_fold) for fold, of_fold in self.label.items()}
        labels: set[tuple[str, int]] = set()
        for of_fold in self.label.values():
            labels.update(of_fold.items())
        self._named_anew = len(labels) > len(set().union(*self.label.values()))

    def add_groups(self, run: Run) -> None:
        """Note which group of people the clips of a run are of, where it says so.

        Raises:
            UserError: naming a clip that is of another group elsewhere.
        """
        for name, group in zip(run.predictions.name, run.predictions.group or (), strict=False):
            if group and self.group.setdefault(name, group) != group:
                raise UserError(
                    f"{run.folder}: clip {name!r} is of group {group!r}, and of {self.group[name]!r} in another run: "
                    "expected one group of a clip"
                )

    def in_group(self, fold: int, group: str) -> np.ndarray:
        """(n,) bool: which clips of a fold are of a group."""
        return np.array([self.group.get(name) == group for name in self.names(fold)])

    def names(self, fold: int) -> list[str]:
        """The n clips of a fold, in the order of all arrays."""
        return self._names[fold]

    def labels(self, fold: int) -> np.ndarray:
        """(n,) classes of the clips of a fold."""
        return np.array([self.label[fold][name] for name in self.names(fold)])

    def outcomes(self, parts: Sequence[OnFold], passes: int = 1) -> Outcomes | None:
        """What runs of several folds gave, over the clips that all runs of a fold have; None where no clip is left.

        Where all folds test the same clips, as the models of all folds do on another corpus, their runs are runs of one
        fold, over the clips that all of them have.
        """
        if not self._named_anew and len({tuple(self.names(part.fold)) for part in parts}) == 1:
            have = np.all([part.have for part in parts], axis=0)
            parts = [OnFold(parts[0].fold, have, np.concatenate([part.values for part in parts]))]
        parts = [part for part in parts if part.have.any()]
        if not parts:
            return None
        names: list[str] = []
        people: list[str] = []
        for part in parts:
            chosen = [name for name, kept in zip(self.names(part.fold), part.have, strict=True) if kept]
            names += [f"{part.fold}/{name}" for name in chosen] if self._named_anew else chosen
            people += [self.subject[part.fold].get(name, "") for name in chosen]
        return Outcomes(
            of_fold=[part.values[:, part.have] for part in parts],
            label=np.concatenate([self.labels(part.fold)[part.have] for part in parts]),
            clip=_numbered(names),
            subject=_numbered(people) if all(people) else None,
            passes=passes,
        )


class Predicted:
    """What the runs of one method predicted on the clips of a table."""

    def __init__(self, runs: Sequence[Run], clips: Clips) -> None:
        self.clips, self.folder = clips, runs[0].folder
        self.of: dict[int, dict[int | None, np.ndarray]] = {}
        """Per fold and seed (n,) classes, -1 where the run gave no answer, -2 where it does not have the clip."""
        for run in runs:
            given = dict(zip(run.predictions.name, run.predictions.pred.tolist(), strict=True))
            pred = np.array([given.get(name, ABSENT) for name in clips.names(run.fold)])
            self.of.setdefault(run.fold, {})[run.seed] = pred

    def trainings(self) -> int:
        return sum(map(len, self.of.values()))

    def outcomes(self) -> Outcomes:
        """Whether each run is right on each clip: 1 or 0.

        Raises:
            UserError: where no clip is in all runs of its fold.
        """
        outcomes = self.clips.outcomes(self._parts())
        if outcomes is None:
            raise UserError(
                f"{self.folder}: no test clip is in the predictions of all runs of this method: expected runs on the "
                "same lists"
            )
        return outcomes

    def of_group(self, group: str) -> Outcomes | None:
        """The same of the clips of one group of people; None where no clip is of it."""
        parts = []
        for part in self._parts():
            parts.append(part._replace(have=part.have & self.clips.in_group(part.fold, group)))
        return self.clips.outcomes(parts)

    def _parts(self) -> list[OnFold]:
        parts = []
        for fold, of_seed in sorted(self.of.items()):
            pred = np.stack(list(of_seed.values()))
            parts.append(OnFold(fold, (pred != ABSENT).all(axis=0), (pred == self.clips.labels(fold)).astype(np.int8)))
        return parts

    def confusion(self) -> list[list[int]]:
        """(K, K) counts over all folds and seeds; clips without an answer are in no column."""
        counts = np.zeros((self.clips.num_classes, self.clips.num_classes), dtype=int)
        for fold, of_seed in self.of.items():
            label = self.clips.labels(fold)
            for pred in of_seed.values():
                answered = pred > UNANSWERED
                np.add.at(counts, (label[answered], pred[answered]), 1)
        return counts.tolist()


def _numbered(names: Sequence[str]) -> np.ndarray:
    """(n,) a number from 0 for each different name."""
    return np.unique(np.array(names, dtype=str), return_inverse=True)[1].reshape(-1)
