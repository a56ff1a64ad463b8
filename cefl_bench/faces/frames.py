"""The frames of a video one after the other, whole and in their own size, from a file or a folder of images."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.media.images import frame_files, read_image
from cefl_bench.media.videos import USUAL_RATE, shown_frames


def frames_of(path: Path) -> Iterator[np.ndarray]:
    """Yield the frames of `timed_frames_of` alone."""
    for _, frame in timed_frames_of(path):
        yield frame


def timed_frames_of(path: Path) -> Iterator[tuple[float, np.ndarray]]:
    """Yield when a frame is shown, in seconds, and the frame as a player shows it: uint8 (H, W, 3), RGB.

    Images follow each other at 25 frames per second.

    Raises:
        UserError: naming the file, when it does not exist, holds no frame or cannot be decoded to its end.
    """
    count = 0
    for seconds, frame in _images(path) if path.is_dir() else shown_frames(path):
        yield seconds, np.ascontiguousarray(frame)
        count += 1
    if not count:
        raise UserError(f"{path} holds no frame: expected at least one; copy or download it again")


def _images(folder: Path) -> Iterator[tuple[float, np.ndarray]]:
    for number, file in enumerate(frame_files(folder)):
        yield number / USUAL_RATE, read_image(file)
