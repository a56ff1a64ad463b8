"""A figure of a video: the scores of each face over time, how active its clips are, and those that stand out."""

import io
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

from cefl_bench.predict.palette import AWAY, AXIS, WARNING, class_colours
from cefl_bench.predict.result import Moment, Track, VideoResult, Window, activation_course, shown_spans, spans_without
from cefl_bench.report.lettering import class_numbers, lettering

MAX_FACES = 3
"""Faces that have rows of their own; the file says how many more there are."""
WIDTH_INCHES = 9.0
NOTEBOOK_DOTS_PER_INCH = 100
ROW_INCHES = {"moments": 1.5, "scores": 1.35, "activation": 0.75}


class Plot(Figure):
    """A figure that a notebook shows, whatever it does with matplotlib's own."""

    def _repr_png_(self) -> bytes:
        content = io.BytesIO()
        self.savefig(content, format="png", dpi=NOTEBOOK_DOTS_PER_INCH)
        return content.getvalue()


def draw_prediction(prediction: VideoResult) -> Plot:
    """Draw the clips that stand out above, and below them, for the largest faces, scores and activation over time."""
    tracks = prediction.tracks[:MAX_FACES]
    drawn = lettering([*prediction.classes, prediction.source.name], [*class_numbers(prediction.classes), "this video"])
    names, title = drawn.names[:-1], drawn.names[-1]
    with drawn.applied():
        rows = _rows(prediction, tracks)
        heights = [ROW_INCHES[kind] for kind, _ in rows] or [0.6]
        figure = Plot(figsize=(WIDTH_INCHES, sum(heights) + 0.9), layout="constrained")
        grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
        axes: list[Axes] = []
        for place, (kind, track) in enumerate(rows):
            if track is None:
                _draw_moments(figure, grid, prediction, names)
                continue
            axes.append(figure.add_subplot(grid[place]))
            if kind == "scores":
                _draw_scores(axes[-1], prediction, track, names)
            else:
                _draw_activation(axes[-1], prediction.of(track.name))
            _shade_away(axes[-1], prediction, track)
        _finish(axes, prediction)
        _title(figure, prediction, title)
        if not tracks:
            figure.text(0.5, 0.4, _no_face(prediction), ha="center", fontsize=9)
    return figure


def _rows(prediction: VideoResult, tracks: Sequence[Track]) -> list[tuple[str, Track | None]]:
    """What is drawn, from top to bottom, and of which face."""
    rows: list[tuple[str, Track | None]] = [("moments", None)] if prediction.moments else []
    for track in tracks:
        rows.append(("scores", track))
        if any(window.clips for window in prediction.of(track.name)):
            rows.append(("activation", track))
    return rows


def _draw_moments(figure: Figure, grid: GridSpec, prediction: VideoResult, names: Sequence[str]) -> None:
    moments = prediction.moments
    inner = grid[0].subgridspec(1, max(len(moments), 6))
    colours, several = class_colours(len(names)), len(prediction.tracks) > 1
    for place, moment in enumerate(moments):
        axes = figure.add_subplot(inner[place])
        axes.imshow(moment.image)
        axes.set(xticks=(), yticks=())
        label = prediction.classes.index(moment.window.label)
        for spine in axes.spines.values():
            spine.set(color=colours[label], linewidth=2.5)
        who = f"{moment.window.face}, " if several else ""
        axes.set_title(f"{who}{moment.seconds:.1f} s\n{names[label]} {moment.window.score:.2f}", fontsize=7.5)
        axes.set_xlabel(_activation_of(moment), fontsize=7)


def _activation_of(moment: Moment) -> str:
    clip = moment.window.most_active
    return "" if clip is None else f"activation {clip.activation:.1f}"


def _draw_scores(axes: Axes, prediction: VideoResult, track: Track, names: Sequence[str]) -> None:
    """A line per class through the middles of the windows; a band of the label's colour above."""
    windows, colours = prediction.of(track.name), class_colours(len(names))
    spans = shown_spans(windows, track)
    for part in unbroken(windows):
        first, last = windows.index(part[0]), windows.index(part[-1])
        middles = [(window.start + window.end) / 2 for window in part]
        scores = np.array([window.scores for window in part])
        for label, colour in enumerate(colours):
            axes.plot(middles, scores[:, label], color=colour, linewidth=0, marker="o", markersize=2.2)
            course = [scores[0, label], *scores[:, label], scores[-1, label]]
            axes.plot([spans[first][0], *middles, spans[last][1]], course, color=colour, linewidth=1.4)
    for window, (start, end) in zip(windows, spans, strict=True):
        colour = colours[prediction.classes.index(window.label)]
        axes.axvspan(start, end, ymin=1.02, ymax=1.09, color=colour, linewidth=0, clip_on=False)
    for label, name in enumerate(names):
        axes.plot([], [], color=colours[label], label=name)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=7, frameon=False)
    axes.set_ylim(0, 1)
    several = len(prediction.tracks) > 1
    axes.set_ylabel(f"{track.name}\n{prediction.about.values}" if several else prediction.about.values, fontsize=8)


def _draw_activation(axes: Axes, windows: tuple[Window, ...]) -> None:
    for part in unbroken(windows):
        times, values = activation_course(part)
        axes.fill_between(times, 0, values, color=AXIS, alpha=0.35, linewidth=0)
        axes.plot(times, values, color=AXIS, linewidth=1)
    axes.axhline(1, color="black", linewidth=0.7, linestyle=":")
    axes.set_ylim(bottom=0)
    axes.set_ylabel("activation\n(1: even)", fontsize=7)


def _finish(axes: Sequence[Axes], prediction: VideoResult) -> None:
    for one in axes:
        one.set_xlim(0, prediction.seconds)
        one.tick_params(labelsize=7, labelbottom=one is axes[-1])
        one.spines[["top", "right"]].set_visible(False)
    if axes:
        axes[-1].set_xlabel("seconds" + (" (grey: the face is not there)" if prediction.gaps else ""), fontsize=8)


def _shade_away(axes: Axes, prediction: VideoResult, track: Track) -> None:
    for start, end in spans_without(shown_spans(prediction.of(track.name), track), prediction.seconds):
        axes.axvspan(start, end, color=AWAY, linewidth=0, zorder=0)


def _title(figure: Figure, prediction: VideoResult, title: str) -> None:
    about = prediction.about
    more = len(prediction.tracks) - MAX_FACES
    who = f", {more} more faces in timeline.csv" if more > 0 else ""
    figure.suptitle(f"{title}: {about.method}, trained on {about.trained_on}{who}", fontsize=9.5, fontweight="bold")
    if about.warnings:
        figure.supxlabel(about.warnings[0], fontsize=8, color=WARNING)


def _no_face(prediction: VideoResult) -> str:
    reasons = list(dict.fromkeys(gap.reason for gap in prediction.gaps))
    return "no face could be judged: " + ", ".join(reasons[:3])


def unbroken(windows: Sequence[Window]) -> list[list[Window]]:
    """Windows of one face, in the order of time, in parts between which it is away."""
    parts: list[list[Window]] = []
    for window in windows:
        if parts and window.start <= parts[-1][-1].end:
            parts[-1].append(window)
        else:
            parts.append([window])
    return parts
