"""The frames of a video one after the other, whole and in their own size, from a file or a folder of images."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.media.images import frame_files, read_image


def frames_of(path: Path) -> Iterator[np.ndarray]:
    """Yield uint8 (H, W, 3), RGB, upright as a player shows them.

    Raises:
        UserError: naming the file, when it does not exist, holds no frame or cannot be decoded to its end.
    """
    if not path.exists():
        raise UserError(f"{path} does not exist: expected a video file or a folder of images")
    count = 0
    for frame in _images(path) if path.is_dir() else _video(path):
        yield np.ascontiguousarray(frame)
        count += 1
    if not count:
        raise UserError(f"{path} holds no frame: expected at least one; copy or download it again")


def _video(path: Path) -> Iterator[np.ndarray]:
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                # phones store frames lying and say how to turn them
                yield np.rot90(frame.to_ndarray(format="rgb24"), k=round(frame.rotation / 90))
    except (av.FFmpegError, IndexError) as error:  # the latter where there is no video in the file
        reason = getattr(error, "strerror", None) or "no video in it"
        size = path.stat().st_size
        raise UserError(f"video {path} cannot be decoded ({size} bytes; {reason}): copy or download it again") from None


def _images(folder: Path) -> Iterator[np.ndarray]:
    for file in frame_files(folder):
        yield read_image(file)
