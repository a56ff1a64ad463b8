"""How trainings went, for report.html: where the lines of scores, losses and learning rates run, one for each run."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.ticker import MaxNLocator

from cefl_bench.report.board import METRICS, Row, RunLine
from cefl_bench.report.scales import Scale, linear_scale, rate_scale

TOTAL = "loss"
PART_STYLES = ("part1", "part2", "part3", "part4")
"""Of the losses in a sum, in turn."""
History = Sequence[Mapping[str, float | None]]


class Key(NamedTuple):
    """A value of the history, its name in the legend, and the class that draws it."""

    key: str
    name: str
    style: str


class Line(NamedTuple):
    """A value of a run over its epochs: `points` of a polyline, in per cent of the plot."""

    style: str
    run: str
    points: str


class Panel(NamedTuple):
    """A plot; ticks are (place in per cent, text), y counts from the top."""

    title: str
    metric: str
    """The accuracy that must be chosen for it to be shown; empty where it always is."""
    x: list[tuple[float, str]]
    y: list[tuple[float, str]]
    lines: list[Line]
    legend: list[Key]


class Course(NamedTuple):
    """The trainings of a method."""

    title: str
    panels: list[Panel]


def courses(rows: Sequence[Row]) -> list[Course]:
    """One for each method with a history. Axes of scores are common to all, others are a method's own."""
    rows = [row for row in rows if any(run["history"] for run in row["runs"])]
    runs: list[RunLine] = []
    for row in rows:
        runs += row["runs"]
    found = []
    for row in rows:
        panels = []
        for metric in METRICS:
            keys = [Key(metric, "test", "test"), Key(f"val_{metric}", "held-out", "held-out")]
            panels.append(_panel(f"{metric.upper()}, %", row["runs"], keys, runs, metric))
        panels.append(_panel("loss, training", row["runs"], _losses(row["runs"]), row["runs"]))
        panels.append(_panel("learning rate", row["runs"], [Key("lr", "", "rate")], row["runs"]))
        found.append(Course(row["title"], [panel for panel in panels if panel is not None]))
    return found


def _losses(runs: Sequence[RunLine]) -> list[Key]:
    """The sum, and what it is made of where that is more than one loss."""
    parts: dict[str, None] = {}
    for run in runs:
        for line in run["history"]:
            parts |= dict.fromkeys(key for key in line if key.startswith(f"{TOTAL}_"))
    if len(parts) < 2:
        return [Key(TOTAL, "", "sum")]
    found = [Key(TOTAL, "sum", "sum")]
    for place, part in enumerate(parts):
        found.append(Key(part, part.removeprefix(f"{TOTAL}_"), PART_STYLES[place % len(PART_STYLES)]))
    return found


def _panel(
    title: str, runs: Sequence[RunLine], keys: Sequence[Key], compared: Sequence[RunLine], metric: str = ""
) -> Panel | None:
    """The lines of some values of runs, on the axes of the runs that they are compared with; None without a value."""
    values: list[float] = []
    for run in compared:
        for key in keys:
            values += [value for _, value in _known(run["history"], key.key)]
    if not values:
        return None
    y = rate_scale([0.0, *values], 3) if metric else linear_scale([min(0.0, *values), *values], 3)
    x = _epochs(max(len(run["history"]) for run in runs))
    lines: dict[tuple[str, str], Line] = {}  # runs that share a learning rate share its line
    shown = []
    for key in keys:
        before = len(lines)
        for run in runs:
            points = [f"{x(epoch)},{round(100 - y(value), 2)}" for epoch, value in _known(run["history"], key.key)]
            if points:
                points = points * 2 if len(points) == 1 else points  # with round ends, a line of no length is a dot
                line = Line(key.style, _name(run), " ".join(points))
                lines.setdefault((line.style, line.points), line)
        if len(lines) > before:
            shown.append(key)
    written = (lambda tick: f"{100 * tick:.{y.digits}f}") if metric else (lambda tick: f"{tick:g}")
    ticks = [(round(100 - y(tick), 2), written(tick)) for tick in y.ticks]
    legend = shown if len(shown) > 1 else []
    return Panel(title, metric, [(x(tick), f"{tick:g}") for tick in x.ticks], ticks, [*lines.values()], legend)


def _epochs(last: int) -> Scale:
    if last < 2:
        return Scale(0, 2, (1,))
    ticks = MaxNLocator(4, integer=True).tick_values(1, last)
    return Scale(1, last, tuple(float(tick) for tick in ticks if 1 <= tick <= last))


def _known(history: History, key: str) -> list[tuple[float, float]]:
    """(epoch, value) where the history has one."""
    found = []
    for line in history:
        epoch, value = line.get("epoch"), line.get(key)
        if epoch is not None and value is not None:
            found.append((epoch, value))
    return found


def _name(run: RunLine) -> str:
    return f"fold {run['fold']}" + ("" if run["seed"] is None else f", seed {run['seed']}")
