"""Where the marks of the page's charts stand: in per cent of the plot, so that a chart fits a screen of any width."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from matplotlib.ticker import MaxNLocator

from cefl_bench.functional.pareto import pareto_front
from cefl_bench.functional.plot_labels import Label, place_labels

PLOT = (290.0, 230.0)
"""Pixels of a scatter plot on a phone; a name that has room there has room everywhere."""
UNITS, TIMES = (60, 3600), (1, 3, 10, 30)
"""Ticks of times: so many minutes or hours."""
CHARACTER, LINE = 6.4, 13.0
"""Pixels: the mean width of a character of a label, and its height."""

Row = Mapping[str, Any]
Line = tuple[float, float, float, float]


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
        return next(
            n for n in (0, 1, 2, 3) if n == 3 or all(abs(100 * t - round(100 * t, n)) < 1e-6 for t in self.ticks)
        )

    def __call__(self, value: float) -> float:
        low, high = (math.log(end) for end in (self.low, self.high)) if self.log else (self.low, self.high)
        place = ((math.log(value) if self.log else value) - low) / (high - low)
        return round(100 * place, 2)


class Point(NamedTuple):
    """A method in a scatter plot; y counts from the top."""

    row: Row
    x: float
    y: float
    whisker: tuple[float, float] | None
    front: bool
    label: Label | None


class Scatter(NamedTuple):
    """Accuracy over cost. `front` holds the steps of the Pareto front as lines (x1, y1, x2, y2)."""

    points: list[Point]
    front: list[Line]
    x: Scale
    y: Scale
    missing: list[str]
    """Methods whose cost is not known."""


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
    unit = max((unit for unit in UNITS if in_seconds and unit <= low), default=1)
    close = linear_scale([value / unit for value in values], 4, 0.3)
    close = Scale(close.low * unit, close.high * unit, tuple(tick * unit for tick in close.ticks))
    if low <= 0 or high / low < 1.5:
        return close
    room = max((high / low) ** 0.08, 1.08)
    low, high = low / room, high * room
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        marks = [step * 10.0**decade for decade in decades for step in steps]
        if in_seconds:
            marks = [mark for mark in marks if mark < 60] + [step * unit for unit in UNITS for step in TIMES]
        ticks = tuple(mark for mark in marks if low <= mark <= high)
        if len(ticks) <= max_ticks:
            break
    else:
        ticks = ticks[:: math.ceil(len(ticks) / max_ticks)]
    return Scale(low, high, ticks, log=True) if len(ticks) > 2 else close


def scatter(
    rows: Sequence[Row], metric: str, key: str, name: Callable[[Row], str], plot: tuple[float, float] = PLOT
) -> Scatter | None:
    """The pooled `metric` (`war` or `uar`) of each row over the cost `key`; None where no cost is known."""
    known = [row for row in rows if row.get(key)]
    if not known:
        return None
    cost, value = [row[key] for row in known], [row["last"][f"{metric}_pooled"] for row in known]
    intervals = [row["last"].get(f"{metric}_interval") for row in known]
    x = cost_scale(cost, in_seconds=key.endswith("seconds"))
    y = rate_scale([*value, *(end for interval in intervals if interval for end in interval)])
    front = pareto_front(cost, value)
    order = [*reversed(front), *(i for i in range(len(known)) if i not in front)]
    places = {i: (x(cost[i]), 100 - y(value[i])) for i in order}
    points = [Point(known[i], *places[i], _whisker(y, intervals[i]), i in front, None) for i in order]
    steps = _steps([places[i] for i in front])
    labels = _labels(points, steps, [CHARACTER * len(name(point.row)) for point in points], plot)
    points = [point._replace(label=label) for point, label in zip(points, labels, strict=True)]
    return Scatter(points[::-1], steps, x, y, [name(row) for row in rows if not row.get(key)])


def _labels(points: Sequence[Point], steps: Sequence[Line], widths: Sequence[float], size: tuple[float, float]):
    """Labels that keep off each other, and off the lines where they can."""
    width, height = size[0] / 100, size[1] / 100
    lines = [*steps, *((point.x, point.whisker[0], point.x, point.whisker[1]) for point in points if point.whisker)]
    boxes = map(_upright, lines)
    thin = [(x1 * width - 1, y1 * height - 1, x2 * width + 1, y2 * height + 1) for x1, y1, x2, y2 in boxes]
    places = [(point.x * width, point.y * height) for point in points]
    return place_labels(places, widths, size, LINE, thin)


def _upright(line: Line) -> Line:
    """From left to right and from the top down."""
    x1, y1, x2, y2 = line
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def _whisker(scale: Scale, interval: Sequence[float] | None) -> tuple[float, float] | None:
    return None if interval is None else (100 - scale(interval[1]), 100 - scale(interval[0]))


def _steps(front: Sequence[tuple[float, float]]) -> list[Line]:
    """Best accuracy for at most this cost: flat until the next method of the front, to the end of the plot."""
    lines = []
    for (x, y), (next_x, next_y) in zip(front, [*front[1:], (100.0, front[-1][1])], strict=True):
        lines.append((x, y, next_x, y))
        if next_y != y:
            lines.append((next_x, y, next_x, next_y))
    return lines
