"""Opens a video, as a file or as a folder of images.

decord reads the video files that it reads right (`decord_frames` says which), PyAV all others, to the same pixels.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import av
import cv2
import mmcv
import numpy as np
from mmcv.transforms import BaseTransform

from cefl_bench.errors import UserError
from cefl_bench.media.images import frame_files, read_image, require_folder, scaled_image
from cefl_bench.media.survey import survey
from cefl_bench.media.videos import undecodable
from cefl_bench.records import Frames
from cefl_bench.registry import TRANSFORMS
from cefl_bench.store.index import store_folder
from cefl_bench.store.read import Store, open_store
from cefl_bench.transforms.decord_frames import DECORD_VERSION, DecordFrames, is_exact
from cefl_bench.transforms.pyav_frames import SequentialFrames

DECODER = {"decord": DECORD_VERSION, "av": av.__version__, "opencv": cv2.__version__, "mmcv": mmcv.__version__}
"""What decodes and scales, and may give other pixels in another version. The resize of mmcv is OpenCV's, which we call
ourselves; mmcv stays in the list, because frames that are packed already name it."""


class Reader(BaseTransform):
    """The contract of a reader: `path`, `num_frames` -> adds `frames`, a `Frames` of `size` x `size` pixels.

    It reads video files, folders of images, or both, and says of anything else what it expected. Frames that
    `tools/pack.py` has packed below `data_root` are taken from there; they are the same.

    Args:
        size: height and width in pixels.
        packed: use packed frames where there are some.

    Raises:
        UserError: when `size` is no number of pixels.
    """

    def __init__(self, size: int, packed: bool = True) -> None:
        if size < 1:
            raise UserError(f"{type(self).__name__}: size is {size!r}: expected a number of pixels")
        self.size, self.packed = size, packed
        self._opened: dict[str, Store] = {}
        """Data root -> its packed frames: a run reads those that it began with, and asks no file at each clip."""

    def __getstate__(self) -> dict[str, Any]:
        """What goes to another process, which opens the packed frames itself."""
        return self.__dict__ | {"_opened": {}}

    @property
    def key(self) -> str:
        """Names what this reader makes of a video: a subclass with another argument that changes pixels adds it."""
        return f"{type(self).__name__}_{self.size}"

    def decode(self, entry: Mapping[str, Any]) -> Frames:
        """Open the video of an entry (`path`, `num_frames`, and `images` where it has them), packed or not."""
        raise NotImplementedError

    def store(self, data_root: str) -> Store | None:
        """The packed frames of this reader; None where there are none or they are not wanted."""
        if not self.packed:
            return None
        if data_root not in self._opened:
            store = open_store(store_folder(data_root, self.key))
            if store is None:
                return None
            self._opened[data_root] = store
        return self._opened[data_root]

    def transform(self, results: dict) -> dict:
        store = self.store(results["data_root"]) if "data_root" in results else None
        frames: Frames | None = store.frames(results) if store else None
        if frames is None or results["num_frames"] not in (-1, len(frames)):  # what is wrong with it, decoding tells
            frames = self.decode(results)
        results["frames"] = frames
        return results


class VideoFrames:
    """The frames of a video file, by the decoder that is right for it."""

    def __init__(self, path: str, size: int, listed_frames: int = -1) -> None:
        self.path, self.size = path, size
        try:
            self._reader = _open(path, size)
            self._length = len(self._reader)
        except Exception as error:
            raise _undecodable(path, error) from None
        if self._length < 1:
            raise UserError(f"video {path} holds no frame: expected at least one; copy or download it again")
        _check_length("video", path, self._length, listed_frames)

    def __len__(self) -> int:
        return self._length

    def fetch(self, indices: np.ndarray) -> np.ndarray:
        unique, place = np.unique(indices, return_inverse=True)
        try:
            frames = self._reader.read(unique)
        except Exception as error:
            raise _undecodable(self.path, error) from None
        return frames[place.reshape(-1)]


class ImageFrames:
    """The images of a folder, those listed or all in natural order (1, 2, 10), as the frames of a video."""

    def __init__(self, path: str, size: int, listed_frames: int = -1, images: Sequence[str] | None = None) -> None:
        self.size = size
        folder = Path(path)
        require_folder(folder)
        self._files = frame_files(folder) if images is None else [folder / name for name in images]
        _check_length("frame folder", path, len(self._files), listed_frames)

    def __len__(self) -> int:
        return len(self._files)

    def fetch(self, indices: np.ndarray) -> np.ndarray:
        unique, place = np.unique(indices, return_inverse=True)
        frames = [scaled_image(read_image(self._files[index]), self.size) for index in unique]
        return np.stack(frames)[place.reshape(-1)]


@TRANSFORMS.register_module()
class ReadVideo(Reader):
    """`path` of a video file -> adds `frames`."""

    def decode(self, entry: Mapping[str, Any]) -> Frames:
        if Path(entry["path"]).is_dir():
            raise UserError(
                f"{entry['path']} is a folder, and ReadVideo reads video files: set the reader of the config's "
                "pipelines to ReadAny, which reads both"
            )
        return VideoFrames(entry["path"], self.size, entry["num_frames"])


@TRANSFORMS.register_module()
class ReadFrames(Reader):
    """`path` of a folder of images (all, or `images` of them) -> adds `frames`."""

    def decode(self, entry: Mapping[str, Any]) -> Frames:
        if Path(entry["path"]).is_file():
            raise UserError(
                f"{entry['path']} is a file, and ReadFrames reads folders of images: set the reader of the config's "
                "pipelines to ReadAny, which reads both"
            )
        return ImageFrames(entry["path"], self.size, entry["num_frames"], entry.get("images"))


@TRANSFORMS.register_module()
class ReadAny(Reader):
    """`path` of a video file or of a folder of images -> adds `frames`."""

    def decode(self, entry: Mapping[str, Any]) -> Frames:
        return (ReadFrames if Path(entry["path"]).is_dir() else ReadVideo)(self.size).decode(entry)


def _open(path: str, size: int) -> DecordFrames | SequentialFrames:
    found = survey(path)
    if is_exact(found, size):
        frames = DecordFrames(path, size)
        if len(frames) == found.num_packets:
            return frames
    return SequentialFrames(path, size)


def _check_length(what: str, path: str, length: int, listed: int) -> None:
    if listed not in (-1, length):
        raise UserError(f"{what} {path} has {length} frames but the list says {listed}: one of the two is wrong")


def _undecodable(path: str, error: Exception) -> UserError:
    """Any error of a decoder (decord raises bare RuntimeError and DECORDError alike) in one line."""
    if isinstance(error, UserError):
        return error
    # decord prefixes every layer of an error with a time and a source line of its own
    reason = re.sub(r"\[[\d:]+\] \S+:\d+: ", "", str(error)).strip().split("\n")[0]
    return undecodable(path, reason[:160])
