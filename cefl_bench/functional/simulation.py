"""Simulated tables of methods of which the truth is known: which run is right on which test clip. Pure NumPy.

Whether a run is right is decided by how hard the clip is, what the method makes of it, and the chance of the run.
People are a share of the first two. On top of that a training as a whole comes out better or worse.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from cefl_bench.functional.outcomes import Metric, Outcomes

WAR = 0.6
"""Of a method without a lead, on infinitely many clips and trainings."""
CLIP_SHARE, METHOD_SHARE, RUN_SHARE = 0.6, 0.2, 0.2
"""Of the variance of what decides: two equal methods are both right or both wrong on 72 % of the clips."""
SUBJECT_SHARE = 0.15
"""Of the variance of a clip and of a method: what the clips of one person have in common."""
CLASS_SHARES = (0.21, 0.16, 0.23, 0.185, 0.125, 0.015, 0.075)
"""About those of DFEW: one class is rare."""
CLASS_OFFSETS = np.array((0.6, 0.1, 0.2, 0.0, -0.2, -0.6, -0.4))
"""How much easier a class is than another, so that UAR is not WAR."""


@dataclass(frozen=True)
class Shape:
    """The test sets of a corpus."""

    name: str
    clips: int
    """Of all folds together, which have about as many each."""
    subjects: int
    """Each is in one fold. 0: it is unknown who is in a clip, and each clip is of another person."""
    folds: int
    """1: a fixed split, or a single fold."""
    balanced: bool = True
    """Whether all classes have as many clips, and not shares like those of DFEW."""

    @property
    def class_shares(self) -> tuple[float, ...]:
        return (1 / len(CLASS_SHARES),) * len(CLASS_SHARES) if self.balanced else CLASS_SHARES

    def fold(self) -> np.ndarray:
        """(N,) of each clip, counted from 0."""
        return np.arange(self.clips) * self.folds // self.clips

    def subject(self) -> np.ndarray | None:
        """(N,) in each clip; None where that is not known."""
        if not self.subjects:
            return None
        fold_of_subject = np.arange(self.subjects) * self.folds // self.subjects
        who = np.empty(self.clips, dtype=int)
        for fold in range(self.folds):
            clips, people = np.flatnonzero(self.fold() == fold), np.flatnonzero(fold_of_subject == fold)
            who[clips] = people[np.arange(len(clips)) * len(people) // len(clips)]
        return who

    def labels(self, rng: np.random.Generator) -> np.ndarray:
        """(N,) classes."""
        if self.balanced:
            return np.arange(self.clips) % len(self.class_shares)
        return rng.choice(len(self.class_shares), self.clips, p=self.class_shares)


class SimulatedTable:
    """M methods, each trained with S seeds on every fold, on test clips that are drawn anew.

    Args:
        training_noise: standard deviation of a training's WAR that no clip explains, in 0..1.
    """

    def __init__(
        self, shape: Shape, methods: int, seeds: int, training_noise: float, rng: np.random.Generator, war: float = WAR
    ) -> None:
        self.shape, self.war = shape, war
        self.label, self.subject = shape.labels(rng), shape.subject()
        fold = shape.fold()
        self._first_of_fold = np.flatnonzero(np.diff(fold)) + 1
        slope = _density(_ease(war, shape.class_shares), shape.class_shares)
        hard = self._effect(rng, CLIP_SHARE)
        self._hard = np.empty((methods, seeds, shape.clips))
        for method in range(methods):
            self._hard[method] = hard + self._effect(rng, METHOD_SHARE)
            self._hard[method] += RUN_SHARE**0.5 * rng.standard_normal((seeds, shape.clips))
        self._training = training_noise / slope * rng.standard_normal((methods, seeds, shape.folds))
        self._hard -= np.repeat(self._training, np.bincount(fold), axis=-1)
        self._hard -= CLASS_OFFSETS[self.label]

    def hits(self) -> np.ndarray:
        """int8 (M, S, N): whether each run is right."""
        return self._easier_than(self._hard, 0.0)

    def hits_of_leader(self, lead: float) -> np.ndarray:
        """int8 (S, N): whether each run of the first method would be right if its WAR were higher by `lead`."""
        return self._easier_than(self._hard[0], lead)

    def outcomes(self, values: np.ndarray) -> Outcomes:
        """Hits (..., S, N), or the differences of those of two methods."""
        of_fold = np.split(values, self._first_of_fold, axis=-1)
        return Outcomes(of_fold, self.label, np.arange(self.shape.clips), self.subject)

    def truth(self, metric: Metric) -> np.ndarray:
        """(M,) on infinitely many clips and trainings; of a single training, on infinitely many clips."""
        ease = np.full(len(self._hard), _ease(self.war, self.shape.class_shares))
        if self._training[0].size == 1:
            ease += self._training[:, 0, 0]
        recall = ndtr(ease[:, None] + CLASS_OFFSETS)
        return recall @ self.shape.class_shares if metric == "war" else recall.mean(axis=-1)

    def _easier_than(self, hard: np.ndarray, lead: float) -> np.ndarray:
        return (hard < _ease(self.war + lead, self.shape.class_shares)).astype(np.int8)

    def _effect(self, rng: np.random.Generator, variance: float) -> np.ndarray:
        """(N,) standard normal effects of clips and people, of this variance."""
        alone = rng.standard_normal(self.shape.clips)
        if self.subject is not None:
            together = rng.standard_normal(self.shape.subjects)[self.subject]
            alone = (1 - SUBJECT_SHARE) ** 0.5 * alone + SUBJECT_SHARE**0.5 * together
        return variance**0.5 * alone


@lru_cache(maxsize=64)
def _ease(war: float, class_shares: tuple[float, ...]) -> float:
    """How easy clips must be for a method to have this WAR."""

    def surplus(ease: float) -> float:
        return float(ndtr(ease + CLASS_OFFSETS) @ class_shares) - war

    return float(brentq(surplus, -8, 8))


def _density(ease: float, class_shares: tuple[float, ...]) -> float:
    """By how much WAR rises with the ease of clips."""
    return float((np.exp(-((ease + CLASS_OFFSETS) ** 2) / 2) / np.sqrt(2 * np.pi)) @ class_shares)
