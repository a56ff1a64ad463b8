"""All faces of a video in one pass, cut out as `crop.py` cuts them: in memory for a second of frames."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from cefl_bench.faces.crop import CropRule, as_jpeg, cut_out, whole
from cefl_bench.faces.detection import FaceDetector
from cefl_bench.faces.looks import Look, looks
from cefl_bench.functional.face_ids import FaceIds
from cefl_bench.functional.face_track import KERNEL_SIGMAS, averageable, crop_of, mean_around, shown_seconds
from cefl_bench.media.ahead import ahead


@dataclass(frozen=True)
class Face:
    """One person's face in one frame."""

    person: int
    """Counted from 0; after a cut everybody is somebody else."""
    found: bool
    """Whether it is seen; for up to a second after it was, its place is kept."""
    box: tuple[float, float, float, float]
    """`x1, y1, x2, y2` where it was last seen, in pixels of the frame."""
    image: bytes | np.ndarray
    """The crop, as the JPEG file that tools/prepare writes; or uint8 (H, W, 3), where the whole frame is the face."""


@dataclass(frozen=True)
class Sight:
    """What is seen in one frame."""

    seconds: float
    width: int
    height: int
    brightness: float
    """Mean of the frame, 0..1."""
    faces: list[Face]


class _Course:
    """The crops of one person, as far as frames that wait need them."""

    def __init__(self) -> None:
        self._dropped = 0
        self._seconds: list[float] = []
        self._crops: list[np.ndarray] = []
        self._boxes: list[np.ndarray] = []
        self._found: list[bool] = []

    def add(self, seconds: float, crop: np.ndarray, box: np.ndarray, found: bool) -> int:
        """Go on by a frame; its number."""
        self._seconds.append(seconds)
        self._crops.append(crop)
        self._boxes.append(box)
        self._found.append(found)
        return self._dropped + len(self._seconds) - 1

    def keep(self, seconds: float) -> int:
        """Go on by a frame in which the face is not seen."""
        return self.add(seconds, self._crops[-1], self._boxes[-1], False)

    def at(self, number: int, sigma: float) -> tuple[np.ndarray, np.ndarray, bool]:
        """The steady crop of a frame, the face's box, and whether it is seen. Numbers are asked for in order."""
        place = number - self._dropped
        if sigma:
            seconds = np.array(self._seconds)
            crop = mean_around(averageable(np.array(self._crops)), seconds, shown_seconds(seconds), place, sigma)
            crop[2] = np.exp(crop[2])
        else:
            crop = self._crops[place]
        found = crop, self._boxes[place], self._found[place]
        # one more than the Gaussian reaches: it tells for how long the one after it is shown
        while len(self._seconds) > 2 and self._seconds[1] < self._seconds[place] - KERNEL_SIGMAS * sigma:
            self._dropped, place = self._dropped + 1, place - 1
            for values in (self._seconds, self._crops, self._boxes, self._found):
                del values[0]
        return found


def follow_faces(
    frames: Iterable[tuple[float, np.ndarray]], rule: CropRule, detector: FaceDetector, every: float = 0.0
) -> Iterator[Sight]:
    """Frames and when they are shown -> what is seen in each, as soon as its crops are known.

    A crop is averaged over time as in `crop_video`. Where a video shows one person, and faces are looked for in every
    frame, it is the same one.

    Args:
        every: seconds from one frame in which faces are looked for to the next; 0 for every frame.
    """
    people, courses = FaceIds(), dict[int, _Course]()
    waiting: deque[Look] = deque()
    reach, last_shot = KERNEL_SIGMAS * rule.sigma, 0
    for look, shot in ahead(looks(frames, detector, every)):
        if shot != last_shot:
            for earlier in waiting:
                yield _sight(earlier, courses, rule)
            waiting.clear()
            courses.clear()
            people.cut()
            last_shot = shot
        _add_to_courses(look, people, courses, rule)
        waiting.append(look)
        while waiting[0].seconds + reach < look.seconds:
            yield _sight(waiting.popleft(), courses, rule)
            _forget(courses, people, waiting)
    for earlier in waiting:
        yield _sight(earlier, courses, rule)


def _add_to_courses(look: Look, people: FaceIds, courses: dict[int, _Course], rule: CropRule) -> None:
    """Note who is in a frame; who was there a moment ago is kept where they were."""
    numbers = people.match(look.boxes, look.seconds)
    crops = crop_of(look.boxes, look.landmarks, rule.margin) if numbers else np.zeros((0, 4))
    for number, crop, box in zip(numbers, crops, look.boxes, strict=True):
        course = courses.setdefault(number, _Course())
        look.there.append((number, course.add(look.seconds, crop, box, True)))
    for person in people.people:
        if person.number not in numbers and rule.policy != "drop":
            look.there.append((person.number, courses[person.number].keep(look.seconds)))


def _sight(look: Look, courses: dict[int, _Course], rule: CropRule) -> Sight:
    height, width = look.frame.shape[:2]
    faces = []
    for number, place in look.there:
        crop, box, found = courses[number].at(place, rule.sigma)
        is_cut = found or rule.policy == "keep-last"
        image = cut_out(look.frame, crop, rule.size) if is_cut else whole(look.frame, rule.size)
        x1, y1, x2, y2 = (float(value) for value in box)
        faces.append(Face(number, found, (x1, y1, x2, y2), as_jpeg(image, rule.quality)))
    return Sight(look.seconds, width, height, float(look.picture.mean()) / 255, faces)


def _forget(courses: dict[int, _Course], people: FaceIds, waiting: deque[Look]) -> None:
    """Drop the courses of people who are gone, once no frame waits for them."""
    if len(courses) == len(people.people):
        return
    needed = {person.number for person in people.people}
    for look in waiting:
        needed.update(number for number, _ in look.there)
    for number in [number for number in courses if number not in needed]:
        del courses[number]
