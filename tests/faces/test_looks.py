"""Faces are looked for in some frames and known in all: moved evenly between two looks, where that can be right."""

import cv2
import numpy as np
import pytest
from helpers.face_clips import read

from cefl_bench.faces.detection import FaceDetector
from cefl_bench.faces.looks import looks

EYES = np.array([[30.0, 40], [60, 40], [45, 55], [33, 70], [57, 70]])
RATE = 25


class Planted:
    """A detector that knows where faces are: a frame's number stands in its first pixel."""

    def __init__(self, boxes_of):
        self.boxes_of, self.looked = boxes_of, []

    def detect(self, frame):
        number = int(frame[0, 0, 0])
        self.looked.append(number)
        boxes = np.array(self.boxes_of(number), dtype=float).reshape(-1, 4)
        return boxes, boxes[:, None, :2] + EYES


def numbered(count, cut=None):
    """Grey frames that carry their numbers; after `cut` they are another shot."""
    for number in range(count):
        frame = np.full((180, 320, 3), 60, dtype=np.uint8)
        if cut is not None and number >= cut:
            frame[:, 160:] = 220
        frame[0, 0] = number
        yield number / RATE, frame


def found(detector, frames, every):
    given = list(looks(frames, detector, every))
    assert [int(look.frame[0, 0, 0]) for look, _ in given] == list(range(len(given))), "in order, each once"
    return given


def moving(number):
    """Two faces that walk at even speed; they are listed in another order from look to look."""
    people = [[10 + 2 * number, 20, 110 + 2 * number, 120], [200 - number, 30, 260 - number, 100]]
    return people[:: -1 if number % 2 else 1]


def test_faces_that_move_evenly_are_where_they_would_be_found():
    detector = Planted(moving)
    for number, (look, _) in enumerate(found(detector, numbered(14), 0.12)):
        for boxes in (look.boxes, look.landmarks[:, 0] - EYES[0]):
            expected = np.array(moving(number))[:, : boxes.shape[1]]
            order, wanted = boxes[:, 0].argsort(), expected[:, 0].argsort()
            np.testing.assert_allclose(boxes[order], expected[wanted], atol=1e-9)
    assert detector.looked == [0, 3, 6, 9, 12, 13], "every third frame at 25 a second, and the last one"


@pytest.mark.parametrize(
    ("boxes_of", "where"),
    [
        (lambda number: [[10, 20, 110, 120]] if number < 4 else [], "goes"),
        (lambda number: [[10, 20, 110, 120], [150, 20, 250, 120]][: 1 + (number >= 4)], "another one comes"),
        (lambda number: [[10, 20, 110, 120]] if number < 4 else [[80, 20, 180, 120]], "jumps"),
    ],
)
def test_every_frame_is_looked_at_where_a_face(boxes_of, where):
    detector = Planted(boxes_of)
    for number, (look, _) in enumerate(found(detector, numbered(10), 0.12)):
        np.testing.assert_array_equal(look.boxes, np.array(boxes_of(number), dtype=float).reshape(-1, 4))
    assert {3, 4, 5, 6} <= set(detector.looked) and not {1, 2, 7, 8} & set(detector.looked), where


def test_nothing_moves_through_a_cut():
    detector = Planted(lambda number: [[10, 20, 110, 120]] if number < 11 else [[20, 20, 120, 120]])
    given = found(detector, numbered(20, cut=11), 0.2)
    assert [shot for _, shot in given] == [0] * 11 + [1] * 9
    assert [look.boxes[0, 0] for look, _ in given] == [10] * 11 + [20] * 9
    assert detector.looked == [0, 5, 10, 11, 16, 19]


def test_every_frame_is_looked_at_when_asked_for():
    detector = Planted(moving)
    found(detector, numbered(9), 0.0)
    assert detector.looked == list(range(9))


def test_a_real_face_is_where_a_look_at_every_frame_finds_it():
    """To 2 % of its side in the median frame, which is less than the detector trembles between two frames."""
    cv2.setNumThreads(1)
    frames, detector = read("laugh", stop=40), FaceDetector(192)
    timed = [(number / RATE, frame) for number, frame in enumerate(frames)]
    seen, known = (np.concatenate([look.boxes for look, _ in looks(timed, detector, every)]) for every in (0.0, 0.12))
    assert len(seen) == len(known) == len(frames)
    apart = np.abs(seen - known).max(axis=1) / (seen[:, 2] - seen[:, 0])
    trembles = np.abs(np.diff(seen, axis=0)).max(axis=1) / (seen[1:, 2] - seen[1:, 0])
    assert np.median(apart) <= max(0.02, np.median(trembles)) and apart.max() < 0.15, (apart, trembles)
