"""What a pipeline makes of a video, known without one."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.records import Sample
from cefl_bench.registry import TRANSFORMS
from cefl_bench.transforms.read import Reader


class BlankFrames:
    """Black frames of a video that does not exist: a `Frames` of one pixel each."""

    def __init__(self, num_frames: int) -> None:
        self._length = num_frames

    def __len__(self) -> int:
        return self._length

    def fetch(self, indices: np.ndarray) -> np.ndarray:
        return np.zeros((len(indices), 1, 1, 3), dtype=np.uint8)


def blank_sample(pipeline: Sequence[Mapping[str, Any]], num_frames: int) -> Sample:
    """Run a pipeline's config as for a test video of `num_frames`, with `BlankFrames` in place of what it reads."""
    results: Any = {"name": "blank", "label": 0, "path": "", "num_frames": num_frames, "rng": None}
    for transform in pipeline:
        if issubclass(transform["type"], Reader):
            results["frames"] = BlankFrames(num_frames)
        else:
            results = TRANSFORMS.build(transform)(results)
    if "video" not in results:
        raise UserError("the pipeline gives no video: expected a reader, SampleClips and Pack, in this order")
    return results
