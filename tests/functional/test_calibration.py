"""The temperature that was put in is the one that is found, and one that means nothing is refused."""

import numpy as np
import pytest
from scipy.special import softmax

from cefl_bench.errors import UserError
from cefl_bench.functional.calibration import expected_calibration_error, fit_temperature


def drawn(num, heat, seed=0, spread=2.0):
    """Logits of a model that is `heat` times too sure, and labels drawn by the true probabilities."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, spread, (num, 5))
    label = np.array([rng.choice(5, p=row) for row in softmax(logits, axis=1)])
    return logits * heat, label


@pytest.mark.parametrize("heat", [0.5, 1.0, 3.0])
def test_a_known_temperature_is_found(heat):
    logits, label = drawn(6000, heat)
    found = fit_temperature(logits, label)
    assert found == pytest.approx(heat, rel=0.06)
    after = expected_calibration_error(softmax(logits / found, axis=1), label)
    assert after < 0.02
    if heat != 1.0:
        assert expected_calibration_error(softmax(logits, axis=1), label) > 5 * after


def test_the_error_by_hand():
    """Two answers at 0.9, one of them right; two at 0.6, both right: (2 * 0.4 + 2 * 0.4) / 4."""
    probabilities = np.array([[0.9, 0.1], [0.1, 0.9], [0.6, 0.4], [0.4, 0.6]])
    assert expected_calibration_error(probabilities, np.array([0, 0, 0, 1])) == pytest.approx(0.4)
    assert expected_calibration_error(np.array([[1.0, 0.0]]), np.array([0])) == 0


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("all right", "60 of 60 held-out videos are right"),
        ("few", "of 20 held-out videos are right: expected at least 30"),
        ("chance", "guessing has one of up to"),
        ("mild chance", "guessing has one of up to"),
        ("one class", "guessing has one of up to"),
        ("too timid", "the temperature that fits best is"),
    ],
)
def test_a_temperature_that_means_nothing_is_refused(case, told):
    logits, label = drawn(20 if case == "few" else 60, 1.0)
    if case == "all right":
        label = logits.argmax(axis=1)
    elif case == "chance":
        logits, label = logits * 20, np.random.default_rng(5).integers(5, size=60)
    elif case == "mild chance":  # of such logits, many temperatures look believable
        logits, label = logits * 0.2, np.random.default_rng(5).integers(5, size=60)
    elif case == "one class":
        logits, label = logits + np.eye(5)[2] * 9, np.repeat([0, 1, 2, 2, 2, 3], 10)
    elif case == "too timid":
        logits = logits * 0.01
    with pytest.raises(UserError, match=told):
        fit_temperature(logits, label)
