"""The leaves of the paper track, and the frames that they take."""

import numpy as np
from mmengine.config import Config

from cefl_bench.transforms.sample_clips import SampleClips
from helpers.run import ROOT

LEAVES = {path.stem: path for path in sorted((ROOT / "configs").glob("*_paper.py"))}


class Length:
    """The frames of a video, of which only the number is asked."""

    def __init__(self, num_frames: int) -> None:
        self.num_frames = num_frames

    def __len__(self) -> int:
        return self.num_frames


def sampled(config: Config, split: str, num_frames: int, seed: int | None = 0, **options) -> np.ndarray:
    """(N, T) frames that a leaf takes of a video; `options` are added to those of the leaf."""
    loader = config.train_dataloader if split == "train" else config.test_dataloader
    transform = dict(loader.dataset.pipeline[1]) | options
    assert transform.pop("type") is SampleClips
    rng = np.random.default_rng(seed) if split == "train" else None
    results = {"frames": Length(num_frames), "rng": rng, "path": "a.mp4", "name": "a"}
    return SampleClips(**transform).transform(results)["frame_indices"]
