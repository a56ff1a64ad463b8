"""One video becomes a folder of images of one face: found, followed, turned upright, and steady."""

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.faces.detection import FaceDetector
from cefl_bench.faces.frames import frames_of
from cefl_bench.functional.face_track import crop_matrix, crop_of, follow, steady

POLICIES = ("keep-last", "full-frame", "drop")
TRACK = "track.csv"
COLUMNS = ("frame", "face", "x", "y", "side", "angle")


@dataclass(frozen=True)
class CropRule:
    """How crops are made: all that decides what is in an image.

    Args:
        size: height and width of the images.
        margin: how much is added to each side of the face's box, as a share of its longer side.
        policy: what a frame without a face becomes: `keep-last`, the crop where the face was last (at first, where it
            will be); `full-frame`, the whole frame with black bars; `drop`, nothing, its number is left out.
        detect_size: the longer side in pixels at which faces are looked for.
        threshold: score from which on something is a face.
        sigma: frames over which crops are averaged in time, the standard deviation of a Gaussian.
        quality: of the JPEG images, 1..100.
    """

    size: int = 224
    margin: float = 0.1
    policy: str = "keep-last"
    detect_size: int = 320
    threshold: float = 0.5
    sigma: float = 3.0
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


@dataclass(frozen=True)
class FoundFaces:
    """Of a video: how many frames it has, and in how many of them its face was found."""

    num_frames: int
    num_faces: int


def crop_video(path: Path, folder: Path, rule: CropRule, detector: FaceDetector) -> FoundFaces:
    """Write 000001.jpg, ... (a frame's number in the video) and track.csv into an empty folder.

    A video without any face becomes full frames under every policy, so that no corpus shrinks.

    Raises:
        UserError: naming a video that cannot be decoded.
    """
    found, crops = find_crops(path, rule, detector)
    for index, frame in enumerate(frames_of(path)):
        if index == len(found):
            break
        if found[index] or (rule.policy == "keep-last" and found.any()):
            image = cut_out(frame, crops[index], rule.size)
        elif rule.policy == "drop" and found.any():
            continue
        else:
            image = whole(frame, rule.size)
        jpeg = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, rule.quality])[1]
        (folder / f"{index + 1:06d}.jpg").write_bytes(jpeg.tobytes())
    _write_track(folder / TRACK, found, crops)
    return FoundFaces(len(found), int(found.sum()))


def find_crops(path: Path, rule: CropRule, detector: FaceDetector) -> tuple[np.ndarray, np.ndarray]:
    """Whether each of F frames shows the face (F,), and its steady crop (F, 4); NaN when no frame shows one."""
    boxes, landmarks = [], []
    for frame in frames_of(path):
        height, width = frame.shape[:2]
        of_frame = detector.detect(frame)
        boxes.append(of_frame[0])
        landmarks.append(of_frame[1])
    chosen, shots = follow(boxes, height, width)
    found = chosen >= 0
    crops = np.full((len(found), 4), np.nan)
    if found.any():
        where = np.flatnonzero(found)
        face = np.stack([boxes[frame][chosen[frame]] for frame in where])
        points = np.stack([landmarks[frame][chosen[frame]] for frame in where])
        crops[where] = crop_of(face, points, rule.margin)
        crops = steady(crops, found, shots, rule.sigma)
    return found, crops


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


def read_track(folder: Path) -> FoundFaces:
    """What `crop_video` counted in the video of a finished folder."""
    with open(folder / TRACK, newline="", encoding="utf-8") as file:
        faces = [row["face"] for row in csv.DictReader(file)]
    return FoundFaces(len(faces), faces.count("1"))


def _write_track(path: Path, found: np.ndarray, crops: np.ndarray) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for number, (face, (x, y, side, angle)) in enumerate(zip(found, crops, strict=True), start=1):
            writer.writerow([number, int(face), f"{x:.2f}", f"{y:.2f}", f"{side:.2f}", f"{angle:.4f}"])
