"""timeline.csv and timeline.json: a row per window and face, or per window without one and why."""

import csv
import io
from typing import Any, TypedDict

from cefl_bench import __version__
from cefl_bench.errors import UserError
from cefl_bench.predict.result import Gap, VideoResult, Window
from cefl_bench.tables import csv_cell

SCHEMA_VERSION = 1
"""Version of `Timeline`. Raised when a field changes its meaning or goes."""
DIGITS = 6
"""After the point, of seconds, scores and pixels."""


class Row(TypedDict):
    """A window. What cannot be known without a face is None."""

    start: float
    end: float
    """Seconds from the first frame on."""
    face: str | None
    label: str | None
    scores: dict[str, float] | None
    logits: list[float] | None
    """What the network gave, in the order of the classes."""
    activation: float | None
    """Of the most active clip: 1 where all clips of the window count the same; None also without clip weights."""
    activation_start: float | None
    activation_end: float | None
    clips: list[dict[str, float]]
    """Each clip of the window: start, end, activation."""
    box: dict[str, float] | None
    """x, y, width and height of the face in pixels of the shown frame."""
    no_face: str | None
    """Why no face is judged."""


class Timeline(TypedDict):
    """The content of timeline.json."""

    schema_version: int
    cefl_bench: str
    video: str
    """The name of the file, without its folder."""
    seconds: float
    num_frames: int
    width: int
    height: int
    method: str
    trained_on: str
    values: str
    """`score`, or `probability` where the model is calibrated."""
    warnings: list[str]
    classes: list[str]
    faces: list[dict[str, Any]]
    """Name, first and last second of every face."""
    rows: list[Row]


def rows_of(prediction: VideoResult) -> list[Row]:
    """The rows, in the order of time."""
    rows = [_of_window(window, prediction.classes) for window in prediction.windows]
    rows += [_of_gap(gap) for gap in prediction.gaps]
    return sorted(rows, key=lambda row: row["start"])  # of one start, the faces keep their order


def timeline_of(prediction: VideoResult) -> Timeline:
    """What timeline.json holds."""
    about = prediction.about
    return {
        "schema_version": SCHEMA_VERSION,
        "cefl_bench": __version__,
        "video": prediction.source.name,
        "seconds": round(prediction.seconds, DIGITS),
        "num_frames": prediction.num_frames,
        "width": prediction.width,
        "height": prediction.height,
        "method": about.method,
        "trained_on": about.trained_on,
        "values": about.values,
        "warnings": list(about.warnings),
        "classes": list(prediction.classes),
        "faces": [
            {"name": track.name, "start": round(track.start, DIGITS), "end": round(track.end, DIGITS)}
            for track in prediction.tracks
        ],
        "rows": rows_of(prediction),
    }


def csv_of(prediction: VideoResult) -> str:
    """What timeline.csv holds; the first warning stands in each row, so that no copy of a row loses it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_columns(prediction))
    for row in rows_of(prediction):
        writer.writerow(["" if value is None else value for value in _cells(row, prediction)])
    return text.getvalue()


def to_frame(prediction: VideoResult) -> Any:
    """A pandas DataFrame with the columns of timeline.csv.

    Raises:
        UserError: when pandas is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise UserError("to_frame needs the package pandas, which is not installed: read timeline.csv") from None
    cells = [_cells(row, prediction) for row in rows_of(prediction)]
    return pandas.DataFrame(cells, columns=_columns(prediction))


def _of_window(window: Window, classes: tuple[str, ...]) -> Row:
    active = window.most_active
    x, y, width, height = (round(value, 1) for value in window.box)
    return {
        "start": round(window.start, DIGITS),
        "end": round(window.end, DIGITS),
        "face": window.face,
        "label": window.label,
        "scores": {name: round(score, DIGITS) for name, score in zip(classes, window.scores, strict=True)},
        "logits": list(window.logits),
        "activation": None if active is None else round(active.activation, DIGITS),
        "activation_start": None if active is None else round(active.start, DIGITS),
        "activation_end": None if active is None else round(active.end, DIGITS),
        "clips": [
            {
                "start": round(clip.start, DIGITS),
                "end": round(clip.end, DIGITS),
                "activation": round(clip.activation, DIGITS),
            }
            for clip in window.clips
        ],
        "box": {"x": x, "y": y, "width": width, "height": height},
        "no_face": None,
    }


def _of_gap(gap: Gap) -> Row:
    return {
        "start": round(gap.start, DIGITS),
        "end": round(gap.end, DIGITS),
        "face": None,
        "label": None,
        "scores": None,
        "logits": None,
        "activation": None,
        "activation_start": None,
        "activation_end": None,
        "clips": [],
        "box": None,
        "no_face": gap.reason,
    }


def _columns(prediction: VideoResult) -> list[str]:
    scores = [csv_cell(f"{prediction.about.values}_{name}") for name in prediction.classes]
    activation = ["activation", "activation_start", "activation_end"]
    return ["start", "end", "face", "label", *scores, *activation, "x", "y", "width", "height", "no_face", "warning"]


def _cells(row: Row, prediction: VideoResult) -> list[Any]:
    scores = row["scores"] or dict.fromkeys(prediction.classes)
    box = row["box"] or dict.fromkeys(("x", "y", "width", "height"))
    return [
        row["start"],
        row["end"],
        row["face"],
        None if row["label"] is None else csv_cell(row["label"]),
        *scores.values(),
        *(row["activation"], row["activation_start"], row["activation_end"]),
        *box.values(),
        row["no_face"],
        prediction.about.warnings[0] if prediction.about.warnings else None,
    ]
