"""One person's face through a shot: which of the faces found it is, and the steady square around it.

A face is a box `x1, y1, x2, y2` and five landmarks (right eye, left eye, nose, right and left mouth corner, as seen by
the person), in pixels. A crop is `x, y, side, angle`: centre and side in pixels, angle in radians, clockwise.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

PATIENCE_SECONDS = 1.0
"""A face that is gone for longer than this, while another one is there for longer than this, gives way to it."""
MAX_STEP = 1.0
"""How far a face moves between two sights of it, in sides of its box."""
NEVER = 1e6
"""The cost of taking two faces for one that are further apart."""
KERNEL_SIGMAS = 4.0
"""How far the Gaussian of `steady` reaches; beyond, it weighs less than 0.0004."""


@dataclass
class Track:
    """The sights of one face in a shot."""

    last: np.ndarray
    """(4,) its box when it was last seen."""
    boxes: dict[int, int] = field(default_factory=dict)
    """Frame -> which of its boxes."""
    votes: list[int] = field(default_factory=list)
    """The frames in which it is `first_face`."""
    person: int = 0
    """Its number once it is followed."""


@dataclass(frozen=True)
class Following:
    """Whose face is followed in each of F frames."""

    chosen: np.ndarray
    """(F,) which of a frame's boxes it is, -1 where it is not seen."""
    people: np.ndarray
    """(F,) number of the person, counted from 1; 0 in shots without a face. Nobody is recognised: who is seen again
    after a cut counts as another."""


def first_face(boxes: np.ndarray, height: int, width: int) -> int:
    """Which of (n, 4) boxes to follow: of those at least half as large as the largest, the most central one."""
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    off_centre = np.hypot(*(_centres(boxes) - (width / 2, height / 2)).T)
    return int(np.where(areas >= areas.max() / 2, off_centre, np.inf).argmin())


def follow(boxes: Sequence[np.ndarray], shots: np.ndarray, seconds: np.ndarray, height: int, width: int) -> Following:
    """One person per shot: the one who is `first_face` in most of its frames.

    Only where that person is gone for more than `PATIENCE_SECONDS` at the beginning or the end of the shot, and another
    one is there meanwhile, that one is followed there: people come and go, and dissolves are no cuts.

    Args:
        boxes: (F) x (n, 4), the faces of every frame.
        shots: (F,) number of the shot, never falling.
        seconds: (F,) when the frames are shown.
    """
    following = Following(np.full(len(boxes), -1), np.zeros(len(boxes), dtype=np.int64))
    num_people = 0
    for shot in np.unique(shots):
        frames = np.flatnonzero(shots == shot)
        tracks = _tracks(boxes, range(frames[0], frames[-1] + 1), height, width)
        for track, start, stop in _leading(tracks, frames[0], frames[-1] + 1, seconds):
            if not track.person:
                num_people += 1
                track.person = num_people
            following.people[start:stop] = track.person
            for frame in range(start, stop):
                following.chosen[frame] = track.boxes.get(frame, -1)
    return following


def _tracks(boxes: Sequence[np.ndarray], frames: range, height: int, width: int) -> list[Track]:
    """The faces of a shot, each through all its frames: nearest to nearest, no further than `MAX_STEP`."""
    from scipy.optimize import linear_sum_assignment  # half a second, which only a tool that follows faces waits for

    tracks: list[Track] = []
    for frame in frames:
        found = boxes[frame]
        if not len(found):
            continue
        owners: dict[int, Track] = {}
        if tracks:
            last = np.stack([track.last for track in tracks])
            steps = np.linalg.norm(_centres(found)[:, None] - _centres(last)[None], axis=-1) / _sides(last)
            for index, at in zip(*linear_sum_assignment(np.where(steps <= MAX_STEP, steps, NEVER)), strict=True):
                if steps[index, at] <= MAX_STEP:
                    owners[int(index)] = tracks[at]
        for index, box in enumerate(found):
            if index not in owners:
                owners[index] = Track(box)
                tracks.append(owners[index])
            owners[index].last = box
            owners[index].boxes[frame] = index
        owners[first_face(found, height, width)].votes.append(frame)
    return tracks


def _leading(tracks: Sequence[Track], start: int, stop: int, seconds: np.ndarray) -> Iterator[tuple[Track, int, int]]:
    """Whom to follow from frame `start` to before `stop`, in order: the track, its first frame, the one after its last.

    Gives nothing where no face is seen.
    """
    votes = [sum(start <= frame < stop for frame in track.votes) for track in tracks]
    if not any(votes):
        return
    leader = tracks[int(np.argmax(votes))]
    seen = [frame for frame in leader.boxes if start <= frame < stop]
    first, after = min(seen), max(seen) + 1
    before_it = list(_leading(tracks, start, first, seconds)) if _lasts(tracks, start, first, seconds) else []
    behind_it = list(_leading(tracks, after, stop, seconds)) if _lasts(tracks, after, stop, seconds) else []
    yield from before_it
    yield leader, first if before_it else start, after if behind_it else stop
    yield from behind_it


def _lasts(tracks: Sequence[Track], start: int, stop: int, seconds: np.ndarray) -> bool:
    """Whether a part of a shot shows one person for long enough to follow."""
    for track in tracks:
        seen = [frame for frame in track.votes if start <= frame < stop]
        if seen and seconds[max(seen)] - seconds[min(seen)] > PATIENCE_SECONDS:
            return True
    return False


def crop_of(boxes: np.ndarray, landmarks: np.ndarray, margin: float) -> np.ndarray:
    """(n, 4) boxes and (n, 5, 2) landmarks -> (n, 4) crops: upright squares around the centre of the box.

    The side is the longer one of the box plus `margin` of it on every side. The angle is that of the line of the eyes,
    averaged with that of the line from the eyes to the mouth, which still holds when a head is turned to the side (as
    in Karras et al., A Style-Based Generator Architecture for Generative Adversarial Networks, CVPR 2019).
    """
    eyes, mouth = landmarks[:, :2], landmarks[:, 3:]
    across = eyes[:, 1] - eyes[:, 0]
    down = mouth.mean(axis=1) - eyes.mean(axis=1)
    direction = across + np.stack([down[:, 1], -down[:, 0]], axis=1)
    angle = np.arctan2(direction[:, 1], direction[:, 0])
    return np.column_stack([_centres(boxes), _sides(boxes) * (1 + 2 * margin), angle])


def steady(crops: np.ndarray, parts: np.ndarray, seconds: np.ndarray, sigma: float) -> np.ndarray:
    """(F, 4) crops, NaN where no face is seen -> (F, 4) crops that do not jitter, NaN only in parts without a face.

    A frame without a face takes the crop of the last one with a face in its part, before the first one that of the
    first. Then a Gaussian over the times of the frames averages, in which each frame weighs as long as it is shown: so
    the result does not depend on the frame rate, nor lag behind.

    Args:
        parts: (F,) number of the part of the video, which shows one person in one shot; never averaged with others.
        seconds: (F,) when the frames are shown, rising.
        sigma: standard deviation of the Gaussian in seconds; 0 to leave the crops as they are.
    """
    result = np.full_like(crops, np.nan)
    for part in np.unique(parts):
        frames = np.flatnonzero(parts == part)
        known = np.flatnonzero(np.isfinite(crops[frames, 0]))
        if not len(known):
            continue
        source = known[np.maximum(np.searchsorted(known, np.arange(len(frames)), side="right") - 1, 0)]
        filled = averageable(crops[frames[source]])
        smooth = _averaged(filled, seconds[frames], sigma) if sigma else filled
        smooth[:, 2] = np.exp(smooth[:, 2])
        result[frames] = smooth
    return result


def averageable(crops: np.ndarray) -> np.ndarray:
    """(F, 4) crops of one face -> (F, 4) with the logarithm of the side and an angle that does not jump by a turn."""
    return np.column_stack([crops[:, :2], np.log(crops[:, 2]), np.unwrap(crops[:, 3])])


def _averaged(values: np.ndarray, seconds: np.ndarray, sigma: float) -> np.ndarray:
    """(F, C) values at (F,) seconds -> (F, C), each the mean of all under a Gaussian around it."""
    shown = shown_seconds(seconds)
    return np.stack([mean_around(values, seconds, shown, frame, sigma) for frame in range(len(values))])


def shown_seconds(seconds: np.ndarray) -> np.ndarray:
    """(F,) when frames are shown -> (F,) for how long each counts: half of the way to the one before and after it."""
    if len(seconds) == 1:
        return np.ones(1)
    middles = (seconds[1:] + seconds[:-1]) / 2
    return np.diff(np.concatenate([[2 * seconds[0] - middles[0]], middles, [2 * seconds[-1] - middles[-1]]]))


def mean_around(values: np.ndarray, seconds: np.ndarray, shown: np.ndarray, frame: int, sigma: float) -> np.ndarray:
    """(F, C) values -> (C,), their mean under a Gaussian of `sigma` seconds around a frame.

    Each frame also weighs as long as it is shown.
    """
    reach = KERNEL_SIGMAS * sigma
    start = np.searchsorted(seconds, seconds[frame] - reach)
    stop = np.searchsorted(seconds, seconds[frame] + reach, side="right")
    weights = shown[start:stop] * np.exp(-0.5 * ((seconds[start:stop] - seconds[frame]) / sigma) ** 2)
    return weights @ values[start:stop] / weights.sum()


def crop_matrix(crop: np.ndarray, size: int) -> np.ndarray:
    """(4,) crop -> (2, 3) affine matrix from pixels of the frame to pixels of the upright `size` x `size` image.

    Coordinates are those of pixel centres, as OpenCV counts them.
    """
    x, y, side, angle = crop
    scale = size / side
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    rotation = np.array([[cos, sin], [-sin, cos]])
    middle = (size - 1) / 2 - rotation @ (x - 0.5, y - 0.5)
    return np.column_stack([rotation, middle])


def _centres(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, :2] + boxes[:, 2:4]) / 2


def _sides(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2:4] - boxes[:, :2]).max(axis=1)
