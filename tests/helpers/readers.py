"""The contract of a reader, as a function."""

from pathlib import Path

import numpy as np

from cefl_bench.transforms.read import Reader
from helpers.trees import moving_square, write_images, write_video


def check_reader(cls: type[Reader], folder: Path) -> None:
    """Reads videos, folders of images, or both, frames in any order, and names what it cannot read."""
    truth = moving_square(14, label=2)
    write_video(folder / "video.mp4", truth)
    write_images(folder / "images", truth)
    reader, readable = cls(size=32), []
    for path in ("video.mp4", "images", "missing.mp4", "missing"):
        try:
            readable.append(reader({"path": str(folder / path), "num_frames": -1})["frames"])
            assert not path.startswith("missing"), "opens what is not there"
        except ValueError as error:
            assert path in str(error)
    assert readable, "expected to read videos or folders of images"
    for frames in readable:
        assert len(frames) == 14
        order = np.array([9, 0, 13, 9])
        fetched = frames.fetch(order)
        assert fetched.shape == (4, 32, 32, 3) and fetched.dtype == np.uint8
        columns = [_square_column(frame) for frame in fetched]
        assert columns[0] == columns[3] and columns[1] < columns[0] < columns[2], (
            "frames come in another order than asked"
        )


def _square_column(frame: np.ndarray) -> float:
    """Where the bright square of `moving_square` stands, in pixels."""
    brightness = frame[6:15].astype(float).sum(axis=(0, 2))
    brightness -= brightness.min()
    return float((np.arange(len(brightness)) * brightness).sum() / brightness.sum())
