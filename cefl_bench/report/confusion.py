"""The confusion matrix of a result, as a figure."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from cefl_bench.files import atomic_path
from cefl_bench.report.lettering import class_numbers, lettering
from cefl_bench.report.naming import EPOCH, NOTHING
from cefl_bench.runs.result import Result, headline, title_of

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

MIN_SHARE_WHITE = 55
"""Per cent from which a cell is so dark that its text is white."""
CELL_INCHES, MARGIN_INCHES = 0.62, 1.6
MAX_INCHES = 40


def draw_confusion(result: Result, path: str | Path) -> None:
    """Draw rows in per cent of each true class, with the counts, of the headline metrics; dashes without clips."""
    which, classes = headline(result), result["classes"]
    scores = result["metrics"][which]
    drawn = lettering([*classes, title_of(result)], [*class_numbers(classes), result["config_name"]])
    heading = (
        f"{drawn.names[-1]}, fold {result['fold']}, seed {result['seed']}, {EPOCH[which]}\n"
        f"UAR {100 * scores['uar']:.1f}   WAR {100 * scores['war']:.1f}"
    )
    with drawn.applied():
        figure = _matrix(np.array(scores["confusion_matrix"]), np.array(scores["support"]), drawn.names[:-1], heading)
        with atomic_path(path) as temporary:
            figure.savefig(temporary, dpi=200)
        plt.close(figure)


def _matrix(counts: np.ndarray, support: np.ndarray, classes: Sequence[str], heading: str) -> Figure:
    """(K, K) counts and (K,) clips per class -> the figure."""
    share = 100 * counts / np.maximum(support[:, None], 1)
    size = min(MARGIN_INCHES + CELL_INCHES * len(classes), MAX_INCHES)
    figure, axes = plt.subplots(figsize=(size + 0.9, size), layout="constrained")
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=100)
    for row, column in np.ndindex(counts.shape):
        if not support[row]:
            axes.text(column, row, NOTHING, ha="center", va="center", fontsize=10)
            continue
        colour = "white" if share[row, column] > MIN_SHARE_WHITE else "#1a1a1a"
        style: dict[str, Any] = {"ha": "center", "va": "center", "color": colour}
        axes.text(column, row - 0.1, f"{share[row, column]:.0f}", fontsize=10, **style)
        axes.text(column, row + 0.25, str(counts[row, column]), fontsize=6.5, alpha=0.8, **style)
    axes.set_xticks(range(len(classes)), classes, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(heading, fontsize=10)
    figure.colorbar(image, ax=axes, shrink=0.7, label="% of the true class", pad=0.02).outline.set_visible(False)
    return figure
