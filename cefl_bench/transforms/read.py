"""Opens a video, as a file or as a folder of images. The one door of decord."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import cv2
import decord
import mmcv
import numpy as np
from mmcv.transforms import BaseTransform

from cefl_bench.errors import UserError
from cefl_bench.registry import TRANSFORMS

decord.logging.set_level(decord.logging.QUIET)
DECORD_REFUSES = frozenset({16, 24, 32, 48, 96, 144})
"""Sizes below 260 at which decord 3.4 pads the rows of a frame and then refuses to hand it out."""
IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp"}


class Frames(Protocol):
    """The frames of one video, read when they are asked for. Errors are a `UserError` that names the file."""

    def __len__(self) -> int: ...

    def fetch(self, indices: np.ndarray) -> np.ndarray:
        """(n,) frame indices, any order, repeats allowed -> uint8 (n, H, W, C), RGB."""


class Reader(BaseTransform):
    """The contract of a reader: `path`, `num_frames` -> adds `frames`, a `Frames` of `size` x `size` pixels.

    It reads video files, folders of images, or both, and says of anything else what it expected.

    Args:
        size: height and width in pixels.
    """

    def __init__(self, size: int) -> None:
        self.size = size

    def open(self, results: dict) -> Frames:
        raise NotImplementedError

    def transform(self, results: dict) -> dict:
        results["frames"] = self.open(results)
        return results


class VideoFrames:
    """The frames of a video file. The decoder scales while decoding, which halves the time of doing it after."""

    def __init__(self, path: str, size: int, listed_frames: int = -1) -> None:
        self.path, self.size = path, size
        if not Path(path).is_file():
            raise UserError(f"video {path} does not exist: expected a video file where the list names one")
        try:
            decoded = size + 4 if size in DECORD_REFUSES else size
            self._reader = decord.VideoReader(path, width=decoded, height=decoded, num_threads=1)
            self._length = len(self._reader)
        except Exception as error:  # decord raises bare RuntimeError and DECORDError alike
            raise _unreadable("video", path, error) from None
        _check_length("video", path, self._length, listed_frames)

    def __len__(self) -> int:
        return self._length

    def fetch(self, indices: np.ndarray) -> np.ndarray:
        unique, place = np.unique(indices, return_inverse=True)
        try:
            frames = self._reader.get_batch(unique.tolist()).asnumpy()
        except Exception as error:
            raise _unreadable("video", self.path, error) from None
        if frames.shape[1] != self.size:
            frames = np.stack([mmcv.imresize(frame, (self.size, self.size), interpolation="area") for frame in frames])
        return frames[place.reshape(-1)]


class ImageFrames:
    """The images of a folder, those listed or all in the order of their names, as the frames of a video."""

    def __init__(self, path: str, size: int, listed_frames: int = -1, images: Sequence[str] | None = None) -> None:
        self.size = size
        folder = Path(path)
        if not folder.is_dir():
            raise UserError(f"frame folder {path} does not exist: expected a folder of images where the list names one")
        if images is not None:
            self._files = [folder / name for name in images]
        else:
            self._files = sorted(file for file in folder.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)
        _check_length("frame folder", path, len(self._files), listed_frames)

    def __len__(self) -> int:
        return len(self._files)

    def fetch(self, indices: np.ndarray) -> np.ndarray:
        unique, place = np.unique(indices, return_inverse=True)
        return np.stack([self._read(self._files[index]) for index in unique])[place.reshape(-1)]

    def _read(self, file: Path) -> np.ndarray:
        try:
            image = mmcv.imfrombytes(file.read_bytes(), channel_order="rgb")
        except (OSError, cv2.error) as error:  # the latter is what mmcv makes of bytes that are no image
            reason = error.strerror if isinstance(error, OSError) else f"{file.stat().st_size} bytes, not an image"
            raise UserError(f"image {file} cannot be read ({reason}): copy or download it again") from None
        return mmcv.imresize(image, (self.size, self.size))


@TRANSFORMS.register_module()
class ReadVideo(Reader):
    """`path` of a video file -> adds `frames`."""

    def open(self, results: dict) -> Frames:
        return VideoFrames(results["path"], self.size, results["num_frames"])


@TRANSFORMS.register_module()
class ReadFrames(Reader):
    """`path` of a folder of images (all, or `images` of them) -> adds `frames`."""

    def open(self, results: dict) -> Frames:
        return ImageFrames(results["path"], self.size, results["num_frames"], results.get("images"))


@TRANSFORMS.register_module()
class ReadAny(Reader):
    """`path` of a video file or of a folder of images -> adds `frames`."""

    def open(self, results: dict) -> Frames:
        path = Path(results["path"])
        if not path.exists():
            raise UserError(
                f"{path} does not exist: expected a video file or a folder of images where the list names it"
            )
        return (ReadFrames if path.is_dir() else ReadVideo)(self.size).open(results)


def _check_length(what: str, path: str, length: int, listed: int) -> None:
    if length < 1:
        raise UserError(f"{what} {path} holds no frame: expected at least one; copy or download it again")
    if listed not in (-1, length):
        raise UserError(f"{what} {path} has {length} frames but the list says {listed}: one of the two is wrong")


def _unreadable(what: str, path: str, error: Exception) -> UserError:
    # decord prefixes every layer of an error with a time and a source line of its own
    reason = re.sub(r"\[[\d:]+\] \S+:\d+: ", "", str(error)).strip().split("\n")[0][:160]
    size = Path(path).stat().st_size
    return UserError(f"{what} {path} cannot be decoded ({size} bytes; {reason}): copy or download it again")
