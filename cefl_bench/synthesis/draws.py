"""Random draws that depend on their key alone: not on the processor, and not on how NumPy draws in its next release.

NumPy promises that a bit generator's words stay the same, but not what `Generator` makes of them; and its normal, beta
or gamma draws use the C library's log and exp.
"""

from collections.abc import Sequence
from functools import cache
from statistics import NormalDist
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from cefl_bench.synthesis.exact import on_grid

Option = TypeVar("Option")
NUM_QUANTILES = 2**16


@cache
def normal_quantiles() -> np.ndarray:
    """The standard normal distribution as 65,536 equally likely values, on the grid.

    The rounding hides what two C libraries may disagree on: no quantile lies within 1e-11 of where two steps meet.
    """
    quantile = NormalDist().inv_cdf
    return on_grid([quantile((number + 0.5) / NUM_QUANTILES) for number in range(NUM_QUANTILES)])


class Draws:
    """A stream of random numbers. Every number it gives is on the grid of `exact`.

    Args:
        key: whole numbers that name the stream; streams of different keys are independent.
    """

    def __init__(self, *key: int) -> None:
        self._source = np.random.PCG64(np.random.SeedSequence(key))

    def uniforms(self, low: ArrayLike, high: ArrayLike, size: int | tuple[int, ...]) -> np.ndarray:
        """Numbers between `low` and `high`, which are broadcast to `size`."""
        low = np.asarray(low, np.float64)
        return on_grid(low + (np.asarray(high) - low) * self._shares(size))

    def uniform(self, low: float, high: float) -> float:
        return float(self.uniforms(low, high, ()))

    def normals(self, mean: ArrayLike, spread: ArrayLike, size: int | tuple[int, ...]) -> np.ndarray:
        """Normal numbers of a mean and a standard deviation, which are broadcast to `size`."""
        return on_grid(np.asarray(mean) + np.asarray(spread) * normal_quantiles()[self.levels(size)])

    def normal(self, mean: float, spread: float) -> float:
        return float(self.normals(mean, spread, ()))

    def levels(self, size: int | tuple[int, ...]) -> np.ndarray:
        """Whole numbers from 0 to 65,535 (uint16), each as likely as the others."""
        count = int(np.prod(size, dtype=np.int64))
        words = self._source.random_raw(-(-count // 4)).astype("<u8").view("<u2")
        return words[:count].reshape(size)

    def integer(self, low: int, high: int) -> int:
        """A whole number from `low` to `high` - 1."""
        return low + int((high - low) * self._shares(()))

    def hits(self, chance: float, size: int) -> np.ndarray:
        """For each of `size` places, whether something that has this chance happens there (bool)."""
        return self._shares(size) < chance

    def happens(self, chance: float) -> bool:
        return bool(self._shares(()) < chance)

    def pick(self, options: Sequence[Option]) -> Option:
        return options[self.integer(0, len(options))]

    def _shares(self, size: int | tuple[int, ...]) -> np.ndarray:
        """Numbers from 0 up to but not including 1, multiples of 2^-53 (float64)."""
        count = int(np.prod(size, dtype=np.int64))
        return ((self._source.random_raw(count) >> np.uint64(11)) * 2.0**-53).reshape(size)
