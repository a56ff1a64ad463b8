"""The figure of an audit: what is left of WAR and UAR with each change of the frames."""

from pathlib import Path

import matplotlib

from cefl_bench.files import atomic_path
from cefl_bench.functional.outcomes import Metric
from cefl_bench.report.audit import heading
from cefl_bench.report.board import METRICS
from cefl_bench.report.figures import BLUE, GREY, LIGHT, ORANGE, STYLE
from cefl_bench.report.lettering import lettering
from cefl_bench.report.naming import percent, points
from cefl_bench.runs.audit import Audit, TimeCost

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

WIDTH, ROW_INCHES, FRAME_INCHES = 6.9, 0.3, 1.15
"""Of the figure, of a row, and of what is around the rows."""
MIN_RANGE = 8.0
"""Per cent that an axis spans at least, so that next to nothing looks like next to nothing."""
LABEL_SHARE = 0.16
"""Of an axis, beside the lowest mark, for the number there."""


def draw_audit(audit: Audit, path: str | Path) -> None:
    """Draw a row for each change: the rate that is left, its distance from that as sampled, and the interval of it."""
    drawn = lettering([audit["title"]], [audit["method"]])
    note = "orange: certainly another WAR"
    if "synthetic" in audit["dataset"].lower():
        note += "; synthetic: says nothing about real faces"
    with plt.rc_context(STYLE), drawn.applied():
        height = FRAME_INCHES + ROW_INCHES * len(audit["costs"])
        figure, panels = plt.subplots(1, 2, figsize=(WIDTH, height), sharey=True, layout="constrained")
        for axes, metric in zip(panels, METRICS, strict=True):
            _draw_panel(axes, audit, metric)
        panels[0].set_yticks(range(len(audit["costs"])), [cost["change"] for cost in audit["costs"]])
        panels[0].set_ylim(len(audit["costs"]) - 0.5, -0.75)
        figure.suptitle(drawn.names[0] + heading(audit).removeprefix(audit["title"]), fontsize=8, x=0.01, ha="left")
        figure.supxlabel(note, fontsize=7, color=ORANGE)
        with atomic_path(path) as temporary:
            figure.savefig(temporary, dpi=200, format="png")
        plt.close(figure)


def _draw_panel(axes: Axes, audit: Audit, metric: Metric) -> None:
    as_sampled = 100 * audit[metric]
    lowest = highest = as_sampled
    for place, cost in enumerate(audit["costs"]):
        low, high = _draw_row(axes, place, as_sampled, cost, metric)
        lowest, highest = min(lowest, low), max(highest, high)
    span = max(highest - lowest, MIN_RANGE)
    axes.set_xlim(lowest - LABEL_SHARE * span - (span - (highest - lowest)) / 2, highest + 0.05 * span)
    axes.axvline(as_sampled, color="black", linewidth=0.9, zorder=1)
    axes.text(as_sampled, -0.6, f"as sampled {percent(audit[metric])} ", ha="right", va="center", fontsize=7)
    if metric == "uar":
        _draw_chance(axes, 100 / len({*audit["labels"]}))
    axes.set_xlabel(f"{metric.upper()}, %, and the 95 % interval of the difference")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)


def _draw_row(axes: Axes, place: int, as_sampled: float, cost: TimeCost, metric: Metric) -> tuple[float, float]:
    """Draw a change; returns the lowest and the highest rate that is shown of it."""
    rate, ends = 100 * cost[metric], cost["war_interval"] if metric == "war" else cost["uar_interval"]
    difference = cost["war_difference"] if metric == "war" else cost["uar_difference"]
    low, high = rate, rate
    if ends is not None:
        low, high = as_sampled + 100 * ends[0], as_sampled + 100 * ends[1]
    colour = ORANGE if cost["different"] else GREY
    axes.plot((as_sampled, rate), (place, place), color=colour, linewidth=4, alpha=0.25, solid_capstyle="butt")
    axes.plot((low, high), (place, place), color=colour, linewidth=1)
    axes.plot(rate, place, "o", color=colour, markersize=5, markeredgecolor="white", markeredgewidth=0.6)
    unchanged = cost["predictions_changed"] == 0
    axes.annotate(
        "exactly 0" if unchanged else points(difference),
        (low, place),
        (-5, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=7,
        color=BLUE if unchanged else "black",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
    )
    return low, high


def _draw_chance(axes: Axes, chance: float) -> None:
    """Where guessing is, if the axis reaches it."""
    if chance >= axes.get_xlim()[0]:
        axes.axvline(chance, color=GREY, linewidth=0.8, linestyle=":")
        axes.text(chance, -0.6, " guessing", ha="left", va="center", fontsize=7, color=GREY)
