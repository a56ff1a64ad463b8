"""Folds: nobody on both sides, every class in every fold, the same for the same seed."""

import numpy as np
import pytest

from cefl_bench.errors import UserError
from cefl_bench.functional.folds import held_out, subject_folds

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
    with pytest.raises(UserError, match="9 subjects cannot be spread over 10 folds"):
        subject_folds([0] * 9, [str(person) for person in range(9)])


def test_whole_people_are_held_out_a_share_of_every_class():
    labels, subjects = corpus()
    held = held_out(labels, subjects, 0.1)
    inside, outside = ({who for who, out in zip(subjects, held, strict=True) if out == side} for side in (True, False))
    assert len(inside) == 3 and not inside & outside
    shares = np.bincount(np.array(labels)[held], minlength=CLASSES) / np.bincount(labels)
    assert shares.min() > 0.05 and shares.max() < 0.15


def test_single_videos_are_held_out_where_nobody_knows_who_is_in_them():
    labels = [0] * 50 + [1] * 20
    held = held_out(labels, [f"v{number}" for number in range(70)], 0.2)
    assert np.bincount(np.array(labels)[held]).tolist() == [10, 4]


@pytest.mark.parametrize("single", [False, True], ids=["people", "videos"])
def test_who_is_held_out_does_not_follow_from_the_order_on_disk(single):
    labels, subjects = corpus()
    groups = [str(number) for number in range(len(labels))] if single else subjects
    held = held_out(labels, groups, 0.1)
    order = np.random.default_rng(1).permutation(len(labels))
    assert (held_out([labels[i] for i in order], [groups[i] for i in order], 0.1) == held[order]).all()
    assert (held_out(labels, groups, 0.1, seed=1) != held).any()


@pytest.mark.parametrize(
    ("labels", "groups"),
    [([0, 1], "aa"), ([0, 0, 1], "abc"), ([0, 0, 1, 1], "aabb"), ([0, 1], "ab")],
    ids=["one person", "a class of one video", "a class of one person", "two videos"],
)
def test_a_class_is_never_left_without_a_video_to_learn_from(labels, groups):
    with pytest.raises(UserError, match="too few to hold some out"):
        held_out(labels, list(groups), 0.5)
