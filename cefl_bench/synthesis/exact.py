"""Arithmetic that gives the same bits on every processor.

IEEE 754 fixes the result of +, -, *, /, the square root, comparing and rounding, so NumPy computes these alike with any
vector instructions. Nothing fixes the last bit of exp, sin or power (NumPy and the C library choose a version by the
processor), nor the order in which a library adds up `a @ b`, `convolve` or `norm`. So all that a pixel depends on is
computed with the former, and what goes into a long sum is first rounded to a grid: float64 holds products and sums of
multiples of 2^-16 exactly, up to 2^21, and an exact sum has no order.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

STEPS_PER_UNIT = 2.0**16
SINE_TERMS = (16, 14, 12, 10, 8, 6, 4, 2)  # n of the factors 1 / (n (n + 1)) of the series up to x^17
TAU = 6.283185307179586


def on_grid(values: ArrayLike) -> np.ndarray:
    """Round to multiples of 2^-16, as float64."""
    return np.rint(np.asarray(values, np.float64) * STEPS_PER_UNIT) / STEPS_PER_UNIT


def sine(radians: ArrayLike) -> np.ndarray:
    """The sine by its Taylor series, in float64; the error is below 1e-6."""
    turns = np.asarray(radians, np.float64) / TAU
    x = (turns - np.rint(turns)) * TAU
    square = x * x
    series = np.ones_like(square)
    for n in SINE_TERMS:
        series = 1 - square / (n * (n + 1)) * series
    return x * series


def cosine(radians: ArrayLike) -> np.ndarray:
    """The cosine, as exact as `sine`."""
    return sine(np.asarray(radians, np.float64) + TAU / 4)


def fall_off(distance: ArrayLike) -> np.ndarray:
    """A bell that takes the place of exp(-distance): (1 - distance / 16)^16, and 0 from 16 on."""
    return power(np.maximum(1 - np.asarray(distance) / 16, 0), 16)


def power(values: np.ndarray, exponent: int) -> np.ndarray:
    """Values to a whole power of at least 1, by squaring."""
    result, square = None, values
    while exponent:
        if exponent % 2:
            result = square if result is None else result * square
        square, exponent = square * square, exponent // 2
    assert result is not None
    return result


def smoothstep(x: ArrayLike) -> np.ndarray:
    """0 up to x = 0, 1 from x = 1 on, and a smooth rise between them."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def interpolate(x: ArrayLike, places: Sequence[float], values: Sequence[float]) -> np.ndarray:
    """What `np.interp` gives: values at rising places, joined by straight lines and constant outside."""
    result = np.full(np.shape(x), values[0], np.float64)
    for left in range(len(places) - 1):
        share = np.clip((np.asarray(x) - places[left]) / (places[left + 1] - places[left]), 0, 1)
        result = result + share * (values[left + 1] - values[left])
    return result


def dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The sum of products over the last axis, which has three elements, from the first to the last."""
    return a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1] + a[..., 2] * b[..., 2]


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (.., 3) scaled to length 1; a vector of length 0 stays 0."""
    return vectors / np.maximum(np.sqrt(dot(vectors, vectors)), 1e-12)[..., None]
