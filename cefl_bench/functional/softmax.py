"""Scores to probabilities in NumPy alone: loading SciPy's functions takes longer than most tools run."""

import numpy as np


def log_softmax(scores: np.ndarray, axis: int = -1) -> np.ndarray:
    """Scores -> logarithms of probabilities along an axis, of the same shape. A score of -inf has probability 0."""
    shifted = scores - scores.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def softmax(scores: np.ndarray, axis: int = -1) -> np.ndarray:
    """Scores -> probabilities along an axis, of the same shape. A score of -inf has probability 0."""
    powers = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)
