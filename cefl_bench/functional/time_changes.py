"""What is done to the frames of a test video to find out whether a model uses time.

A video's M frames are counted in the order in which they are shown, clip after clip. A change says which of them stands
in each of the M places, so that a model gets as many frames as before, and none that the sampler did not choose.
(Huang et al., What makes a video a video, CVPR 2018, ask networks for actions in a like way.)
"""

import zlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

AS_SAMPLED = "as sampled"
APEX, MIDDLE = "apex frame", "middle frame"
MAX_ROUNDING = 1e-4
"""How far scores move, as a share of the largest, when a sum is taken in another order. Less is no change."""


class Layout(NamedTuple):
    """How the frames of a video are shown."""

    sampled: tuple[int, int]
    """(N, T) as the sampler chose them: N clips that may overlap, each of T frames in the order of time."""
    num_clips: int
    """Clips that the model sees: stretches of M / num_clips frames."""
    apex: int
    """The place of the most emotional frame."""

    @property
    def num_frames(self) -> int:
        return self.sampled[0] * self.sampled[1]


Change = Callable[[Layout, np.random.Generator], np.ndarray]
"""-> (M,) the frame that stands in each place."""


def shuffled(layout: Layout, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(layout.num_frames)


def backwards(layout: Layout, rng: np.random.Generator) -> np.ndarray:
    return np.arange(layout.num_frames)[::-1].copy()


def first_frame(layout: Layout, rng: np.random.Generator) -> np.ndarray:
    return np.zeros(layout.num_frames, dtype=np.int64)


def apex_frame(layout: Layout, rng: np.random.Generator) -> np.ndarray:
    return np.full(layout.num_frames, layout.apex, dtype=np.int64)


def every_second(layout: Layout, rng: np.random.Generator) -> np.ndarray:
    """Of every two frames of a sampled clip the first, twice; of clips of one frame, of every two clips."""
    places = np.arange(layout.num_frames)
    clip_length = layout.sampled[1] if layout.sampled[1] > 1 else layout.num_frames
    return places - places % clip_length % 2


def shuffled_within_clips(layout: Layout, rng: np.random.Generator) -> np.ndarray:
    return rng.permuted(_by_clip(layout), axis=1).reshape(-1)


def clips_shuffled(layout: Layout, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(_by_clip(layout)).reshape(-1)


CHANGES: Mapping[str, Change] = {
    "shuffled": shuffled,
    "reversed": backwards,
    "every second frame": every_second,
    "first frame": first_frame,
    APEX: apex_frame,
}
"""By the names that people read, from the order of time alone to all of it."""
CHANGES_OF_CLIPS: Mapping[str, Change] = {
    "shuffled within clips": shuffled_within_clips,
    "clips shuffled": clips_shuffled,
}
"""For a model of several clips of several frames: the two grains of the order of time."""
ABOUT = {
    "shuffled": "all frames in random order",
    "reversed": "the last frame first",
    "every second frame": "each held for two",
    "first frame": "in every place",
    APEX: "the most emotional one in every place",
    MIDDLE: "in every place",
    "shuffled within clips": "clips in order, the frames of each in random order",
    "clips shuffled": "clips in random order, the frames of each in order",
}


def changes_for(sampled: tuple[int, int], num_clips: int) -> dict[str, Change]:
    """The changes that tell something of a model of so many clips, by name."""
    several = 1 < num_clips < sampled[0] * sampled[1]
    return {**CHANGES, **(CHANGES_OF_CLIPS if several else {})}


def generator_of(seed: int, video: str, change: str) -> np.random.Generator:
    """The random numbers of one change of one video, whatever the other videos are."""
    return np.random.default_rng([seed, zlib.crc32(video.encode()), zlib.crc32(change.encode())])


def apex_of(frame_intensity: np.ndarray, frame_indices: np.ndarray, apex: tuple[int, int]) -> tuple[int, bool]:
    """The place of the most emotional frame of a video, and whether anything tells it; else the middle one.

    Args:
        frame_intensity: (N, T) true intensity of the sampled frames, NaN where unknown.
        frame_indices: (N, T) which frames of the file they are.
        apex: [start, end) in frames of the file, negative where there is none or it is unknown.

    The highest intensity tells it, of equal ones the middle; where no intensity is known, the middle of the apex.
    """
    intensity, indices = frame_intensity.reshape(-1), frame_indices.reshape(-1)
    if np.isfinite(intensity).all() and np.ptp(intensity) > 0:
        highest = np.flatnonzero(intensity == intensity.max())
        return int(highest[len(highest) // 2]), True
    if apex[0] >= 0:
        return int(np.abs(indices - (sum(apex) - 1) / 2).argmin()), True
    return len(indices) // 2, False


def keep_predictions(scores: np.ndarray, before: np.ndarray) -> np.ndarray:
    """(n, K) scores, with those of videos whose scores moved by no more than rounding put back to (n, K) `before`."""
    return np.where(moved(scores, before)[:, None] > MAX_ROUNDING, scores, before)


def moved(scores: np.ndarray, before: np.ndarray) -> np.ndarray:
    """(n, K) scores and what they were -> (n,) how far any score moved, as a share of the largest before.

    0 for a video without scores; a class that may not be predicted, -inf in both, does not move.
    """
    known = np.isfinite(scores) & np.isfinite(before)
    largest = np.abs(np.where(known, before, 0.0)).max(axis=1)
    most = np.abs(np.where(known, scores, 0.0) - np.where(known, before, 0.0)).max(axis=1)
    return most / np.where(largest > 0, largest, 1.0)


def _by_clip(layout: Layout) -> np.ndarray:
    """(num_clips, frames) the places of each clip."""
    return np.arange(layout.num_frames).reshape(layout.num_clips, -1)
