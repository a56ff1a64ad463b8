"""Folds: nobody on both sides, every class in every fold, the same for the same seed."""

import numpy as np
import pytest

from cefl_bench.errors import UserError
from cefl_bench.functional.folds import subject_folds

PEOPLE, CLASSES = 30, 6


def corpus():
    """Videos of 30 people, some of whom showed an emotion twice."""
    rng = np.random.default_rng(0)
    subjects = [f"S{person:03d}" for person in range(PEOPLE) for _ in range(CLASSES)]
    labels = [label for _ in range(PEOPLE) for label in range(CLASSES)]
    extra = rng.integers(PEOPLE * CLASSES, size=40)
    return labels + [labels[i] for i in extra], subjects + [subjects[i] for i in extra]


def test_every_subject_has_one_fold_and_every_fold_every_class():
    labels, subjects = corpus()
    fold_of = subject_folds(labels, subjects)
    assert list(fold_of) == sorted(set(subjects)) and set(fold_of.values()) == set(range(1, 11))
    fold = np.array([fold_of[subject] for subject in subjects])
    counts = np.array([np.bincount(np.array(labels)[fold == k], minlength=CLASSES) for k in range(1, 11)])
    assert counts.min() >= 1
    assert np.ptp(counts.sum(axis=1)) <= 0.35 * counts.sum(axis=1).mean(), "folds differ much in size"


def test_folds_follow_from_the_seed_and_not_from_the_order_on_disk():
    labels, subjects = corpus()
    shuffled = np.random.default_rng(1).permutation(len(labels))
    again = subject_folds([labels[i] for i in shuffled], [subjects[i] for i in shuffled])
    assert again == subject_folds(labels, subjects) != subject_folds(labels, subjects, seed=1)


def test_too_few_people_are_refused():
    with pytest.raises(UserError, match="9 subjects cannot be shared out over 10 folds"):
        subject_folds([0] * 9, [str(person) for person in range(9)])
