"""Folds, and parts of folds to validate on, with no subject on both sides."""

from collections.abc import Sequence

import numpy as np

from cefl_bench.errors import UserError


def subject_folds(
    labels: Sequence[int], subjects: Sequence[str], num_folds: int = 10, seed: int = 0, whose: str = "subject"
) -> dict[str, int]:
    """Assign subjects to folds so that every fold has about the same share of each class.

    Args:
        labels: (n,) class of each video.
        subjects: (n,) who is in each video, or what else must not be on both sides: `whose`, for messages.

    Returns:
        The test fold of every subject, 1..num_folds, sorted by subject.

    Raises:
        UserError: when there are fewer subjects than folds, or a fold got none.
    """
    from sklearn.model_selection import StratifiedGroupKFold  # takes a second, and only preparing a corpus needs it

    if (people := len(set(subjects))) < num_folds:
        raise UserError(
            f"{people} {whose}s cannot be spread over {num_folds} folds: expected at least one in each; is the "
            "corpus complete?"
        )
    label, subject = np.asarray(labels), np.asarray(subjects)
    splitter = StratifiedGroupKFold(num_folds, shuffle=True, random_state=seed)
    fold_of = {
        str(person): fold
        for fold, (_, test) in enumerate(splitter.split(label, label, subject), start=1)
        for person in subject[test]
    }
    if missing := set(range(1, num_folds + 1)) - set(fold_of.values()):
        raise UserError(f"folds {sorted(missing)} of {num_folds} got no {whose}: the corpus is too small for them")
    return dict(sorted(fold_of.items()))


def held_out(labels: Sequence[int], groups: Sequence[str], share: float, seed: int = 0) -> np.ndarray:
    """Choose about `share` of the videos of each class to validate on, whole groups of them.

    Args:
        labels: (n,) class of each video.
        groups: (n,) who is in each video, or where that is unknown, its name.

    Returns:
        (n,) bool; it does not depend on the order of the videos.

    Raises:
        UserError: when there is no subject to hold out, or a class would keep no training video.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    label, group = np.asarray(labels), np.asarray(groups)
    order = np.lexsort((label, group))
    label, group = label[order], group[order]
    people = len(set(groups))
    num_parts = min(round(1 / share), people, int(np.bincount(label).max()))
    held = np.zeros(len(label), dtype=bool)
    if num_parts > 1:
        options = dict(n_splits=num_parts, shuffle=True, random_state=seed)
        if people < len(label):
            parts = StratifiedGroupKFold(**options).split(label, label, group)
        else:  # the one for groups takes half a minute for the 30,000 single videos of a large corpus
            parts = StratifiedKFold(**options).split(label, label)
        held[next(parts)[1]] = True
    if not held.any() or set(label[~held]) != set(label):
        raise UserError(
            f"{len(label)} training videos of {people} subjects are too few to hold some out: expected every class to "
            "be left with a video to learn from; choose the last epoch instead"
        )
    return held[np.argsort(order)]
