"""One face through a video: which of the faces found it is, and the steady square around it.

A face is a box `x1, y1, x2, y2` and five landmarks (right eye, left eye, nose, right and left mouth corner, as seen by
the person), in pixels. A crop is `x, y, side, angle`: centre and side in pixels, angle in radians, clockwise.
"""

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_filter1d

PATIENCE = 5
"""Frames for which a lost face is waited for, before another one is followed."""


def first_face(boxes: np.ndarray, height: int, width: int) -> int:
    """Which of (n, 4) boxes to follow: of those at least half as large as the largest, the most central one."""
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    off_centre = np.hypot(*(_centres(boxes) - (width / 2, height / 2)).T)
    return int(np.where(areas >= areas.max() / 2, off_centre, np.inf).argmin())


def follow(boxes: Sequence[np.ndarray], height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """(F) x (n, 4) boxes of every frame -> (F,) which of them is the face, -1 where it is not; (F,) number of the shot.

    The face is `first_face`, then the one nearest to where it was last, no further than the side of that box. Once
    none was that near for more than `PATIENCE` frames, a new shot begins with `first_face`.
    """
    chosen, shots = np.full(len(boxes), -1), np.zeros(len(boxes), dtype=int)
    last, lost, shot = None, 0, 0
    for frame, found in enumerate(boxes):
        index = None
        if len(found) and last is not None:
            distances = np.hypot(*(_centres(found) - _centres(last[None])).T)
            index = int(distances.argmin()) if distances.min() <= _sides(last[None])[0] else None
        lost = lost + 1 if index is None else 0
        if len(found) and index is None and (last is None or lost > PATIENCE):
            index, lost = first_face(found, height, width), 0
            shot += last is not None
        if index is not None:
            chosen[frame], last = index, found[index]
        shots[frame] = shot
    return chosen, shots


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


def steady(crops: np.ndarray, found: np.ndarray, shots: np.ndarray, sigma: float) -> np.ndarray:
    """(F, 4) crops, (F,) bool where they are known, (F,) shots -> (F, 4) crops for every frame that do not jitter.

    A frame without a face takes the crop of the last one with a face in its shot, before the first one that of the
    first. Within a shot, a Gaussian of `sigma` frames around each frame averages, so that a crop does not lag behind.

    Raises:
        ValueError: when no frame has a face.
    """
    known = np.flatnonzero(found)
    if not len(known):
        raise ValueError("no frame has a face")
    source = known[np.maximum(np.searchsorted(known, np.arange(len(crops)), side="right") - 1, 0)]
    filled = crops[source]
    filled[:, 2] = np.log(filled[:, 2])
    result = np.empty_like(filled)
    for shot in np.unique(shots):
        part = filled[shots == shot]
        part[:, 3] = np.unwrap(part[:, 3])
        result[shots == shot] = gaussian_filter1d(part, sigma, axis=0, mode="nearest") if sigma else part
    result[:, 2] = np.exp(result[:, 2])
    return result


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
