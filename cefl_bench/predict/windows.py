"""A long video as short ones: windows of a few seconds, and who is in each, in memory for one window."""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from statistics import median_low
from typing import NamedTuple

import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.faces.several import Face, Sight
from cefl_bench.media.images import decode_image, scaled_image
from cefl_bench.media.videos import USUAL_RATE

MIN_SEEN_SHARE = 0.5
"""Of the frames of a window: a face that is there in fewer is not judged."""
MAX_BLACK = 0.02
"""Mean brightness, 0..1, up to which a frame is black."""
SAME_SECONDS = 1e-6
"""Times that differ by less are the same."""
NUM_LAST_GAPS = 9
"""Of the times between frames at the end of a video, those that tell how long its last frame is shown."""


class FacePiece(NamedTuple):
    """One person's face in a window."""

    start: float
    end: float
    person: int
    seconds: np.ndarray
    """(F,) when each of its frames is shown."""
    faces: list[Face]


class EmptyPiece(NamedTuple):
    """A window in which no face can be judged."""

    start: float
    end: float
    reason: str


Piece = FacePiece | EmptyPiece


class CutFrames:
    """The crops of a face as the frames of a video: a `Frames`, with the pixels of a folder of such images."""

    def __init__(self, faces: list[Face], size: int) -> None:
        self._faces, self._size = faces, size

    def __len__(self) -> int:
        return len(self._faces)

    def fetch(self, indices: np.ndarray) -> np.ndarray:
        unique, place = np.unique(indices, return_inverse=True)
        return np.stack([self._image(int(index)) for index in unique])[place.reshape(-1)]

    def _image(self, index: int) -> np.ndarray:
        image = self._faces[index].image
        if isinstance(image, bytes):
            decoded = decode_image(image)
            assert decoded is not None, "we encoded it"
            image = decoded
        return image if image.shape[0] == self._size else scaled_image(image, self._size)


def shown_until(sights: Iterable[Sight]) -> Iterator[tuple[Sight, float]]:
    """Each sight, and until when its frame is shown: until the next one.

    The last one is shown for as long as most of those before it: a video may pause before its last frame.
    """
    gaps: deque[float] = deque(maxlen=NUM_LAST_GAPS)
    held: Sight | None = None
    for sight in sights:
        if held is not None:
            gaps.append(sight.seconds - held.seconds)
            yield held, sight.seconds
        held = sight
    if held is not None:
        yield held, held.seconds + (median_low(gaps) if gaps else 1.0 / USUAL_RATE)


def in_windows(sights: Iterable[Sight], window: float, stride: float) -> Iterator[Piece]:
    """Cut what is seen into windows of `window` seconds, one every `stride` seconds; the last one may be shorter.

    Args:
        window: infinite for the whole video.

    Raises:
        UserError: when there is no sight at all.
    """
    held: deque[Sight] = deque()
    number, end = 0, 0.0
    for sight, until in shown_until(sights):
        while sight.seconds >= number * stride + window - SAME_SECONDS:
            yield from _pieces(held, number * stride, number * stride + window)
            number += 1
            while held and held[0].seconds < number * stride - SAME_SECONDS:
                held.popleft()
        held.append(sight)
        end = until
    if not end:
        raise UserError("the video holds no frame: expected at least one")
    covered = (number - 1) * stride + window if number else 0.0
    if max(covered, number * stride) < end - SAME_SECONDS:
        yield from _pieces(held, number * stride, end)


def _pieces(held: Iterable[Sight], start: float, end: float) -> Iterator[Piece]:
    sights = [sight for sight in held if start - SAME_SECONDS <= sight.seconds < end - SAME_SECONDS]
    if not sights:  # between two frames that are far apart
        yield EmptyPiece(start, end, "no frame in it")
        return
    needed = max(1, math.ceil(MIN_SEEN_SHARE * len(sights)))
    longest, judged = 0, False
    people: set[int] = set()
    for sight in sights:
        people |= {face.person for face in sight.faces}
    for person in sorted(people):
        seconds, faces = _of_person(sights, person)
        longest = max(longest, len(faces))
        if len(faces) >= needed:
            judged = True
            yield FacePiece(start, end, person, seconds, faces)
    if not judged:
        yield EmptyPiece(start, end, _reason(sights, longest))


def _of_person(sights: list[Sight], person: int) -> tuple[np.ndarray, list[Face]]:
    """The frames of a person up to the last one in which the face is seen."""
    seconds, faces, count = [], [], 0
    for sight in sights:
        for face in sight.faces:
            if face.person == person:
                seconds.append(sight.seconds)
                faces.append(face)
                count = len(faces) if face.found else count
    return np.array(seconds[:count]), faces[:count]


def _reason(sights: list[Sight], longest: int) -> str:
    if all(sight.brightness <= MAX_BLACK for sight in sights):
        return "black frames"
    if longest:
        return f"a face in only {longest} of {len(sights)} frames"
    return "no face found"
