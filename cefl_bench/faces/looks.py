"""Looks for faces in the frames of a video: in all of them, or in some, and between these where they must be."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from cefl_bench.faces.crop import small_picture
from cefl_bench.faces.detection import FaceDetector
from cefl_bench.functional.face_ids import overlap
from cefl_bench.functional.shots import in_shots

MIN_SAME_OVERLAP = 0.5
"""Intersection over union of two boxes between which a face moves evenly enough to leave out the frames between."""
SAME_SECONDS = 1e-6
"""Times that differ by less are the same."""


@dataclass
class Look:
    """A frame, and the faces in it."""

    seconds: float
    frame: np.ndarray
    picture: np.ndarray
    """(S, S, 3) the frame made small, by which shots are told."""
    boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 4)))
    landmarks: np.ndarray = field(default_factory=lambda: np.zeros((0, 5, 2)))
    there: list[tuple[int, int]] = field(default_factory=list)
    """Who is there, and the number of the crop in their course; for `several.py`."""


def looks(
    frames: Iterable[tuple[float, np.ndarray]], detector: FaceDetector, every: float
) -> Iterator[tuple[Look, int]]:
    """Frames and when they are shown -> each with its faces, and the number of its shot.

    Args:
        every: seconds from one frame in which faces are looked for to the next; 0 for every frame. The first and the
            last frame of a shot are always looked at. In the frames between two that show the same faces, each is taken
            to move evenly; where they do not, or where a face moves far, faces are looked for in all of them.
    """
    last: Look | None = None
    """The one of this shot that came out last."""
    skipped: list[Look] = []
    """Those after it."""
    shot_of_last = 0
    for look, shot in in_shots(_pictured(frames), lambda look: look.picture):
        if shot != shot_of_last:
            yield from ((one, shot_of_last) for one in _filled(last, skipped, detector))
            last, skipped, shot_of_last = None, [], shot
        skipped.append(look)
        if last is None or look.seconds - last.seconds >= every - SAME_SECONDS:
            yield from ((one, shot) for one in _filled(last, skipped, detector))
            last, skipped = look, []
    yield from ((one, shot_of_last) for one in _filled(last, skipped, detector))


def _pictured(frames: Iterable[tuple[float, np.ndarray]]) -> Iterator[Look]:
    for seconds, frame in frames:
        yield Look(seconds, frame, small_picture(frame))


def _find(look: Look, detector: FaceDetector) -> None:
    look.boxes, look.landmarks = detector.detect(look.frame)


def _filled(before: Look | None, skipped: list[Look], detector: FaceDetector) -> list[Look]:
    """Frames that follow `before`, with their faces; the last one is looked at."""
    if not skipped:
        return []
    *between, end = skipped
    _find(end, detector)
    same = None if before is None else _same_faces(before.boxes, end.boxes)
    for look in between:
        if before is None or same is None:
            _find(look, detector)
        else:
            share = (look.seconds - before.seconds) / (end.seconds - before.seconds)
            look.boxes = before.boxes + share * (end.boxes[same] - before.boxes)
            look.landmarks = before.landmarks + share * (end.landmarks[same] - before.landmarks)
    return skipped


def _same_faces(boxes: np.ndarray, others: np.ndarray) -> np.ndarray | None:
    """(n, 4) boxes -> (n,) which of the others is the same face; None where not all of both are, or one moves far."""
    from scipy.optimize import linear_sum_assignment  # as in `functional/face_track.py`

    if len(boxes) != len(others):
        return None
    overlaps = overlap(boxes, others)
    rows, columns = linear_sum_assignment(-overlaps)
    return columns if (overlaps[rows, columns] >= MIN_SAME_OVERLAP).all() else None
