"""Cross-validation folds in which nobody stands on both sides."""

from collections.abc import Sequence

import numpy as np

from cefl_bench.errors import UserError


def subject_folds(labels: Sequence[int], subjects: Sequence[str], num_folds: int = 10, seed: int = 0) -> dict[str, int]:
    """Share subjects out over folds so that every fold has about the same share of each class.

    Args:
        labels: (n,) class of each video.
        subjects: (n,) who is in each video.

    Returns:
        The test fold of every subject, 1..num_folds, sorted by subject.

    Raises:
        UserError: when there are fewer subjects than folds, or a fold got none.
    """
    from sklearn.model_selection import StratifiedGroupKFold  # takes a second, and only preparing a corpus needs it

    if (people := len(set(subjects))) < num_folds:
        raise UserError(
            f"{people} subjects cannot be shared out over {num_folds} folds: expected at least one in each; is the "
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
        raise UserError(f"folds {sorted(missing)} of {num_folds} got no subject: the corpus is too small for them")
    return dict(sorted(fold_of.items()))
