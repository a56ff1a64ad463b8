"""How a training went, epoch by epoch, as a figure: losses, scores, learning rate."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib

from cefl_bench.files import atomic_path
from cefl_bench.report.lettering import lettering
from cefl_bench.report.naming import EPOCH
from cefl_bench.runs.result import BEST_TEST, Result, headline, title_of

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

BLUE, LIGHT_BLUE, ORANGE, YELLOW = "#0072B2", "#56B4E9", "#D55E00", "#E69F00"
GREEN, PURPLE, GREY, LIGHT = "#009E73", "#CC79A7", "#6b7680", "#e3e7eb"
"""Of Okabe and Ito but the last two, which colour-blind readers tell apart."""
SIZE_INCHES, DOTS_PER_INCH = (8.0, 6.6), 150
MAX_MARKED_EPOCHS = 40
"""Trainings of up to so many epochs have a dot at each."""
LOG_RATIOS = (20, 5000)
"""Highest over lowest learning rate between which the axis is logarithmic: steps, not what ends at 0."""
TOTAL = "loss"
PART_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, GREY)
STYLE: dict[Any, Any] = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": GREY}


class Score(NamedTuple):
    """How a score of the history is drawn."""

    key: str
    name: str
    colour: str
    line: str


SCORES = (
    Score("war", "test WAR", BLUE, "-"),
    Score("uar", "test UAR", LIGHT_BLUE, "--"),
    Score("val_war", "held-out WAR", ORANGE, "-"),
    Score("val_uar", "held-out UAR", YELLOW, "--"),
)

History = Sequence[Mapping[str, float | None]]


def draw_curves(result: Result, path: str | Path) -> None:
    """Draw each loss, the scores on test and held-out videos, and the learning rate, over the epochs of a training."""
    history = result["history"]
    drawn = lettering([title_of(result)], [result["config_name"]])
    with drawn.applied(), plt.rc_context(STYLE):
        figure, (losses, scores, rate) = plt.subplots(
            3, sharex=True, figsize=SIZE_INCHES, height_ratios=(3, 3, 1.3), layout="constrained"
        )
        _draw_losses(losses, history)
        _draw_scores(scores, result)
        _draw_rate(rate, history)
        for axes in (losses, scores, rate):
            axes.grid(color=LIGHT, linewidth=0.6)
            axes.set_axisbelow(True)
            axes.tick_params(length=2, color=GREY)
            if len(axes.get_legend_handles_labels()[1]) > 1:
                axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, handlelength=1.8)
        last = max((row["epoch"] or 1 for row in history), default=1)
        rate.set(xlabel="epoch", xlim=(1 - last / 50, last + last / 50))
        rate.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        figure.suptitle(f"{drawn.names[0]}, fold {result['fold']}, seed {result['seed']}", fontsize=10)
        with atomic_path(path) as temporary:
            figure.savefig(temporary, dpi=DOTS_PER_INCH)
        plt.close(figure)


def _draw_losses(axes: Axes, history: History) -> None:
    """The sum in black, and what it is made of where that is more than one loss."""
    parts: dict[str, None] = {}
    for row in history:
        parts |= dict.fromkeys(key for key in row if key.startswith(f"{TOTAL}_"))
    _draw_line(axes, history, TOTAL, 1, color="black", label="sum" if len(parts) > 1 else TOTAL)
    for place, part in enumerate(parts if len(parts) > 1 else ()):
        colour = PART_COLOURS[place % len(PART_COLOURS)]
        _draw_line(axes, history, part, 1, color=colour, label=part.removeprefix(f"{TOTAL}_"), linewidth=1.1)
    values = []
    for row in history:
        values += [row.get(key) or 0 for key in (TOTAL, *parts)]
    if min(values, default=0) >= 0:
        _begin_at_zero(axes)
    else:
        axes.margins(y=0.1)
    axes.set_ylabel("loss, training")


def _draw_scores(axes: Axes, result: Result) -> None:
    """In per cent, with the epoch that counts, the best test epoch, and what guessing gets."""
    for score in SCORES:
        _draw_line(axes, result["history"], score.key, 100, color=score.colour, linestyle=score.line, label=score.name)
    chance = 100 / len(result["classes"])
    axes.axhline(chance, color=GREY, linewidth=0.9, linestyle=":", label="UAR of a guess")
    metrics, which = result["metrics"], headline(result)
    counts, best = metrics[which], metrics.get(BEST_TEST)
    if best is not None and best["epoch"] is not None:
        style: dict[str, Any] = {
            "linestyle": "none",
            "markersize": 9,
            "fillstyle": "none",
            "color": "black",
            "clip_on": False,
        }
        axes.plot([best["epoch"]], [100 * best["war"]], "o", label="best on the test set", **style)
    if counts["epoch"] is not None:
        axes.axvline(counts["epoch"], color=GREY, linewidth=0.9, label=f"counts: epoch {counts['epoch']}")
    _begin_at_zero(axes)
    axes.set_ylabel("%")
    axes.set_title(f"UAR {100 * counts['uar']:.1f}   WAR {100 * counts['war']:.1f}, {EPOCH[which]}", fontsize=9)


def _draw_rate(axes: Axes, history: History) -> None:
    _draw_line(axes, history, "lr", 1, color="black")
    known = [row.get("lr") for row in history]
    rates = [rate for rate in known if rate]
    low, high = LOG_RATIOS
    if rates and low < max(rates) / min(rates) < high:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        _begin_at_zero(axes)
    axes.set_ylabel("learning rate")


def _begin_at_zero(axes: Axes) -> None:
    """Room above the highest value, and lines that are whole where they lie on the axis."""
    if axes.has_data():
        axes.set_ylim(0, 1.1 * axes.dataLim.y1 or 1)
    for line in axes.lines:
        line.set(clip_on=False, zorder=3)


def _draw_line(axes: Axes, history: History, key: str, factor: float, **style: Any) -> None:
    """A value over the epochs that have it; nothing where none has."""
    epochs: list[float] = []
    values: list[float] = []
    for row in history:
        epoch, value = row["epoch"], row.get(key)
        if epoch is not None and value is not None:
            epochs.append(epoch)
            values.append(factor * value)
    if values:
        # dots on dashes would hide what they cross; one epoch is no line at all
        dashed = style.get("linestyle") == "--" and len(epochs) > 1
        marker = "" if dashed or len(epochs) > MAX_MARKED_EPOCHS else "."
        axes.plot(epochs, values, marker=marker, **{"linewidth": 1.6} | style)
