"""Opens a video, as a file or as a folder of images. The one door of decord.

decord reads a video file that needs no seeking, PyAV any other: `pyav_frames` says why. Their pixels are the same.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import av
import cv2
import decord
import mmcv
import numpy as np
from mmcv.transforms import BaseTransform

from cefl_bench.errors import UserError
from cefl_bench.media.images import frame_files, read_image
from cefl_bench.records import Frames
from cefl_bench.registry import TRANSFORMS
from cefl_bench.store.index import store_folder
from cefl_bench.store.read import Store, open_store
from cefl_bench.transforms.pyav_frames import SequentialFrames, needs_no_seeking

decord.logging.set_level(decord.logging.QUIET)
DECORD_REFUSES = frozenset({4, 6, 8, 12, 16, 24, 32, 36, 48, 72, 96, 144})
"""Sizes below 260 at which decord 3.4 pads the rows of a frame and then refuses to hand it out, on one CPU or another:
rows are aligned to 64 bytes where there is AVX-512, to 32 where there is AVX, else to 16."""
DECODER = {"decord": decord.__version__, "av": av.__version__, "opencv": cv2.__version__, "mmcv": mmcv.__version__}
"""What decodes and scales, and may give other pixels in another version."""


class Reader(BaseTransform):
    """The contract of a reader: `path`, `num_frames` -> adds `frames`, a `Frames` of `size` x `size` pixels.

    It reads video files, folders of images, or both, and says of anything else what it expected. Frames that
    `tools/pack.py` has packed below `data_root` are taken from there; they are the same.

    Args:
        size: height and width in pixels.
        packed: use packed frames where there are some.
    """

    def __init__(self, size: int, packed: bool = True) -> None:
        self.size, self.packed = size, packed

    @property
    def key(self) -> str:
        """Names what this reader makes of a video: a subclass with another argument that changes pixels adds it."""
        return f"{type(self).__name__}_{self.size}"

    def decode(self, entry: Mapping[str, Any]) -> Frames:
        """Open the video of an entry (`path`, `num_frames`, and `images` where it has them), packed or not."""
        raise NotImplementedError

    def store(self, data_root: str) -> Store | None:
        """The packed frames of this reader; None where there are none or they are not wanted."""
        return open_store(store_folder(data_root, self.key)) if self.packed else None

    def transform(self, results: dict) -> dict:
        store = self.store(results["data_root"]) if "data_root" in results else None
        frames = store.frames(results) if store else None
        if frames is None or results["num_frames"] not in (-1, len(frames)):  # what is wrong with it, decoding tells
            frames = self.decode(results)
        results["frames"] = frames
        return results


class VideoFrames:
    """The frames of a video file. The decoder scales while decoding, which halves the time of doing it after."""

    def __init__(self, path: str, size: int, listed_frames: int = -1) -> None:
        self.path, self.size = path, size
        if not Path(path).is_file():
            raise UserError(f"video {path} does not exist: expected a video file where the list names one")
        try:
            self._reader = _open(path, size)
            self._length = len(self._reader)
        except Exception as error:  # decord raises bare RuntimeError and DECORDError alike
            raise _unreadable("video", path, error) from None
        _check_length("video", path, self._length, listed_frames)

    def __len__(self) -> int:
        return self._length

    def fetch(self, indices: np.ndarray) -> np.ndarray:
        unique, place = np.unique(indices, return_inverse=True)
        try:
            frames = self._reader.read(unique)
        except Exception as error:
            raise _unreadable("video", self.path, error) from None
        return frames[place.reshape(-1)]


class DecordFrames:
    """The frames of a video file that needs no seeking."""

    def __init__(self, path: str, size: int) -> None:
        self._reader = decord.VideoReader(path, width=size, height=size, num_threads=1)

    def __len__(self) -> int:
        return len(self._reader)

    def read(self, indices: np.ndarray) -> np.ndarray:
        """(n,) ascending frame indices without repeats -> uint8 (n, size, size, 3), RGB."""
        return self._reader.get_batch(indices.tolist()).asnumpy()


class ImageFrames:
    """The images of a folder, those listed or all in natural order (1, 2, 10), as the frames of a video."""

    def __init__(self, path: str, size: int, listed_frames: int = -1, images: Sequence[str] | None = None) -> None:
        self.size = size
        folder = Path(path)
        if not folder.is_dir():
            raise UserError(f"frame folder {path} does not exist: expected a folder of images where the list names one")
        if images is not None:
            self._files = [folder / name for name in images]
        else:
            self._files = frame_files(folder)
        _check_length("frame folder", path, len(self._files), listed_frames)

    def __len__(self) -> int:
        return len(self._files)

    def fetch(self, indices: np.ndarray) -> np.ndarray:
        unique, place = np.unique(indices, return_inverse=True)
        frames = [mmcv.imresize(read_image(self._files[index]), (self.size, self.size)) for index in unique]
        return np.stack(frames)[place.reshape(-1)]


@TRANSFORMS.register_module()
class ReadVideo(Reader):
    """`path` of a video file -> adds `frames`."""

    def decode(self, entry: Mapping[str, Any]) -> Frames:
        return VideoFrames(entry["path"], self.size, entry["num_frames"])


@TRANSFORMS.register_module()
class ReadFrames(Reader):
    """`path` of a folder of images (all, or `images` of them) -> adds `frames`."""

    def decode(self, entry: Mapping[str, Any]) -> Frames:
        return ImageFrames(entry["path"], self.size, entry["num_frames"], entry.get("images"))


@TRANSFORMS.register_module()
class ReadAny(Reader):
    """`path` of a video file or of a folder of images -> adds `frames`."""

    def decode(self, entry: Mapping[str, Any]) -> Frames:
        path = Path(entry["path"])
        if not path.exists():
            raise UserError(
                f"{path} does not exist: expected a video file or a folder of images where the list names it"
            )
        return (ReadFrames if path.is_dir() else ReadVideo)(self.size).decode(entry)


def _open(path: str, size: int) -> DecordFrames | SequentialFrames:
    exact = needs_no_seeking(path) and size not in DECORD_REFUSES
    return DecordFrames(path, size) if exact else SequentialFrames(path, size)


def _check_length(what: str, path: str, length: int, listed: int) -> None:
    if length < 1:
        raise UserError(f"{what} {path} holds no frame: expected at least one; copy or download it again")
    if listed not in (-1, length):
        raise UserError(f"{what} {path} has {length} frames but the list says {listed}: one of the two is wrong")


def _unreadable(what: str, path: str, error: Exception) -> UserError:
    # decord prefixes every layer of an error with a time and a source line of its own
    reason = getattr(error, "strerror", None) or re.sub(r"\[[\d:]+\] \S+:\d+: ", "", str(error))
    reason = reason.strip().split("\n")[0][:160]
    size = Path(path).stat().st_size
    return UserError(f"{what} {path} cannot be decoded ({size} bytes; {reason}): copy or download it again")
