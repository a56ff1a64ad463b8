"""Crops of real faces: whose they are, how they stand, and what becomes of frames without one."""

import cv2
import numpy as np
import pytest
from helpers.face_clips import image, numbers, read, write_folder
from helpers.media import write_video

from cefl_bench.errors import UserError
from cefl_bench.faces.crop import CropRule, FoundFaces, crop_video, find_face, read_track, whole
from cefl_bench.faces.detection import FaceDetector
from cefl_bench.faces.frames import frames_of, timed_frames_of
from cefl_bench.functional.face_track import crop_of

SIZE = 192


@pytest.fixture(scope="module")
def detector():
    cv2.setNumThreads(1)
    return FaceDetector(SIZE)


@pytest.fixture(scope="module")
def smile():
    return read("smile", stop=24)


def crop(video, folder, detector, policy="keep-last", **rule):
    folder.mkdir()
    return crop_video(video, folder, CropRule(size=96, policy=policy, detect_size=SIZE, **rule), detector)


@pytest.fixture(scope="module")
def blinking(tmp_path_factory, smile):
    """12 frames that grow brighter; of every four, the third is grey and shows nobody, and so does the first of all."""
    frames = np.stack([smile[0] * (0.4 + 0.05 * index) for index in range(12)]).astype(np.uint8)
    for index in (0, 2, 6, 10):
        frames[index] = 90
    return write_folder(tmp_path_factory.mktemp("blinking") / "frames", frames)


def test_a_face_fills_its_crop_and_is_upright(tmp_path, detector, smile):
    """However the head is tilted: the eyes of the crop are level, the face is in the middle and fills most of it."""
    height, width = smile.shape[1:3]
    for degrees in (-25, 0, 25):
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 0.8)
        video = write_folder(tmp_path / f"{degrees}", np.stack([cv2.warpAffine(smile[0], turn, (width, height))] * 3))
        assert crop(video, tmp_path / f"crops {degrees}", detector).num_faces == 3
        boxes, landmarks = FaceDetector(SIZE).detect(image(tmp_path / f"crops {degrees}" / "000002.jpg"))
        across = landmarks[0, 1] - landmarks[0, 0]
        assert abs(np.degrees(np.arctan2(across[1], across[0]))) < 6, "the eyes are not level"
        assert 0.31 < np.hypot(*across) / 96 < 0.39, "the face is too large or too small"
        assert np.abs((boxes[0, :2] + boxes[0, 2:]) / 2 - 48).max() < 8, "the face is not in the middle"


def test_crops_do_not_jitter(tmp_path, detector, smile):
    """The second difference of where the crop stands: what the eye sees as trembling."""
    video = write_folder(tmp_path / "frames", smile)

    def tremble(sigma):
        face = find_face(video, CropRule(detect_size=SIZE, sigma=sigma), detector)
        assert face.found.all()
        steps = np.diff(face.crops[:, :3], n=2, axis=0) / face.crops[:, 2].mean()
        return np.sqrt(np.square(steps).mean())

    assert tremble(0.12) < 0.003 and tremble(0.12) < tremble(0.0) / 4


@pytest.mark.parametrize("policy", ("keep-last", "full-frame", "drop"))
def test_frames_without_a_face(policy, blinking, tmp_path, detector):
    found = crop(blinking, tmp_path / "crops", detector, policy)
    assert (found.num_frames, found.num_faces) == (12, 8) and read_track(tmp_path / "crops") == found
    empty = [1, 3, 7, 11]
    kept = [number for number in range(1, 13) if policy != "drop" or number not in empty]
    assert numbers(tmp_path / "crops") == kept
    images = {number: image(tmp_path / "crops" / f"{number:06d}.jpg").astype(float) for number in kept}
    brightness = [images[number].mean() for number in kept if number not in empty]
    assert all(np.diff(brightness) > 2), "images are not those of the frames that their names say"
    for number in set(kept) & set(empty):
        bars = images[number][:8].mean()  # above a frame that is wider than high
        assert abs(images[number][40:56].mean() - 90) < 3, "not an image of that frame"
        assert bars < 3 if policy == "full-frame" else abs(bars - 90) < 3


def test_by_default_faces_are_framed_as_corpora_have_them():
    """The eyes are 0.33 to 0.37 of the side apart, on average over people, who differ by a tenth."""
    detector, of_people = FaceDetector(), []
    for name in ("smile", "laugh"):
        shares = []
        for frame in read(name, step=20, width=640):
            boxes, landmarks = detector.detect(frame)
            crops = crop_of(boxes[:1], landmarks[:1], CropRule().margin)
            shares.append(np.hypot(*(landmarks[0, 1] - landmarks[0, 0])) / crops[0, 2])
        of_people.append(np.median(shares))
    assert 0.33 <= np.mean(of_people) <= 0.37 and min(of_people) > 0.31 and max(of_people) < 0.39


@pytest.fixture(scope="module")
def edited(tmp_path_factory, smile):
    """A cut from one person to another who stands elsewhere, and a cut to a sky."""
    laugh, sky = read("laugh", stop=15), read("nobody", stop=12)
    height, width = smile.shape[1:3]
    parts = [np.roll(smile[:15], 60, axis=2), laugh[:, :height, :width], sky[:, :height, :width]]
    frames = np.concatenate([np.stack([cv2.resize(frame, (width, height)) for frame in part]) for part in parts])
    return write_folder(tmp_path_factory.mktemp("edited") / "frames", frames), frames


def test_after_a_cut_the_crop_is_on_the_other_person_at_once(edited, detector):
    video, frames = edited
    face = find_face(video, CropRule(detect_size=SIZE), detector)
    assert np.flatnonzero(np.diff(face.shots)).tolist() == [14, 29]
    assert face.people.tolist() == [1] * 15 + [2] * 15 + [0] * 12
    assert face.found[:30].all() and np.isnan(face.crops[30:]).all()
    for frame in (13, 14, 15, 16):
        boxes = detector.detect(frames[frame])[0]
        centre = (boxes[0, :2] + boxes[0, 2:]) / 2
        assert np.abs(face.crops[frame, :2] - centre).max() < 0.05 * face.crops[frame, 2], "the crop slides off"


def test_shots_and_people_are_counted(edited, tmp_path, detector):
    found = crop(edited[0], tmp_path / "crops", detector)
    assert found == FoundFaces(42, 30, 3, 2) == read_track(tmp_path / "crops")
    sky = image(tmp_path / "crops" / "000035.jpg").astype(float)
    assert np.abs(sky - whole(edited[1][34], 96)).mean() < 4, "a shot without a face is kept whole"
    assert crop(edited[0], tmp_path / "drop", detector, "drop") == found and max(numbers(tmp_path / "drop")) == 30


def test_a_face_that_goes_and_one_that_comes(tmp_path, detector):
    for name, with_face in (("vanishes", slice(0, 6)), ("appears", slice(8, 14))):
        frames = read(name, step=12)
        video = write_folder(tmp_path / name, frames)
        face = find_face(video, CropRule(detect_size=SIZE), detector)
        expected = np.zeros(len(frames), dtype=bool)
        expected[with_face] = True
        assert np.array_equal(face.found, expected)
        assert np.isfinite(face.crops[expected]).all()


def test_a_video_without_any_face_stays_whole_under_every_policy(tmp_path, detector):
    frames = read("nobody", step=20)
    video = write_folder(tmp_path / "frames", frames)
    for policy in ("keep-last", "drop"):
        found = crop(video, tmp_path / policy, detector, policy)
        assert found.num_faces == 0 and numbers(tmp_path / policy) == list(range(1, len(frames) + 1))
        assert np.abs(image(tmp_path / policy / "000003.jpg").astype(float) - whole(frames[2], 96)).mean() < 4


def test_videos_and_folders_give_the_same_frames(tmp_path, smile):
    write_video(tmp_path / "video.mp4", smile[:5])
    decoded = list(frames_of(tmp_path / "video.mp4"))
    assert len(decoded) == 5 and np.abs(np.stack(decoded).astype(float) - smile[:5]).mean() < 6
    timed = list(timed_frames_of(write_folder(tmp_path / "frames", smile[:5])))
    assert np.array_equal(np.stack([frame for _, frame in timed]), smile[:5])
    assert [seconds for seconds, _ in timed] == [seconds for seconds, _ in timed_frames_of(tmp_path / "video.mp4")]


def test_what_cannot_be_decoded_is_named(tmp_path, smile):
    write_video(tmp_path / "cut.mp4", smile[:5])
    (tmp_path / "cut.mp4").write_bytes((tmp_path / "cut.mp4").read_bytes()[:2000])
    (tmp_path / "text.avi").write_text("not a video")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1.jpg").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    for name in ("cut.mp4", "text.avi", "images", "empty", "missing.mp4"):
        with pytest.raises(UserError, match=name) as error:
            list(frames_of(tmp_path / name))
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("wrong", (dict(policy="guess"), dict(size=0), dict(margin=-1), dict(threshold=1.0)))
def test_a_senseless_rule_is_refused(wrong):
    with pytest.raises(UserError, match=f"{next(iter(wrong))} .*expected"):
        CropRule(**wrong)
