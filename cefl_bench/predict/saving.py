"""Writes what is known of a video into a folder, each file whole or not at all."""

import json
from collections.abc import Callable
from pathlib import Path

from cefl_bench.errors import UserError
from cefl_bench.files import atomic_path, write_text
from cefl_bench.media.redraw import redraw
from cefl_bench.predict.annotate import Annotator
from cefl_bench.predict.figure import draw_prediction
from cefl_bench.predict.result import VideoResult
from cefl_bench.predict.timeline import csv_of, timeline_of

CSV, JSON, FIGURE, VIDEO = "timeline.csv", "timeline.json", "timeline.png", "annotated.mp4"
DOTS_PER_INCH = 150


def save(
    prediction: VideoResult, folder: Path, annotate: bool, progress: Callable[[float], None] | None = None
) -> list[Path]:
    """Write the timeline, its figure and, with `annotate`, the video with what was found drawn on it; their paths.

    An annotated video that is there shows what was found before, and goes first.

    Args:
        progress: called with the seconds of the annotated video that are done; raising from it stops.

    Raises:
        UserError: naming what cannot be read or written.
    """
    if prediction.source.resolve() == (folder / VIDEO).resolve():
        raise UserError(f"{prediction.source} would be replaced by its own annotated video: name another folder")
    table, values = csv_of(prediction), json.dumps(timeline_of(prediction), indent=1, allow_nan=False) + "\n"
    (folder / VIDEO).unlink(missing_ok=True)
    write_text(folder / CSV, table)
    write_text(folder / JSON, values)
    figure = draw_prediction(prediction)
    with atomic_path(folder / FIGURE) as temporary:
        figure.savefig(temporary, dpi=DOTS_PER_INCH)
    written = [folder / name for name in (CSV, JSON, FIGURE)]
    if annotate:
        annotator = Annotator(prediction)

        def draw(seconds, frame):
            if progress is not None:
                progress(seconds)
            return annotator.draw(seconds, frame)

        redraw(prediction.source, folder / VIDEO, draw)
        written.append(folder / VIDEO)
    return written
