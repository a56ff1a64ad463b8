"""All faces of a video in one pass: the crops of one person are those of the crop tool, and memory stays flat."""

import tracemalloc

import cv2
import numpy as np
import pytest
from helpers.face_clips import read
from helpers.media import write_video

from cefl_bench.faces.crop import CropRule, as_jpeg, cut_out, find_face
from cefl_bench.faces.detection import FaceDetector
from cefl_bench.faces.frames import frames_of
from cefl_bench.faces.several import follow_faces

SIZE = 192
RULE = CropRule(size=96, detect_size=SIZE)


@pytest.fixture(scope="module")
def detector():
    cv2.setNumThreads(1)
    return FaceDetector(SIZE)


@pytest.fixture(scope="module")
def smile():
    return read("smile", stop=30)


@pytest.fixture(scope="module")
def laugh():
    return read("laugh", stop=30)


def timed(frames, rate=25):
    return [(number / rate, frame) for number, frame in enumerate(frames)]


def people(sights):
    return [sorted(face.person for face in sight.faces if face.found) for sight in sights]


def test_the_crops_of_one_person_are_those_of_the_crop_tool(tmp_path, detector, laugh):
    """Also where the face is hidden for a moment, and after a cut."""
    frames = np.concatenate([laugh, laugh[::-1, :, ::-1]])
    frames[[10, 11, 44]] = 90
    path = tmp_path / "video.mp4"
    write_video(path, frames)
    truth = find_face(path, RULE, detector)
    assert truth.shots[-1] >= 1 and 0 < (~truth.found).sum() <= 3
    sights = list(follow_faces(timed(frames_of(path)), RULE, detector))
    assert len(sights) == len(frames)
    for frame, sight, crop, found in zip(frames_of(path), sights, truth.crops, truth.found, strict=True):
        (face,) = sight.faces
        assert face.found == found
        assert face.image == as_jpeg(cut_out(frame, crop, RULE.size), RULE.quality)


def test_several_people_are_each_followed(detector, smile, laugh):
    sights = list(follow_faces(timed(np.concatenate([smile, laugh], axis=2)), RULE, detector))
    assert people(sights) == [[0, 1]] * len(smile)
    for sight in sights:
        left, right = sorted(sight.faces, key=lambda face: face.box[0])
        assert left.box[2] < smile.shape[2] < right.box[0] + 20
        assert left.person == sights[0].faces[0].person or right.person == sights[0].faces[0].person
    assert sights[0].width == smile.shape[2] + laugh.shape[2]


def test_a_cut_makes_everybody_somebody_else(detector, smile, laugh):
    found = people(follow_faces(timed(np.concatenate([smile, laugh])), RULE, detector))
    assert found == [[0]] * len(smile) + [[1]] * len(laugh)


@pytest.mark.parametrize(("policy", "num_faces"), [("keep-last", 1), ("full-frame", 1), ("drop", 0)])
def test_a_frame_without_the_face_becomes_what_the_policy_says(policy, num_faces, detector, smile):
    frames = smile[:12].copy()
    frames[5] = 90
    rule = CropRule(size=96, detect_size=SIZE, policy=policy)
    sights = list(follow_faces(timed(frames), rule, detector))
    assert [len(sight.faces) for sight in sights] == [1] * 5 + [num_faces] + [1] * 6
    if policy == "full-frame":
        grey_with_bars = cv2.imdecode(np.frombuffer(sights[5].faces[0].image, np.uint8), cv2.IMREAD_COLOR)
        assert grey_with_bars[:5].max() < 12 and abs(int(grey_with_bars[48, 48, 0]) - 90) < 5


def test_frames_come_out_a_second_after_they_went_in_and_are_let_go(smile):
    """However long the video: 400 frames of 320 x 180 would be 69 MB."""

    class Still:
        def detect(self, frame):
            return np.array([[100.0, 40, 180, 120]]), np.array(
                [[[120, 70], [150, 70], [135, 85], [122, 100], [148, 100]]]
            )

    given: list[float] = [0.0]

    def frames():
        for number in range(400):
            given[0] = number / 25
            yield given[0], smile[number % 2].copy()

    tracemalloc.start()
    peaks = []
    for number, sight in enumerate(follow_faces(frames(), RULE, Still())):
        assert given[0] - sight.seconds <= 1
        if number in (100, 380):
            peaks.append(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
    assert peaks[1] < 1.05 * peaks[0] < 15e6
