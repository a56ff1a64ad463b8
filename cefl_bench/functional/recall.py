"""UAR, WAR, F1 and the confusion matrix, from labels and predictions. Pure NumPy.

UAR (unweighted average recall) is the mean of the per-class recalls over the classes that occur; WAR (weighted average
recall) weighs them by the class counts and so equals the accuracy.
"""

import numpy as np

UNANSWERED = -1
"""Prediction of a clip that has none (it could not be read). It counts as wrong, and is in no column."""


def confusion_matrix(label: np.ndarray, pred: np.ndarray, num_classes: int) -> np.ndarray:
    """(n,) labels and (n,) predictions -> (K, K) counts, rows true, columns predicted, of the clips that have a
    prediction.

    Raises:
        ValueError: when a label is outside 0..K-1, or a prediction outside -1..K-1.
    """
    label, pred = np.asarray(label, dtype=np.int64), np.asarray(pred, dtype=np.int64)
    for what, values, low in (("label", label, 0), ("prediction", pred, UNANSWERED)):
        outside = values[(values < low) | (values >= num_classes)]
        if outside.size:
            raise ValueError(f"{what} {outside[0]} is outside {low}..{num_classes - 1}")
    matrix = np.zeros((num_classes, num_classes), dtype=np.int64)
    answered = pred != UNANSWERED
    np.add.at(matrix, (label[answered], pred[answered]), 1)
    return matrix


def chance_limit(support: np.ndarray) -> float:
    """(K,) clips per class -> the UAR that guessing stays below in 97.5 % of cases.

    Guessing has a UAR of 1/K on average. Its standard deviation is largest when guesses are spread evenly over the
    classes: then each recall is a binomial share of probability 1/K. Of very few clips guessing reaches all.
    """
    support = np.asarray(support)[np.asarray(support) > 0]
    chance = 1 / len(support)
    limit = chance + 1.96 * np.sqrt((chance * (1 - chance) / support).sum()) * chance
    return min(float(limit), 1.0)


def recall_scores(label: np.ndarray, pred: np.ndarray, num_classes: int) -> dict:
    """All scores of (n,) predictions against (n,) labels.

    Returns:
        `uar`, `war`, `f1_macro`, `f1_weighted` in 0..1; `per_class` (K,) recalls, NaN for a class that never occurs;
        `confusion_matrix` (K, K); `support` (K,) clips per class; `unanswered` number of clips.

    `uar` and `f1_macro` average over the classes that occur as a label; a class that is never predicted has F1 0.
    """
    label = np.asarray(label, dtype=np.int64)
    if label.size == 0:
        raise ValueError("no clip to score: expected at least one")
    matrix = confusion_matrix(label, pred, num_classes)
    support = np.bincount(label, minlength=num_classes)
    occurs = support > 0
    hits = np.diag(matrix)
    per_class = np.full(num_classes, np.nan)
    per_class[occurs] = hits[occurs] / support[occurs]
    f1 = 2 * hits / np.maximum(support + matrix.sum(axis=0), 1)
    return {
        "uar": float(per_class[occurs].mean()),
        "war": float(hits.sum() / support.sum()),
        "f1_macro": float(f1[occurs].mean()),
        "f1_weighted": float((f1 * support).sum() / support.sum()),
        "per_class": per_class,
        "confusion_matrix": matrix,
        "support": support,
        "unanswered": int((np.asarray(pred) == UNANSWERED).sum()),
    }


def predicted_class(scores: np.ndarray) -> np.ndarray:
    """(n, K) scores -> (n,) class of the highest one, or `UNANSWERED` where the scores are NaN."""
    scores = np.asarray(scores, dtype=np.float64)
    unanswered = np.isnan(scores).any(axis=1)
    return np.where(unanswered, UNANSWERED, np.where(np.isnan(scores), -np.inf, scores).argmax(axis=1))
