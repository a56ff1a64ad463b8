"""What comes out of a video: windows with their scores, the people in it, and where no face could be judged."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cefl_bench.predict.about import About


@dataclass(frozen=True)
class Clip:
    """A part of a window, and how active the model found it."""

    start: float
    end: float
    activation: float
    """Its weight times the number of clips: 1 where all clips of the window count the same."""


@dataclass(frozen=True)
class Window:
    """What the model says of a face in a few seconds of a video."""

    start: float
    end: float
    face: str
    label: str
    scores: tuple[float, ...]
    """(K,) for each class, summing to one; probabilities where the model is calibrated."""
    logits: tuple[float, ...]
    """(K,) what the network gave, as in predictions.csv."""
    clips: tuple[Clip, ...]
    """Empty where the model does not weigh clips."""
    box: tuple[float, float, float, float]
    """`x, y, width, height` of the face in pixels of the shown frame: the median over the window."""

    @property
    def score(self) -> float:
        """Of the label."""
        return max(self.scores)

    @property
    def most_active(self) -> Clip | None:
        """The clip with the highest activation."""
        return max(self.clips, key=lambda clip: clip.activation, default=None)


@dataclass(frozen=True)
class Gap:
    """A window in which no face can be judged, and why."""

    start: float
    end: float
    reason: str


@dataclass(frozen=True)
class Track:
    """A face that was followed; after a cut, or when it is gone for more than a second, it counts as another."""

    name: str
    start: float
    end: float
    """From the first to the last sight of it."""
    seconds: np.ndarray = field(repr=False)
    """(F,) when the frames are shown in which it is seen."""
    boxes: np.ndarray = field(repr=False)
    """(F, 4) `x1, y1, x2, y2` in pixels of the shown frame."""


@dataclass(frozen=True)
class Moment:
    """A frame of a clip that stands out."""

    seconds: float
    window: Window
    image: np.ndarray = field(repr=False)
    """uint8 (H, W, 3) the crop of the face."""


@dataclass(frozen=True)
class VideoResult:
    """All that is known of a video: the data of a `VideoPrediction`."""

    source: Path
    about: About
    seconds: float
    num_frames: int
    width: int
    height: int
    """Of the frames as they are shown, in pixels."""
    windows: tuple[Window, ...]
    """In the order of their starts, faces in the order of `tracks`."""
    gaps: tuple[Gap, ...]
    tracks: tuple[Track, ...]
    """The faces that were judged: first the one that fills most of the video, its size and its time together."""
    moments: tuple[Moment, ...] = field(repr=False)
    """The clips that stand out, in the order of time."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the scores."""
        return self.about.classes

    def of(self, face: str) -> tuple[Window, ...]:
        """The windows of one face."""
        return tuple(window for window in self.windows if window.face == face)


def activation_course(windows: Sequence[Window], num_points: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Windows of a face, which may overlap -> times and the mean activation of the clips there, NaN where none is."""
    clips: list[Clip] = []
    for window in windows:
        clips += window.clips
    if not clips:
        return np.zeros(0), np.zeros(0)
    times = np.linspace(min(clip.start for clip in clips), max(clip.end for clip in clips), num_points)
    total, count = np.zeros(num_points), np.zeros(num_points)
    for clip in clips:
        inside = (times >= clip.start) & (times <= clip.end)
        total[inside] += clip.activation
        count[inside] += 1
    return times, np.where(count > 0, total / np.maximum(count, 1), np.nan)


def shown_spans(windows: Sequence[Window], track: Track) -> list[tuple[float, float]]:
    """Windows of a face in the order of time, which may overlap -> when each is the one whose middle is nearest.

    Only as long as the face is there.
    """
    spans = []
    for place, window in enumerate(windows):
        start, end = window.start, window.end
        if place and windows[place - 1].end >= start:
            start = (_middle(windows[place - 1]) + _middle(window)) / 2
        if place + 1 < len(windows) and windows[place + 1].start <= end:
            end = (_middle(windows[place + 1]) + _middle(window)) / 2
        start, end = max(start, track.start), min(end, track.end)
        spans.append((start, max(start, end)))
    return spans


def spans_without(spans: Sequence[tuple[float, float]], end: float) -> list[tuple[float, float]]:
    """What of 0..`end` seconds is in none of the spans, which are in the order of time."""
    found, at = [], 0.0
    for start, stop in spans:
        if start > at:
            found.append((at, start))
        at = max(at, stop)
    return [*found, (at, end)] if at < end else found


def _middle(window: Window) -> float:
    return (window.start + window.end) / 2
