"""The panel below the picture of an annotated video: the scores of this moment, and the course of the whole video."""

from collections.abc import Sequence

import cv2
import numpy as np

from cefl_bench.functional.duration import duration
from cefl_bench.predict.lettering import put_text, text_width
from cefl_bench.predict.palette import AWAY, AXIS, WARNING, class_colours, rgb
from cefl_bench.predict.result import Track, VideoResult, Window, activation_course, shown_spans

PAPER, INK, QUIET, LINE = (255, 255, 255), (30, 41, 59), (100, 116, 139), rgb("#cbd5e1")
LETTERS_SHARE = 1 / 48
"""Height of letters, of the width of the picture."""
MIN_LETTERS, MAX_LETTERS = 12, 24
MAX_FACES, MAX_CLASSES = 3, 8
"""What a panel has room for: the largest faces, the highest scores."""
SCORES_SHARE = 0.36
"""Of the width, at the left, for the scores of this moment; the rest is the course of the video."""


class Panel:
    """Draws onto (height, width, 3) what is known at a time of a video; what never changes is drawn once."""

    def __init__(self, prediction: VideoResult, names: Sequence[str], width: int) -> None:
        self._prediction, self._names, self._width = prediction, names, width
        self.letters = int(np.clip(width * LETTERS_SHARE, MIN_LETTERS, MAX_LETTERS))
        self._line = round(1.45 * self.letters)
        self._pad = round(0.7 * self.letters)
        self._colours = [rgb(colour) for colour in class_colours(len(names))]
        self._tracks = prediction.tracks[:MAX_FACES]
        self._left = round(width * SCORES_SHARE) + self._pad
        self._right = width - self._pad
        self._warnings = _fitted(prediction.about.warnings, self._right - self._left, self._small)
        num_lines = max(min(len(names), MAX_CLASSES) + 1, 3 * max(len(self._tracks), 1) + 1 + len(self._warnings))
        height = 2 * self._pad + num_lines * self._line
        self.height = height + height % 2
        self._still = self._draw_still()

    @property
    def _small(self) -> int:
        return max(MIN_LETTERS - 1, round(0.85 * self.letters))

    def draw(self, image: np.ndarray, seconds: float, window: Window | None) -> None:
        """Draw the panel of a time; `window` is that of the largest face which is there."""
        image[...] = self._still
        self._draw_scores(image, window)
        if self._prediction.seconds > 0:
            x = self._x(seconds)
            bottom = self._pad + max(len(self._tracks), 1) * 3 * self._line
            cv2.line(image, (x, self._pad), (x, bottom), INK, max(1, self.letters // 8), cv2.LINE_AA)

    def _x(self, seconds: float) -> int:
        share = min(max(seconds / max(self._prediction.seconds, 1e-9), 0.0), 1.0)
        return round(self._left + share * (self._right - self._left))

    def _draw_scores(self, image: np.ndarray, window: Window | None) -> None:
        y = self._pad
        if window is None:
            put_text(image, "no face here", self._pad, y, self._small, QUIET)
            return
        several = len(self._prediction.tracks) > 1
        title = f"{self._prediction.about.values}s{f', {window.face}' if several else ''}"
        put_text(image, title, self._pad, y, self._small, QUIET)
        labels = list(range(len(self._names)))
        if len(self._names) > MAX_CLASSES:
            labels = sorted(sorted(labels, key=lambda label: -window.scores[label])[:MAX_CLASSES])
        name_width = max(text_width(self._names[label], self._small) for label in labels)
        number_width = text_width("0.00", self._small)
        left = 2 * self._pad + name_width
        room = round(self._width * SCORES_SHARE) - left - number_width - self._pad
        for label in labels:
            y += self._line
            is_best = self._prediction.classes[label] == window.label
            put_text(image, self._names[label], self._pad, y, self._small, INK if is_best else QUIET)
            bar = round(max(room, 10) * window.scores[label])
            top = y + self._line // 5
            cv2.rectangle(image, (left, top), (left + bar, y + 4 * self._line // 5), self._colours[label], cv2.FILLED)
            number = f"{window.scores[label]:.2f}"
            put_text(image, number, left + bar + self._pad // 2, y, self._small, INK if is_best else QUIET)

    def _draw_still(self) -> np.ndarray:
        image = np.full((self.height, self._width, 3), PAPER, dtype=np.uint8)
        for place, track in enumerate(self._tracks):
            self._draw_course(image, track, self._pad + place * 3 * self._line)
        y = self._pad + max(len(self._tracks), 1) * 3 * self._line
        put_text(image, "0 s", self._left, y, self._small, QUIET)
        put_text(image, _clock(self._prediction.seconds), self._right, y, self._small, QUIET, right=True)
        middle = "label"
        if any(window.clips for window in self._prediction.windows):
            middle = "above: label, below: activation"
        if self._tracks and text_width(middle, self._small) < (self._right - self._left) * 0.7:
            x = (self._left + self._right - text_width(middle, self._small)) // 2
            put_text(image, middle, x, y, self._small, QUIET)
        for warning in self._warnings:
            y += self._line
            put_text(image, warning, self._left, y, self._small, rgb(WARNING))
        return image

    def _draw_course(self, image: np.ndarray, track: Track, top: int) -> None:
        """A band in the colours of the labels, and the activation below it."""
        windows = self._prediction.of(track.name)
        band, bottom = round(0.8 * self._line), top + round(2.7 * self._line)
        cv2.rectangle(image, (self._left, top), (self._right, bottom), rgb(AWAY), cv2.FILLED)
        for window, (start, end) in zip(windows, shown_spans(windows, track), strict=True):
            x1, x2 = self._x(start), self._x(end)
            colour = self._colours[self._prediction.classes.index(window.label)]
            cv2.rectangle(image, (x1, top + band), (x2, bottom), PAPER, cv2.FILLED)
            cv2.rectangle(image, (x1, top), (x2, top + band), colour, cv2.FILLED)
        times, values = activation_course(windows, max(self._right - self._left, 2))
        if len(times):
            self._draw_activation(image, times, values, top + band, bottom)
        if len(self._prediction.tracks) > 1:
            put_text(image, track.name, self._left + 2, top, self._small, PAPER)

    def _draw_activation(self, image: np.ndarray, times: np.ndarray, values: np.ndarray, top: int, bottom: int) -> None:
        highest = max(float(np.nanmax(values)), 2.0)
        heights = np.nan_to_num(values) / highest * (bottom - top - 2)
        for seconds, height in zip(times, heights, strict=True):
            x = self._x(float(seconds))
            cv2.line(image, (x, bottom), (x, bottom - round(float(height))), rgb("#94a3b8"), 1)
        even = bottom - round((bottom - top - 2) / highest)
        cv2.line(image, (self._left, even), (self._right, even), rgb(AXIS), 1)
        cv2.line(image, (self._left, bottom), (self._right, bottom), LINE, 1)


def _clock(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else duration(seconds)


def _fitted(warnings: Sequence[str], width: int, size: int) -> list[str]:
    """The warnings in lines that fit: broken between words."""
    lines: list[str] = []
    for warning in warnings:
        line = ""
        for word in warning.split():
            longer = f"{line} {word}".strip()
            if line and text_width(longer, size) > width:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return lines
