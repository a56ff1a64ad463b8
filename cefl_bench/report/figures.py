"""Figures at paper size: accuracy over MACs, recall per class, spread over folds. PDF to print, PNG to look at."""

import re
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np

from cefl_bench.files import atomic_path
from cefl_bench.report.board import Leaderboard, Row, Table
from cefl_bench.report.charts import Point, scatter
from cefl_bench.report.lettering import Lettering, class_numbers, lettering
from cefl_bench.report.naming import NOTHING, is_synthetic, percent, si
from cefl_bench.report.scales import rate_scale

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

ONE_COLUMN, TWO_COLUMNS = 3.35, 6.9
"""Inches, as most two-column papers have them."""
ROW_INCHES, FRAME_INCHES = 0.19, 0.55
"""Height of a method in a figure of rows, and of what is around them."""
BLUE, GREY, ORANGE, LIGHT = "#0072B2", "#6b7680", "#D55E00", "#e3e7eb"
"""Blue and orange of Okabe and Ito, which colour-blind readers tell apart."""
LABEL_POINTS = 7
"""Size of the letters beside a mark."""
CHART_LINE_POINTS = 7.9
"""Height of such a line; a line of the page's charts is 13 pixels."""
MAX_CLASS_LETTERS = 80
"""Letters of all class names that fit beside one another over two columns; more of them are turned."""
MAX_SLUG_LENGTH = 20
"""Characters of a corpus and of a track in a file name."""
MIN_SHARE_WHITE = 68
"""Per cent from which a cell is so dark that its text is white."""
STYLE: dict[Any, Any] = {
    "font.size": 7.5,
    "axes.labelsize": 7.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.linewidth": 0.6,
    "axes.edgecolor": GREY,
    "xtick.color": "#333333",
    "ytick.color": "#333333",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "pdf.fonttype": 42,  # TrueType, embedded: publishers refuse Type 3
    "svg.fonttype": "none",
}


class Names(NamedTuple):
    """What a figure calls the methods and the classes of a table."""

    methods: dict[str, str]
    classes: list[str]

    def of(self, row: Row) -> str:
        return self.methods[row["method"]]


def write_figures(leaderboard: Leaderboard, folder: str | Path) -> list[Path]:
    """Write `folder`/figures/<table>_<what>.pdf and .png of every table that has what a figure shows; their paths.

    Figures of tables that no longer exist are removed.
    """
    written: list[Path] = []
    for table, name in zip(leaderboard["tables"], _file_names(leaderboard["tables"]), strict=True):
        names, drawn = figure_names(table)
        with plt.rc_context(STYLE), drawn.applied():
            for what, draw in FIGURES.items():
                figure = draw(table, names)
                if figure is not None:
                    written += _save(figure, Path(folder) / "figures", f"{name}_{what}")
    for old in {*(Path(folder) / "figures").glob("*.p[dn][fg]")} - {*written}:
        old.unlink()
    return written


def draw_cost(table: Table, names: Names) -> Figure | None:
    """Pooled WAR over MACs with 95 % intervals and the Pareto front; None where no MACs are known."""
    width, height = ONE_COLUMN, 2.55
    scale = 13.0 / CHART_LINE_POINTS  # the chart is laid out in pixels of the page
    plot = scatter(
        table["rows"],
        "war",
        "macs",
        (0.82 * width * 72 * scale, 0.8 * height * 72 * scale),
        lambda row: scale * _text_points(names.of(row)),
    )
    if plot is None:
        return None
    figure, axes = plt.subplots(figsize=(width, height), layout="constrained")
    for x1, y1, x2, y2 in plot.front:
        axes.plot((x1, x2), (100 - y1, 100 - y2), color=BLUE, linewidth=0.8, alpha=0.6, zorder=1)
    for point in plot.points:
        _draw_point(axes, point, names.of(point.row), scale)
    axes.set_xticks([plot.x(tick) for tick in plot.x.ticks], [si(tick) for tick in plot.x.ticks])
    axes.set_yticks([plot.y(tick) for tick in plot.y.ticks], [percent(tick, plot.y.digits) for tick in plot.y.ticks])
    axes.set(xlim=(0, 100), ylim=(0, 100), xlabel="MACs of a test video", ylabel="WAR, %")
    axes.grid(color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)
    return _marked(figure, table)


def _draw_point(axes: Axes, point: Point, name: str, scale: float) -> None:
    colour, x, y = BLUE if point.front else GREY, point.x, 100 - point.y
    if point.whisker is not None:
        axes.plot((x, x), [100 - end for end in point.whisker], color=colour, linewidth=0.6, alpha=0.5)
    axes.plot(x, y, "o", color=colour, markersize=4, markeredgecolor="white", markeredgewidth=0.5)
    if point.label is not None:
        axes.annotate(
            name,
            (x, y),
            (point.label.dx / scale, -point.label.dy / scale),
            textcoords="offset points",
            ha={"start": "left", "end": "right", "middle": "center"}[point.label.anchor],
            va="center",
            fontsize=LABEL_POINTS,
            fontweight="bold" if point.front else "normal",
            color="black" if point.front else "#444444",
        )


def draw_recall(table: Table, names: Names) -> Figure | None:
    """Recall per class in per cent, a row per method; a dash for a class without test clips."""
    rows = table["rows"]
    if not rows:
        return None
    share = np.array([[np.nan if value is None else 100 * value for value in row["recall"]] for row in rows])
    figure, axes = plt.subplots(figsize=(TWO_COLUMNS, FRAME_INCHES + ROW_INCHES * len(rows)), layout="constrained")
    axes.imshow(share, cmap="Blues", vmin=0, vmax=100, aspect="auto")
    for row, column in np.ndindex(share.shape):
        value = share[row, column]
        shown = NOTHING if np.isnan(value) else f"{value:.1f}"
        colour = "white" if value > MIN_SHARE_WHITE else "black"
        axes.text(column, row, shown, ha="center", va="center", fontsize=7, color=colour)
    axes.set_xticks(range(len(names.classes)), names.classes)
    if sum(map(len, names.classes)) > MAX_CLASS_LETTERS:
        axes.tick_params(axis="x", labelrotation=30)
        plt.setp(axes.get_xticklabels(), ha="left", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), [_label(row, names) for row in rows])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xticks(np.arange(-0.5, share.shape[1]), minor=True)
    axes.set_yticks(np.arange(-0.5, share.shape[0]), minor=True)
    axes.grid(which="minor", color="white", linewidth=1)
    axes.tick_params(which="minor", length=0)
    return _marked(figure, table)


def draw_spread(table: Table, names: Names) -> Figure | None:
    """WAR of every run, a row per method, with their mean; None where no method has two runs."""
    rows = table["rows"]
    if all(len(row["runs"]) < 2 for row in rows):
        return None
    wars = {row["method"]: [run["war"] for run in row["runs"]] for row in rows}
    scale = rate_scale(list(chain.from_iterable(wars.values())))
    figure, axes = plt.subplots(figsize=(ONE_COLUMN, FRAME_INCHES + ROW_INCHES * len(rows)), layout="constrained")
    for place, row in enumerate(rows):
        colour, mean = ORANGE if row["external"] else BLUE, row["headline"]["war"]["mean"]
        axes.plot(wars[row["method"]], [place] * len(row["runs"]), "o", color=colour, alpha=0.5, ms=3.2)
        axes.plot((mean, mean), (place - 0.32, place + 0.32), color="black", linewidth=1.1)
    axes.set_yticks(range(len(rows)), [_label(row, names) for row in rows])
    axes.set_xticks(scale.ticks, [percent(tick, scale.digits) for tick in scale.ticks])
    axes.set(xlim=(scale.low, scale.high), ylim=(len(rows) - 0.4, -0.6), xlabel="WAR of a run, % (bar: mean)")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)
    return _marked(figure, table)


FIGURES: dict[str, Callable[[Table, Names], Figure | None]] = {
    "war_macs": draw_cost,
    "recall": draw_recall,
    "spread": draw_spread,
}


def figure_names(table: Table) -> tuple[Names, Lettering]:
    """Titles and class names as figures can have them."""
    rows, classes = table["rows"], table["classes"]
    titles, configs = [row["title"] for row in rows], [row["method"] for row in rows]
    drawn = lettering([*titles, *classes], [*configs, *class_numbers(classes)])
    return Names(dict(zip(configs, drawn.names, strict=False)), drawn.names[len(rows) :]), drawn


def _text_points(text: str) -> float:
    """Width of a text beside a mark, in points."""
    return float(TextPath((0, 0), text, size=LABEL_POINTS, prop=FontProperties(weight="bold")).get_extents().width)


def _label(row: Row, names: Names) -> str:
    external = " (external)" if row["external"] else ""
    chance = f" ({row['runs_at_chance']} at chance)" if row["runs_at_chance"] else ""
    return names.of(row) + external + chance


def _marked(figure: Figure, table: Table) -> Figure:
    """Rendered faces are said to be so in the figure, where no caption can be lost."""
    if is_synthetic(table):
        figure.suptitle("synthetic: says nothing about real faces", fontsize=7, color=ORANGE)
    return figure


def _file_names(tables: Sequence[Table]) -> list[str]:
    """A file name for each table, which tells those of one corpus apart."""
    names: list[str] = []
    for table in tables:
        words = f"{table['dataset'][:MAX_SLUG_LENGTH]} {table['track'][:MAX_SLUG_LENGTH]} {table['protocol_id'][:6]}"
        slug = re.sub(r"[^\w]+", "_", words.lower()).strip("_")
        names.append(f"{slug}_{len(names)}" if slug in names else slug)
    return names


def _save(figure: Figure, folder: Path, name: str) -> list[Path]:
    paths = [folder / f"{name}.pdf", folder / f"{name}.png"]
    for path in paths:
        metadata = {"CreationDate": None} if path.suffix == ".pdf" else None  # the same numbers, the same file
        with atomic_path(path) as temporary:
            figure.savefig(temporary, dpi=300, metadata=metadata)
    plt.close(figure)
    return paths
