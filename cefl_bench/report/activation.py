"""What a model saw in one video: the frames of each clip, how active each clip was, and the class scores."""

from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib
import numpy as np

from cefl_bench.files import atomic_path
from cefl_bench.report.lettering import class_numbers, lettering

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

ACTIVE, QUIET, TRUTH = "#c2410c", "#94a3b8", "#0f766e"
"""Colours: of the most active clip, of the others, of what the corpus knows."""


@dataclass
class Explanation:
    """One video and its prediction. Shapes: N clips of T frames, F frames in the file, K classes."""

    name: str
    frames: np.ndarray
    """uint8 (N, T, H, W, 3)."""
    frame_indices: np.ndarray
    """(N, T), where in the file they are."""
    num_frames: int
    clip_weights: np.ndarray
    """(N,), summing to one."""
    probabilities: np.ndarray
    """(K,)."""
    classes: tuple[str, ...]
    label: int
    intensity: np.ndarray | None = None
    """(F,) true intensity, where the corpus knows it."""
    apex: tuple[int, int] | None = None
    """[start, end) in frames, where the corpus knows it."""


def draw_explanation(video: Explanation, path: str | Path) -> None:
    """Draw one video: frames above, activation and true intensity over time below, class scores at the right."""
    drawn = lettering([*video.classes, video.name], [*class_numbers(video.classes), "this video"])
    with drawn.applied():
        _draw(replace(video, classes=tuple(drawn.names[:-1]), name=drawn.names[-1]), Path(path))


def _draw(video: Explanation, path: Path) -> None:
    num_clips, num_frames_per_clip = video.frames.shape[:2]
    columns = num_clips * num_frames_per_clip
    frame_width = min(0.62, 9.5 / columns)
    width = columns * frame_width + 0.1 * num_clips
    figure = plt.figure(figsize=(width + 2.6, frame_width + 2.6), layout="constrained")
    left, right = np.atleast_1d(np.asarray(figure.subfigures(1, 2, width_ratios=(width + 0.5, 2.1))))
    _draw_left(left, video, frame_width)
    _draw_scores(right.subplots(), video)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=200)
    plt.close(figure)


def _draw_left(figure: SubFigure, video: Explanation, frame_width: float) -> None:
    grid = figure.add_gridspec(2, len(video.frames), height_ratios=(frame_width + 0.2, 2.2))
    for clip, frames in enumerate(video.frames):
        axes = figure.add_subplot(grid[0, clip])
        axes.imshow(np.concatenate(list(frames), axis=1))
        axes.set_xticks([])
        axes.set_yticks([])
        active = clip == video.clip_weights.argmax()
        axes.spines[:].set(color=ACTIVE if active else QUIET, linewidth=2 if active else 0.8)
        axes.set_title(f"clip {clip + 1}", fontsize=8, color=ACTIVE if active else "black")
    _draw_timeline(figure.add_subplot(grid[1, :]), video)
    true, predicted = video.classes[video.label], video.classes[video.probabilities.argmax()]
    verdict = "correct" if true == predicted else f"predicted {predicted}"
    figure.suptitle(f"{video.name}: {true}, {verdict}", fontsize=10, fontweight="bold")


def _draw_timeline(axes: Axes, video: Explanation) -> None:
    """The activation of each clip over the frames it spans, and the true intensity beside it."""
    first, last = video.frame_indices.min(axis=1), video.frame_indices.max(axis=1)
    colours = [ACTIVE if clip == video.clip_weights.argmax() else QUIET for clip in range(len(first))]
    axes.bar(
        first, video.clip_weights, width=last - first + 1, align="edge", color=colours, alpha=0.75, edgecolor="white"
    )
    axes.axhline(1 / len(first), color="black", linewidth=0.8, linestyle=":")
    axes.annotate("all equal", (video.num_frames, 1 / len(first)), fontsize=7, ha="right", va="bottom")
    axes.set_xlim(0, video.num_frames)
    axes.set_ylim(0, max(1.15 * video.clip_weights.max(), 1.5 / len(first)))
    axes.set_xlabel("frame", fontsize=8)
    axes.set_ylabel("activation of the clip", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    if video.apex is not None:
        axes.axvspan(*video.apex, color=TRUTH, alpha=0.1, linewidth=0, zorder=0)
    if video.intensity is not None:
        truth = axes.twinx()
        truth.plot(np.arange(len(video.intensity)) + 0.5, video.intensity, color=TRUTH, linewidth=1.6)
        truth.set_ylim(0, 1.1)
        truth.set_ylabel("true intensity (shaded: apex)", fontsize=8, color=TRUTH)
        truth.tick_params(labelsize=7, colors=TRUTH)
        truth.spines[["top"]].set_visible(False)


def _draw_scores(axes: Axes, video: Explanation) -> None:
    places = np.arange(len(video.classes))
    colours = [ACTIVE if place == video.probabilities.argmax() else QUIET for place in places]
    axes.barh(places, 100 * video.probabilities, color=colours, alpha=0.85, height=0.7)
    axes.set_yticks(places, [name + (" (true)" if k == video.label else "") for k, name in enumerate(video.classes)])
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel("score, %", fontsize=8)
    axes.tick_params(labelsize=8, length=0)
    axes.tick_params(axis="x", labelsize=7, length=3)
    axes.spines[["top", "right", "left"]].set_visible(False)
