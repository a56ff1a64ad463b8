"""The confusion matrix of a result, as a figure."""

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from cefl_bench.files import atomic_path

matplotlib.use("Agg")
from matplotlib import pyplot as plt


def draw_confusion(result: dict[str, Any], path: str | Path) -> None:
    """Draw rows in per cent of each true class, with the counts, of the metrics that come first in a `Result`."""
    which, scores = next(iter(result["metrics"].items()))
    counts, classes = np.array(scores["confusion_matrix"]), result["classes"]
    share = 100 * counts / np.maximum(np.array(scores["support"])[:, None], 1)
    size = 1.6 + 0.62 * len(classes)
    figure, axes = plt.subplots(figsize=(size + 0.9, size), layout="constrained")
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=100)
    for row, column in np.ndindex(counts.shape):
        colour = "white" if share[row, column] > 55 else "#1a1a1a"
        axes.text(column, row - 0.1, f"{share[row, column]:.0f}", ha="center", va="center", color=colour, fontsize=10)
        axes.text(
            column, row + 0.25, counts[row, column], ha="center", va="center", color=colour, fontsize=6.5, alpha=0.8
        )
    axes.set_xticks(range(len(classes)), classes, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(
        f"{result['config_name']}, fold {result['fold']}, seed {result['seed']}, {which.replace('_', ' ')} epoch\n"
        f"UAR {100 * scores['uar']:.1f}   WAR {100 * scores['war']:.1f}",
        fontsize=10,
    )
    figure.colorbar(image, ax=axes, shrink=0.7, label="% of the true class", pad=0.02).outline.set_visible(False)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=200)
    plt.close(figure)
