"""Draws on the frames of a video what a model said: a box around each face, and below the picture scores over time."""

from bisect import bisect_right

import cv2
import numpy as np

from cefl_bench.functional.face_track import mean_around, shown_seconds
from cefl_bench.predict.lettering import put_text, text_width
from cefl_bench.predict.palette import class_colours, rgb
from cefl_bench.predict.panel import Panel
from cefl_bench.predict.result import Track, VideoResult, Window, shown_spans
from cefl_bench.report.lettering import class_numbers, lettering

MAX_LONG_SIDE, MIN_WIDTH = 1280, 480
"""Pixels of the drawn picture: larger ones are shrunk, narrower ones enlarged, so that text can be read, up to the long
side; what is still narrower stands between black margins."""
MAX_SEEN_APART = 0.5
"""Seconds between the frame and the nearest one in which the face was; further apart, no box is drawn."""
BOX_SIGMA_SECONDS = 0.08
"""Boxes are averaged over time, so that they do not tremble."""
WHITE = (255, 255, 255)


class Annotator:
    """(H, W, 3) a frame as it is shown -> a larger one with the box of each face and a panel below."""

    def __init__(self, prediction: VideoResult) -> None:
        self._prediction = prediction
        self._names = lettering(prediction.classes, class_numbers(prediction.classes)).names
        self._colours = [rgb(colour) for colour in class_colours(len(prediction.classes))]
        self._people = [_Person(track, prediction.of(track.name)) for track in prediction.tracks]
        largest = MAX_LONG_SIDE / max(prediction.width, prediction.height)
        self._scale = scale = min(largest, max(1.0, MIN_WIDTH / prediction.width))
        self._size = _even(prediction.width * scale), _even(prediction.height * scale)
        self._width = max(self._size[0], MIN_WIDTH)
        self._margin = (self._width - self._size[0]) // 2
        self._panel = Panel(prediction, self._names, self._width)

    def draw(self, seconds: float, frame: np.ndarray) -> np.ndarray:
        """The drawn frame; its sides are even."""
        way = cv2.INTER_AREA if self._scale < 1 else cv2.INTER_CUBIC
        width, height = self._size
        image = np.zeros((height + self._panel.height, self._width, 3), dtype=np.uint8)
        image[:height, self._margin : self._margin + width] = (
            frame if frame.shape[:2] == (height, width) else cv2.resize(frame, self._size, interpolation=way)
        )
        shown: list[tuple[str, Window]] = []
        for person in self._people:
            box, window = person.at(seconds)
            if window is not None:
                shown.append((person.name, window))
                if box is not None:
                    self._draw_box(
                        image[:height], box * self._scale + (self._margin, 0, self._margin, 0), person.name, window
                    )
        self._panel.draw(image[height:], seconds, shown[0][1] if shown else None)
        return image

    def _draw_box(self, image: np.ndarray, box: np.ndarray, name: str, window: Window) -> None:
        label = self._prediction.classes.index(window.label)
        colour = self._colours[label]
        thick = max(2, round(image.shape[1] / 400))
        x1, y1, x2, y2 = (round(float(value)) for value in box)
        cv2.rectangle(image, (x1, y1), (x2, y2), colour, thick, cv2.LINE_AA)
        size = self._panel.letters
        text = f"{self._names[label]} {window.score:.2f}"
        if len(self._people) > 1:
            text = f"{name}: {text}"
        width, height = text_width(text, size) + size, round(1.5 * size)
        top = y1 - height if y1 >= height else y1
        left = max(0, min(x1 - thick // 2, image.shape[1] - width))
        cv2.rectangle(image, (left, top), (left + width, top + height), colour, cv2.FILLED)
        put_text(image, text, left + size // 2, top + round(0.15 * size), size, WHITE)


class _Person:
    """Looks up where a face is, and what is said of it, at a time."""

    def __init__(self, track: Track, windows: tuple[Window, ...]) -> None:
        self.name = track.name
        self._track, self._windows = track, windows
        self._spans = shown_spans(windows, track)
        self._starts = [start for start, _ in self._spans]
        self._shown = shown_seconds(track.seconds)

    def at(self, seconds: float) -> tuple[np.ndarray | None, Window | None]:
        """The box, in pixels of the video, where the face is there, and the window that counts now."""
        place = bisect_right(self._starts, seconds) - 1
        window = self._windows[place] if place >= 0 and seconds <= self._spans[place][1] else None
        times = self._track.seconds
        nearest = int(np.searchsorted(times, seconds))
        candidates = [at for at in (nearest - 1, nearest) if 0 <= at < len(times)]
        best = min(candidates, key=lambda at: abs(times[at] - seconds))
        if abs(times[best] - seconds) >= MAX_SEEN_APART:
            return None, window
        return mean_around(self._track.boxes, times, self._shown, best, BOX_SIGMA_SECONDS), window


def _even(pixels: float) -> int:
    return max(2, round(pixels / 2) * 2)
