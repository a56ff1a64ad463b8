"""Where the marks of accuracy over cost stand: in per cent of the plot, so that a chart fits a screen of any width."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from cefl_bench.functional.outcomes import Metric
from cefl_bench.functional.pareto import pareto_front
from cefl_bench.functional.plot_labels import Label, place_labels
from cefl_bench.functional.text_width import text_width
from cefl_bench.report.board import Row
from cefl_bench.report.scales import Scale, cost_scale, rate_scale

PLOT_SIZE = (290.0, 230.0)
"""Pixels of a scatter plot on a phone; a name that has room there has room everywhere."""
CHARACTER_WIDTH, LINE_HEIGHT = 6.4, 13.0
"""Pixels: the mean width of a character of a label, and its height."""

CostKey = Literal["macs", "latency_ms", "train_seconds"]
Line = tuple[float, float, float, float]


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


def scatter(
    rows: Sequence[Row],
    metric: Metric,
    key: CostKey,
    plot: tuple[float, float] = PLOT_SIZE,
    width: Callable[[Row], float] = lambda row: CHARACTER_WIDTH * text_width(row["title"]),
) -> Scatter | None:
    """The pooled metric of each row over a cost; None where no cost is known.

    Args:
        plot: size of the plot.
        width: of the name of a row in it.
    """
    cost: list[float] = []
    known: list[Row] = []
    for row in rows:
        value = row[key]
        if value:
            cost.append(value)
            known.append(row)
    if not known:
        return None
    rates = [row["headline"][metric]["pooled"] for row in known]
    x, y = cost_scale(cost, in_seconds=key == "train_seconds"), rate_scale([*rates, *_ends(known, metric)])
    front = pareto_front(cost, rates)
    order = [*reversed(front), *(i for i in range(len(known)) if i not in front)]
    places = {i: (x(cost[i]), 100 - y(rates[i])) for i in order}
    points = [
        Point(known[i], *places[i], _whisker(y, known[i]["headline"][metric]["interval"]), i in front, None)
        for i in order
    ]
    steps = _steps([places[i] for i in front])
    labels = _labels(points, steps, [width(point.row) for point in points], plot)
    points = [point._replace(label=label) for point, label in zip(points, labels, strict=True)]
    return Scatter(points[::-1], steps, x, y, [row["title"] for row in rows if not row[key]])


def _ends(rows: Sequence[Row], metric: Metric) -> list[float]:
    """The ends of all intervals."""
    ends: list[float] = []
    for row in rows:
        ends += row["headline"][metric]["interval"] or ()
    return ends


def _labels(
    points: Sequence[Point], steps: Sequence[Line], widths: Sequence[float], size: tuple[float, float]
) -> list[Label | None]:
    """Labels that keep off each other, and off the lines where they can."""
    width, height = size[0] / 100, size[1] / 100
    lines = [*steps]
    for point in points:
        if point.whisker is not None:
            lines.append((point.x, point.whisker[0], point.x, point.whisker[1]))
    thin = []
    for x1, y1, x2, y2 in map(_upright, lines):
        thin.append((x1 * width - 1, y1 * height - 1, x2 * width + 1, y2 * height + 1))
    places = [(point.x * width, point.y * height) for point in points]
    return place_labels(places, widths, size, LINE_HEIGHT, thin)


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
