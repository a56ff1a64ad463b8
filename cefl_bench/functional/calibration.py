"""Whether scores are probabilities, and the temperature that makes them some."""

import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.functional.recall import chance_limit, recall_scores
from cefl_bench.functional.softmax import log_softmax

NUM_BINS = 15
"""Of equal width over 0..1, as in Guo et al."""
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 50.0
"""Between which it is looked for."""
MIN_BELIEVED, MAX_BELIEVED = 0.2, 10.0
"""A temperature beyond these is what the search ends at when nearly all answers are right, or scores hardly differ."""
MIN_VIDEOS = 30
"""Fewer say nothing of a calibration."""


def expected_calibration_error(probabilities: np.ndarray, label: np.ndarray) -> float:
    """(n, K) probabilities, (n,) labels -> the mean gap between how sure a model is and how often it is right, 0..1.

    Guo et al., On Calibration of Modern Neural Networks, ICML 2017, https://arxiv.org/abs/1706.04599, equation 3.
    """
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == label
    bins = np.clip(np.ceil(sure * NUM_BINS).astype(int) - 1, 0, NUM_BINS - 1)
    gaps = np.bincount(bins, weights=right - sure, minlength=NUM_BINS)
    return float(np.abs(gaps).sum() / len(label))


def fit_temperature(logits: np.ndarray, label: np.ndarray) -> float:
    """(n, K) logits, (n,) labels of videos that were not trained on -> the number that logits are divided by.

    It minimises the mean negative log-likelihood (Guo et al., section 4.2).

    Raises:
        UserError: when the videos cannot tell it: too few, all answers right, or answers no better than chance.
    """
    from scipy.optimize import minimize_scalar  # half a second, which only a calibration needs to wait for

    right = int((logits.argmax(axis=1) == label).sum())
    videos = f"{right} of {len(label)} held-out videos are right"
    if len(label) < MIN_VIDEOS or right == len(label):
        raise UserError(f"{videos}: expected at least {MIN_VIDEOS}, some of them wrong, to fit a temperature")
    uar = recall_scores(label, logits.argmax(axis=1), logits.shape[1])["uar"]
    if uar <= (limit := chance_limit(np.bincount(label))):
        raise UserError(
            f"{videos}, a UAR of {uar:.3f}, and guessing has one of up to {limit:.3f}: no temperature makes guesses "
            "probabilities; train the model first"
        )

    def loss(log_temperature: float) -> float:
        return -float(log_softmax(logits / np.exp(log_temperature), axis=1)[np.arange(len(label)), label].mean())

    bounds = (np.log(MIN_TEMPERATURE), np.log(MAX_TEMPERATURE))
    temperature = float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))
    if not MIN_BELIEVED <= temperature <= MAX_BELIEVED:
        raise UserError(
            f"{videos}, and the temperature that fits best is {temperature:.3g}: expected {MIN_BELIEVED} to "
            f"{MAX_BELIEVED}; such a model cannot be calibrated this way"
        )
    return temperature
