"""What the page shows of a video: `view.json`, and a picture of each clip that stands out."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

import numpy as np
from PIL import Image

from cefl_bench.files import atomic_path, write_text
from cefl_bench.predict.figure import unbroken
from cefl_bench.predict.palette import class_colours
from cefl_bench.predict.result import Moment, Track, VideoResult, activation_course, shown_spans, spans_without

VIEW = "view.json"
MAX_FACES = 4
"""Faces that have a timeline on the page; all are in timeline.csv."""
NUM_POINTS = 300
"""Of a course of activation."""
DIGITS = 4


class ClassView(TypedDict):
    """A class, and its colour as `#rrggbb`."""

    name: str
    colour: str


class LabelView(TypedDict):
    """From when to when, in seconds, a label counts, and its score; a label is the place of a class."""

    start: float
    end: float
    label: int
    score: float


class CourseView(TypedDict):
    """Scores (F, K) at times (F,), without a break."""

    seconds: list[float]
    scores: list[list[float]]


class FaceView(TypedDict):
    """A face that was followed."""

    name: str
    labels: list[LabelView]
    courses: list[CourseView]
    activation_seconds: list[float]
    activation: list[float | None]
    """1 where all clips of a window count the same; None where no clip is."""
    away: list[tuple[float, float]]
    """From when to when, in seconds, the face is not judged."""


class MomentView(TypedDict):
    """A clip that stands out."""

    image: str
    """The name of a file beside view.json."""
    start: float
    end: float
    face: str
    label: int
    score: float
    activation: float | None


class View(TypedDict):
    """The content of view.json."""

    name: str
    seconds: float
    classes: list[ClassView]
    faces: list[FaceView]
    num_more_faces: int
    moments: list[MomentView]
    no_face: list[str]
    """Why no face could be judged, where none was."""


def write_view(prediction: VideoResult, folder: Path) -> list[Path]:
    """Write view.json and the pictures that it names; their paths."""
    written = []
    for place, moment in enumerate(prediction.moments):
        path = folder / _image_name(place)
        with atomic_path(path) as temporary:
            Image.fromarray(moment.image).save(temporary, format="jpeg", quality=90)
        written.append(path)
    write_text(folder / VIEW, json.dumps(view_of(prediction), allow_nan=False))
    return [*written, folder / VIEW]


def view_of(prediction: VideoResult) -> View:
    """What view.json holds."""
    colours = class_colours(len(prediction.classes))
    shown = prediction.tracks[:MAX_FACES]
    reasons = [] if prediction.tracks else list(dict.fromkeys(gap.reason for gap in prediction.gaps))
    return {
        "name": prediction.source.name,
        "seconds": prediction.seconds,
        "classes": [{"name": name, "colour": colour} for name, colour in zip(prediction.classes, colours, strict=True)],
        "faces": [_of_face(prediction, track) for track in shown],
        "num_more_faces": len(prediction.tracks) - len(shown),
        "moments": [_of_moment(prediction, place, moment) for place, moment in enumerate(prediction.moments)],
        "no_face": reasons,
    }


def _of_face(prediction: VideoResult, track: Track) -> FaceView:
    windows = prediction.of(track.name)
    spans = shown_spans(windows, track)
    labels: list[LabelView] = []
    for window, (start, end) in zip(windows, spans, strict=True):
        label = prediction.classes.index(window.label)
        labels.append(
            {"start": _short(start), "end": _short(end), "label": label, "score": round(window.score, DIGITS)}
        )
    courses: list[CourseView] = []
    for part in unbroken(windows):
        first, last = spans[windows.index(part[0])][0], spans[windows.index(part[-1])][1]
        middles = [(window.start + window.end) / 2 for window in part]
        scores = [[round(score, DIGITS) for score in window.scores] for window in part]
        # level from the begin of the first window to its middle, and so at the end
        seconds = _rising([first, *middles, last])
        courses.append({"seconds": seconds, "scores": [scores[0], *scores, scores[-1]]})
    times, values = activation_course(windows, NUM_POINTS)
    return {
        "name": track.name,
        "labels": labels,
        "courses": courses,
        "activation_seconds": [_short(value) for value in times.tolist()],
        "activation": [None if np.isnan(value) else _short(value) for value in values.tolist()],
        "away": [(_short(start), _short(end)) for start, end in spans_without(spans, prediction.seconds)],
    }


def _of_moment(prediction: VideoResult, place: int, moment: Moment) -> MomentView:
    window, clip = moment.window, moment.window.most_active
    start, end = (window.start, window.end) if clip is None else (clip.start, clip.end)
    return {
        "image": _image_name(place),
        "start": _short(start),
        "end": _short(min(end, prediction.seconds)),
        "face": window.face,
        "label": prediction.classes.index(window.label),
        "score": _short(window.score),
        "activation": None if clip is None else _short(clip.activation),
    }


def _image_name(place: int) -> str:
    return f"moment_{place}.jpg"


def _rising(seconds: Sequence[float]) -> list[float]:
    """Times of which none lies before the one before it."""
    return [_short(value) for value in np.maximum.accumulate(seconds).tolist()]


def _short(value: float) -> float:
    return round(value, DIGITS)
