"""The frames of a video one after the other, whole and in their own size, from a file or a folder of images."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.media.images import frame_files, read_image
from cefl_bench.media.videos import shown_frames


def frames_of(path: Path) -> Iterator[np.ndarray]:
    """Yield uint8 (H, W, 3), RGB, as a player shows them.

    Raises:
        UserError: naming the file, when it does not exist, holds no frame or cannot be decoded to its end.
    """
    frames = map(read_image, frame_files(path)) if path.is_dir() else shown_frames(path)
    count = 0
    for frame in frames:
        yield np.ascontiguousarray(frame)
        count += 1
    if not count:
        raise UserError(f"{path} holds no frame: expected at least one; copy or download it again")
