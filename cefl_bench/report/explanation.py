"""What a model saw in one video: the frames, what each clip or frame was worth for the answer, and the class scores."""

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
"""Colours: of the part that counts most, of the others, of what the corpus knows."""
MIN_WORTH_RANGE = 5.0
"""Points of probability that the axis of worth spans at least, so that next to nothing looks like next to nothing."""


@dataclass
class Explanation:
    """One video and its prediction. Shapes: P parts of T frames (clips, or single frames), F in the file, K classes."""

    name: str
    frames: np.ndarray
    """uint8 (P, T, H, W, 3)."""
    frame_indices: np.ndarray
    """(P, T), where in the file they are."""
    num_frames: int
    worth: np.ndarray
    """(P,), how much less probable the predicted class is without the part; of `functional/occlusion.py`."""
    probabilities: np.ndarray
    """(K,)."""
    classes: tuple[str, ...]
    label: int
    clip_weights: np.ndarray | None = None
    """(P,), summing to one, where the model weighs its clips."""
    intensity: np.ndarray | None = None
    """(F,) true intensity, where the corpus knows it."""
    apex: tuple[int, int] | None = None
    """[start, end) in frames, where the corpus knows it."""

    @property
    def part(self) -> str:
        return "clip" if self.frame_indices.shape[1] > 1 else "frame"


def draw_explanation(video: Explanation, path: str | Path) -> None:
    """Draw one video: frames above; activation, worth and true intensity over time below; class scores at the right."""
    drawn = lettering([*video.classes, video.name], [*class_numbers(video.classes), "this video"])
    with drawn.applied():
        _draw(replace(video, classes=tuple(drawn.names[:-1]), name=drawn.names[-1]), Path(path))


def _draw(video: Explanation, path: Path) -> None:
    num_parts, num_frames_per_part = video.frames.shape[:2]
    columns = num_parts * num_frames_per_part
    frame_width = min(0.62, 9.5 / columns)
    width = max(columns * frame_width + 0.1 * num_parts, 4.0)
    timelines = 1 if video.clip_weights is None else 2
    size = (width + 2.6, frame_width + 1.0 + 1.6 * timelines)
    figure = plt.figure(figsize=size, layout="constrained")
    left, right = np.atleast_1d(np.asarray(figure.subfigures(1, 2, width_ratios=(width + 0.5, 2.1))))
    _draw_left(left, video, (frame_width + 0.2, *[1.6] * timelines))
    _draw_scores(right.subplots(), video)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=200)
    plt.close(figure)


def _draw_left(figure: SubFigure, video: Explanation, heights: tuple[float, ...]) -> None:
    grid = figure.add_gridspec(len(heights), len(video.frames), height_ratios=heights)
    most = (video.worth if video.clip_weights is None else video.clip_weights).argmax()
    for part, frames in enumerate(video.frames):
        axes = figure.add_subplot(grid[0, part])
        axes.imshow(np.concatenate(list(frames), axis=1))
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set(color=ACTIVE if part == most else QUIET, linewidth=2 if part == most else 0.8)
        title = f"clip {part + 1}" if video.part == "clip" else f"{video.frame_indices[part, 0]}"
        axes.set_title(title, fontsize=8, color=ACTIVE if part == most else "black")
    rows = [figure.add_subplot(grid[row, :]) for row in range(1, len(heights))]
    if video.clip_weights is not None:
        _draw_activation(rows[0], video, video.clip_weights)
    _draw_worth(rows[-1], video)
    for axes in rows:
        _finish_timeline(axes, video)
        axes.tick_params(labelbottom=axes is rows[-1])
    rows[-1].set_xlabel("frame of the video", fontsize=8)
    true, predicted = video.classes[video.label], video.classes[video.probabilities.argmax()]
    verdict = "correct" if true == predicted else f"predicted {predicted}"
    figure.suptitle(f"{video.name}: {true}, {verdict}", fontsize=10, fontweight="bold")


def _finish_timeline(axes: Axes, video: Explanation) -> None:
    """The frames of the file from left to right, and what the corpus knows of them."""
    axes.set_xlim(0, video.num_frames)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    if video.apex is not None:
        axes.axvspan(*video.apex, color=TRUTH, alpha=0.1, linewidth=0, zorder=0)
    if video.intensity is not None:
        truth = axes.twinx()
        truth.plot(np.arange(len(video.intensity)) + 0.5, video.intensity, color=TRUTH, linewidth=1.6)
        low, high = axes.get_ylim()
        truth.set_ylim(1.1 * low / high, 1.1)  # its 0 is at the height of the other 0
        truth.set_yticks((0, 0.5, 1))
        truth.set_ylabel("true intensity\n(shaded: apex)", fontsize=7, color=TRUTH)
        truth.tick_params(labelsize=7, colors=TRUTH)
        truth.spines[["top"]].set_visible(False)


def _draw_activation(axes: Axes, video: Explanation, clip_weights: np.ndarray) -> None:
    _draw_bars(axes, video, clip_weights)
    equal = 1 / len(clip_weights)
    axes.axhline(equal, color="black", linewidth=0.8, linestyle=":")
    axes.annotate("all equal", (video.num_frames, equal), fontsize=7, ha="right", va="bottom")
    axes.set_ylim(0, max(1.15 * clip_weights.max(), 1.5 * equal))
    axes.set_ylabel("activation\nof the clip", fontsize=8)


def _draw_worth(axes: Axes, video: Explanation) -> None:
    points = 100 * video.worth
    _draw_bars(axes, video, points)
    axes.axhline(0, color="black", linewidth=0.8)
    low, high = min(points.min(), 0.0), max(points.max(), 0.0)
    room = 0.15 * (high - low) + max(MIN_WORTH_RANGE - (high - low), 0) / 2
    axes.set_ylim(low - room, high + room)
    predicted = video.classes[video.probabilities.argmax()]
    axes.set_ylabel(f"worth of the {video.part}\nfor {predicted}, points", fontsize=8)


def _draw_bars(axes: Axes, video: Explanation, height: np.ndarray) -> None:
    """A bar for each part, over the frames that it spans; a single frame stands for those around it."""
    first, last = video.frame_indices.min(axis=1), video.frame_indices.max(axis=1) + 1
    if video.part == "frame":
        half = max(0.4 * video.num_frames / len(first), 0.5)
        first, last = first + 0.5 - half, first + 0.5 + half
    colours = [ACTIVE if part == height.argmax() else QUIET for part in range(len(height))]
    axes.bar(first, height, width=last - first, align="edge", color=colours, alpha=0.75, edgecolor="white")


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
