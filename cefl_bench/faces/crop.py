"""One video becomes a folder of images of one face per shot: found, followed, turned upright, and steady."""

import csv
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.faces.detection import FaceDetector
from cefl_bench.faces.frames import frames_of, timed_frames_of
from cefl_bench.functional.face_track import crop_matrix, crop_of, follow, steady
from cefl_bench.functional.shots import PICTURE_SIDE, shots_of

POLICIES = ("keep-last", "full-frame", "drop")
TRACK = "track.csv"
COLUMNS = ("frame", "seconds", "shot", "person", "face", "x", "y", "side", "angle")
RULE_VERSION = 2
"""Raised when the same numbers of a `CropRule` give other crops. 2: shots are found by content, times are seconds."""


@dataclass(frozen=True)
class CropRule:
    """How crops are made: all that decides what is in an image.

    Args:
        size: height and width of the images.
        margin: how much is added to each side of the face's box, as a share of its longer side. By default the eyes
            are about 0.35 of the image's side apart, as in the crops that corpora come with.
        policy: what a frame becomes in which the face is not seen: `keep-last`, the crop where it was last in its shot
            (at first, where it will be); `full-frame`, the whole frame with black bars; `drop`, nothing, its number is
            left out. In a shot without any face, `keep-last` keeps the whole frame too.
        detect_size: the longer side in pixels at which faces are looked for.
        threshold: score from which on something is a face.
        sigma: seconds over which crops are averaged in time, the standard deviation of a Gaussian.
        quality: of the JPEG images, 1..100.
    """

    size: int = 224
    margin: float = 0.01
    policy: str = "keep-last"
    detect_size: int = 320
    threshold: float = 0.5
    sigma: float = 0.12
    quality: int = 95

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            raise UserError(f"policy is {self.policy!r}: expected one of {', '.join(POLICIES)}")
        if not (16 <= self.size <= 4096 and 32 <= self.detect_size <= 4096):
            raise UserError(f"size is {self.size} and detect size {self.detect_size}: expected 16..4096 and 32..4096")
        if not (0 <= self.margin <= 2 and self.sigma >= 0 and 0 < self.threshold < 1 and 1 <= self.quality <= 100):
            raise UserError(
                f"margin is {self.margin}, sigma {self.sigma}, threshold {self.threshold}, quality {self.quality}: "
                "expected 0..2, 0 or more, between 0 and 1, and 1..100"
            )

    def as_dict(self) -> dict[str, Any]:
        """What crops by this rule have in common, for their files."""
        return {"version": RULE_VERSION, **asdict(self)}


@dataclass(frozen=True)
class FacePath:
    """Where the face is in each of the F frames of a video."""

    seconds: np.ndarray
    """(F,) when the frame is shown."""
    shots: np.ndarray
    """(F,) number of the shot, from 0."""
    people: np.ndarray
    """(F,) number of the person who is followed, from 1; 0 in a shot without a face."""
    found: np.ndarray
    """(F,) bool, whether the face is seen."""
    crops: np.ndarray
    """(F, 4) the steady crop; NaN in a shot without a face."""


@dataclass(frozen=True)
class FoundFaces:
    """Of a video: how many frames it has, in how many of them the face was found, and what it was cut together from."""

    num_frames: int
    num_faces: int
    num_shots: int
    num_people: int
    """How many are followed, one after the other; who is seen again after a cut counts as another."""


def crop_video(path: Path, folder: Path, rule: CropRule, detector: FaceDetector) -> FoundFaces:
    """Write 000001.jpg, ... (a frame's number in the video) and track.csv into an empty folder.

    A video without any face becomes full frames under every policy, so that no corpus shrinks.

    Raises:
        UserError: naming a video that cannot be decoded.
    """
    face = find_face(path, rule, detector)
    held = np.isfinite(face.crops[:, 0]) & (rule.policy == "keep-last")
    for index, frame in enumerate(frames_of(path)):
        if index == len(face.found):
            break
        if face.found[index] or held[index]:
            image = cut_out(frame, face.crops[index], rule.size)
        elif rule.policy == "drop" and face.found.any():
            continue
        else:
            image = whole(frame, rule.size)
        (folder / f"{index + 1:06d}.jpg").write_bytes(as_jpeg(image, rule.quality))
    _write_track(folder / TRACK, face)
    return read_track(folder)


def find_face(path: Path, rule: CropRule, detector: FaceDetector) -> FacePath:
    """Look for the faces in every frame of a video, and follow one per shot."""
    times, pictures, boxes, landmarks = [], [], [], []
    for seconds, frame in timed_frames_of(path):
        height, width = frame.shape[:2]
        of_frame = detector.detect(frame)
        times.append(seconds)
        pictures.append(small_picture(frame))
        boxes.append(of_frame[0])
        landmarks.append(of_frame[1])
    at, shots = np.array(times), shots_of(np.stack(pictures))
    following = follow(boxes, shots, at, height, width)
    found = following.chosen >= 0
    crops = np.full((len(found), 4), np.nan)
    if found.any():
        where = np.flatnonzero(found)
        face = np.stack([boxes[frame][following.chosen[frame]] for frame in where])
        points = np.stack([landmarks[frame][following.chosen[frame]] for frame in where])
        crops[where] = crop_of(face, points, rule.margin)
        parts = np.cumsum((np.diff(shots, prepend=shots[0]) != 0) | (np.diff(following.people, prepend=0) != 0))
        crops = steady(crops, parts, at, rule.sigma)
    return FacePath(at, shots, following.people, found, crops)


def cut_out(frame: np.ndarray, crop: np.ndarray, size: int) -> np.ndarray:
    """(H, W, 3), a crop -> (size, size, 3); black where the crop reaches out of the frame."""
    shrink = min(1.0, size / crop[2])
    if shrink < 1:  # by area first: turning and shrinking in one step would skip pixels
        height, width = (max(1, round(side * shrink)) for side in frame.shape[:2])
        factors = np.array([width / frame.shape[1], height / frame.shape[0]])
        frame = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
        crop = np.array([*(crop[:2] * factors), crop[2] * shrink, crop[3]])
    return cv2.warpAffine(frame, crop_matrix(crop, size), (size, size), flags=cv2.INTER_LINEAR)


def whole(frame: np.ndarray, size: int) -> np.ndarray:
    """(H, W, 3) -> (size, size, 3): the whole frame in its proportions, in the middle of black."""
    height, width = frame.shape[:2]
    return cut_out(frame, np.array([width / 2, height / 2, max(height, width), 0.0]), size)


def as_jpeg(image: np.ndarray, quality: int) -> bytes:
    """(H, W, 3) RGB -> the bytes of a JPEG file."""
    return cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def small_picture(frame: np.ndarray) -> np.ndarray:
    """(H, W, 3) -> (S, S, 3), what shots are told by."""
    return cv2.resize(frame, (PICTURE_SIDE, PICTURE_SIDE), interpolation=cv2.INTER_AREA)


def read_track(folder: Path) -> FoundFaces:
    """What `crop_video` counted in the video of a finished folder."""
    with open(folder / TRACK, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    num_faces = sum(row["face"] == "1" for row in rows)
    people = {row["person"] for row in rows} - {"0"}
    return FoundFaces(len(rows), num_faces, len({row["shot"] for row in rows}), len(people))


def _write_track(path: Path, face: FacePath) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for index, (x, y, side, angle) in enumerate(face.crops):
            counted = [face.shots[index] + 1, face.people[index], int(face.found[index])]
            crop = [f"{x:.2f}", f"{y:.2f}", f"{side:.2f}", f"{angle:.4f}"]
            writer.writerow([index + 1, f"{face.seconds[index]:.4f}", *counted, *crop])
