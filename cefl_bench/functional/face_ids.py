"""Who is who among the faces of a video, one frame at a time: boxes that overlap are one person's."""

from dataclasses import dataclass

import numpy as np

from cefl_bench.functional.face_track import PATIENCE_SECONDS

MIN_OVERLAP = 0.2
"""Intersection over union of a face's box with the one where the person was last seen."""


@dataclass
class Person:
    """A face that is being followed."""

    number: int
    """Counted from 0 in the order in which they appear."""
    box: np.ndarray
    """(4,) `x1, y1, x2, y2` where the face was last seen, in pixels."""
    seconds: float
    """When."""


class FaceIds:
    """Follows any number of faces. Nobody is recognised: who leaves, or is seen again after a cut, counts as another.

    People are matched to boxes so that the overlaps add up to most (Hungarian method). Who is not seen for longer than
    `PATIENCE_SECONDS` is gone.
    """

    def __init__(self) -> None:
        self.people: list[Person] = []
        """Who is there, or has been a moment ago."""
        self._count = 0

    def cut(self) -> None:
        """Begin another shot: nobody goes on."""
        self.people = []

    def match(self, boxes: np.ndarray, seconds: float) -> list[int]:
        """(n, 4) boxes of the next frame -> the number of the person whose face each one is."""
        from scipy.optimize import linear_sum_assignment  # as in `face_track.py`

        self.people = [person for person in self.people if seconds - person.seconds <= PATIENCE_SECONDS]
        overlaps = overlap(boxes, np.array([person.box for person in self.people]).reshape(-1, 4))
        owners: dict[int, Person] = {}
        for index, at in zip(*linear_sum_assignment(-overlaps), strict=True):
            if overlaps[index, at] > MIN_OVERLAP:
                owners[int(index)] = self.people[at]
        for index, box in enumerate(boxes):
            if index not in owners:
                owners[index] = Person(self._count, box, seconds)
                self._count += 1
                self.people.append(owners[index])
            owners[index].box, owners[index].seconds = box, seconds
        return [owners[index].number for index in range(len(boxes))]


def overlap(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(n, 4) and (m, 4) boxes -> (n, m) intersection over union, 0..1."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:4], other[None, :, 2:4])
    shared = np.prod(np.clip(high - low, 0, None), axis=-1)
    areas = [np.prod(boxes[:, 2:4] - boxes[:, :2], axis=-1) for boxes in (one, other)]
    return shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-9)
