"""Scales of charts: from values to per cent of an axis, with ticks at round numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.ticker import MaxNLocator

UNITS, TIMES = (60, 3600), (1, 3, 10, 30)
"""Ticks of times: so many minutes or hours."""
STEPS = ((1, 2, 5), (1, 3), (1,))
"""Ticks within a decade, the first that are few enough."""
MIN_RATIO = 1.5
"""Largest over smallest value from which an axis is logarithmic."""
MAX_DIGITS = 3


@dataclass(frozen=True)
class Scale:
    """Maps a value to per cent of the axis."""

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False

    @property
    def digits(self) -> int:
        """How many digits behind the point the ticks of rates need in per cent."""
        for digits in range(MAX_DIGITS):
            if all(abs(100 * tick - round(100 * tick, digits)) < 1e-6 for tick in self.ticks):
                return digits
        return MAX_DIGITS

    def __call__(self, value: float) -> float:
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return round(100 * (value - low) / (high - low), 2)


def linear_scale(values: Sequence[float], num_ticks: int = 5, margin: float = 0.08) -> Scale:
    """A scale over the values and a margin, with ticks at round numbers."""
    low, high = min(values), max(values)
    room = margin * (high - low) or 0.02 * abs(high) or 0.5
    low, high = low - room, high + room
    ticks = MaxNLocator(num_ticks, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return Scale(low, high, tuple(round(float(tick), 9) for tick in ticks if low <= tick <= high))


def rate_scale(values: Sequence[float], num_ticks: int = 5) -> Scale:
    """A linear scale for rates, which ends at 0 and 1 and does not blow up differences of less than four points."""
    middle = (min(values) + max(values)) / 2
    scale = linear_scale([*values, middle - 0.02, middle + 0.02], num_ticks)
    low, high = max(scale.low, -0.005), min(scale.high, 1.005)
    return Scale(low, high, tuple(tick for tick in scale.ticks if low <= tick <= high))


def cost_scale(values: Sequence[float], in_seconds: bool = False, max_ticks: int = 5) -> Scale:
    """A logarithmic scale with ticks at 1, 2 and 5, of minutes and hours too; linear where values are close."""
    low, high = min(values), max(values)
    if low <= 0 or not MIN_RATIO <= high / low < math.inf:
        return _close_scale(values, in_seconds)
    room = max((high / low) ** 0.08, 1.08)
    low, high = low / room, high * room
    ticks: tuple[float, ...] = ()
    for steps in STEPS:
        ticks = tuple(mark for mark in _marks(low, high, steps, in_seconds) if low <= mark <= high)
        if len(ticks) <= max_ticks:
            break
    else:
        ticks = ticks[:: math.ceil(len(ticks) / max_ticks)]
    return Scale(low, high, ticks, log=True) if len(ticks) > 2 else _close_scale(values, in_seconds)


def _close_scale(values: Sequence[float], in_seconds: bool) -> Scale:
    """A linear scale of the largest unit of time that none of the values is below."""
    unit = max([1, *(unit for unit in UNITS if in_seconds and unit <= min(values))])
    scale = linear_scale([value / unit for value in values], 4, 0.3)
    return Scale(scale.low * unit, scale.high * unit, tuple(tick * unit for tick in scale.ticks))


def _marks(low: float, high: float, steps: Sequence[int], in_seconds: bool) -> list[float]:
    """Candidates for the ticks of a logarithmic scale."""
    marks: list[float] = []
    for decade in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        marks += [step * 10.0**decade for step in steps]
    if not in_seconds:
        return marks
    marks = [mark for mark in marks if mark < UNITS[0]]
    for unit in UNITS:
        marks += [count * unit for count in TIMES]
    return marks
