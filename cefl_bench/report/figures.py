"""Figures at paper size: accuracy over MACs, recall per class, spread over folds. PDF to print, PNG to look at."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from cefl_bench.files import atomic_path
from cefl_bench.report.charts import Scale, rate_scale, scatter
from cefl_bench.report.naming import is_synthetic, percent, short_names, si

matplotlib.use("Agg")
from matplotlib import pyplot as plt

ONE_COLUMN, TWO_COLUMNS = 3.35, 6.9
"""Inches, as most two-column papers have them."""
BLUE, GREY, ORANGE, LIGHT = "#0072B2", "#6b7680", "#D55E00", "#e3e7eb"
"""Blue and orange of Okabe and Ito, which colour-blind readers tell apart."""
STYLE = {
    "font.family": "sans-serif",
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
    "text.parse_math": False,  # a $ in a name is a $
}

Table = Mapping[str, Any]


def write_figures(leaderboard: Mapping[str, Any], folder: str | Path) -> list[Path]:
    """Write `folder`/figures/<table>_<what>.pdf and .png of every table that has what a figure shows; their paths.

    Figures of tables that are no more go.
    """
    written: list[Path] = []
    with plt.rc_context(STYLE):
        for table in leaderboard["tables"]:
            for what, draw in FIGURES.items():
                if (figure := draw(table)) is not None:
                    written += _save(figure, Path(folder) / "figures", f"{_slug(table)}_{what}")
    for old in {*(Path(folder) / "figures").glob("*.p[dn][fg]")} - {*written}:
        old.unlink()
    return written


def draw_cost(table: Table) -> plt.Figure | None:
    """Pooled WAR over MACs with 95 % intervals and the Pareto front; None where no MACs are known."""
    size = (ONE_COLUMN, 2.55)
    inner = (0.82 * size[0] * 72, 0.8 * size[1] * 72)  # points, as the sizes of letters are
    short = short_names([row["method"] for row in table["rows"]])
    enlarged = (inner[0] * 1.65, inner[1] * 1.65)  # a letter of the page has 11.5 pixels, one here 7 points
    plot = scatter(table["rows"], "war", "macs", lambda row: short[row["method"]], enlarged)
    if plot is None:
        return None
    figure, axes = plt.subplots(figsize=size, layout="constrained")
    for x1, y1, x2, y2 in plot.front:
        axes.plot((x1, x2), (100 - y1, 100 - y2), color=BLUE, linewidth=0.8, alpha=0.6, zorder=1)
    for point in plot.points:
        colour = BLUE if point.front else GREY
        if point.whisker is not None:
            axes.plot((point.x,) * 2, [100 - end for end in point.whisker], color=colour, linewidth=0.6, alpha=0.5)
        axes.plot(point.x, 100 - point.y, "o", color=colour, markersize=4, markeredgecolor="white", markeredgewidth=0.5)
        if point.label is not None:
            axes.annotate(
                short[point.row["method"]],
                (point.x, 100 - point.y),
                (point.label.dx / 1.65, -point.label.dy / 1.65),
                textcoords="offset points",
                ha={"start": "left", "end": "right", "middle": "center"}[point.label.anchor],
                va="center",
                fontsize=7,
                fontweight="bold" if point.front else "normal",
                color="black" if point.front else "#444444",
            )
    axes.set_xticks([plot.x(tick) for tick in plot.x.ticks], [si(tick) for tick in plot.x.ticks])
    axes.set_yticks([plot.y(tick) for tick in plot.y.ticks], [percent(tick, plot.y.digits) for tick in plot.y.ticks])
    axes.set(xlim=(0, 100), ylim=(0, 100), xlabel="MACs of a test video", ylabel="WAR, %")
    axes.grid(color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)
    return _marked(figure, table)


def draw_recall(table: Table) -> plt.Figure | None:
    """Recall per class in per cent, a row per method."""
    rows = [row for row in table["rows"] if row.get("recall")]
    if not rows:
        return None
    short = short_names([row["method"] for row in table["rows"]])
    share = np.array([[np.nan if value is None else 100 * value for value in row["recall"]] for row in rows])
    figure, axes = plt.subplots(figsize=(TWO_COLUMNS, 0.55 + 0.19 * len(rows)), layout="constrained")
    axes.imshow(share, cmap="Blues", vmin=0, vmax=100, aspect="auto")
    for row, column in np.ndindex(share.shape):
        value = share[row, column]
        shown = "–" if np.isnan(value) else f"{value:.1f}"
        axes.text(column, row, shown, ha="center", va="center", fontsize=7, color="white" if value > 68 else "black")
    axes.set_xticks(range(len(table["classes"])), table["classes"])
    axes.set_yticks(range(len(rows)), [_name(row, short) for row in rows])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xticks(np.arange(-0.5, share.shape[1]), minor=True)
    axes.set_yticks(np.arange(-0.5, share.shape[0]), minor=True)
    axes.grid(which="minor", color="white", linewidth=1)
    axes.tick_params(which="minor", length=0)
    return _marked(figure, table)


def draw_spread(table: Table) -> plt.Figure | None:
    """WAR of every run, a row per method, with their mean; None where no method has two runs."""
    rows = [row for row in table["rows"] if row["runs"]]
    if all(len(row["runs"]) < 2 for row in rows):
        return None
    short = short_names([row["method"] for row in table["rows"]])
    scale: Scale = rate_scale([run["war"] for row in rows for run in row["runs"]])
    figure, axes = plt.subplots(figsize=(ONE_COLUMN, 0.55 + 0.19 * len(rows)), layout="constrained")
    for place, row in enumerate(rows):
        colour = ORANGE if row["external"] else BLUE
        axes.plot([run["war"] for run in row["runs"]], [place] * len(row["runs"]), "o", color=colour, alpha=0.5, ms=3.2)
        axes.plot((row["last"]["war_mean"],) * 2, (place - 0.32, place + 0.32), color="black", linewidth=1.1)
    axes.set_yticks(range(len(rows)), [_name(row, short) for row in rows])
    axes.set_xticks(scale.ticks, [percent(tick, scale.digits) for tick in scale.ticks])
    axes.set(xlim=(scale.low, scale.high), ylim=(len(rows) - 0.4, -0.6), xlabel="WAR of a run, % (bar: mean)")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)
    return _marked(figure, table)


FIGURES: dict[str, Callable[[Table], plt.Figure | None]] = {
    "war_macs": draw_cost,
    "recall": draw_recall,
    "spread": draw_spread,
}


def _marked(figure: plt.Figure, table: Table) -> plt.Figure:
    """Rendered faces are said to be so in the figure, where no caption can be lost."""
    if is_synthetic(table):
        figure.suptitle("synthetic: says nothing about real faces", fontsize=7, color=ORANGE)
    return figure


def _name(row: Mapping[str, Any], short: Mapping[str, str]) -> str:
    return short[row["method"]] + (" (external)" if row["external"] else "")


def _slug(table: Table) -> str:
    """A file name that tells the tables of one corpus apart."""
    words = f"{table['dataset']} {table['track']} {str(table['protocol_id'])[:6]}"
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")


def _save(figure: plt.Figure, folder: Path, name: str) -> list[Path]:
    paths = [folder / f"{name}.pdf", folder / f"{name}.png"]
    for path in paths:
        metadata = {"CreationDate": None} if path.suffix == ".pdf" else None  # the same numbers, the same file
        with atomic_path(path) as temporary:
            figure.savefig(temporary, dpi=300, metadata=metadata)
    plt.close(figure)
    return paths
