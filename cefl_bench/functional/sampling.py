"""Which frames of a video become its clips. Pure functions: number of frames in, (N, T) frame indices out.

With a random generator they sample for training, without one (`rng=None`) for testing, where the answer is fixed.
"""

import numpy as np

CEFLNET_LENGTH, CEFLNET_SPAN = 105, 75


def stretch(num_frames: int, length: int) -> np.ndarray:
    """(length,) indices that play a video of `num_frames` in `length` frames: the nearest of an even spacing.

    Raises:
        ValueError: when the video has no frame.
    """
    if num_frames < 1:
        raise ValueError(f"a video of {num_frames} frames cannot be sampled: expected at least 1")
    return np.rint(np.linspace(0, num_frames - 1, length)).astype(np.int64)


def ceflnet_clips(
    num_frames: int,
    rng: np.random.Generator | None = None,
    num_clips: int = 7,
    num_frames_per_clip: int = 5,
    window: int = 15,
    stride: int = 10,
) -> np.ndarray:
    """(N, T) indices of CEFLNet's overlapping clips (Liu et al., Information Sciences 598, 2022).

    The video is stretched to 105 frames. A 75-frame span starts at a random frame 0..29, at test at frame 15. In it
    the clips are windows of 15 frames, 10 apart; a clip gives T of its frames: random distinct ones in order, at test
    evenly spaced ones from the first on.
    """
    timeline = stretch(num_frames, CEFLNET_LENGTH)
    slack = CEFLNET_LENGTH - CEFLNET_SPAN
    start = slack // 2 if rng is None else int(rng.integers(slack))
    if rng is None:
        offsets = np.tile(np.arange(num_frames_per_clip) * (window // num_frames_per_clip), (num_clips, 1))
    else:
        offsets = np.stack([np.sort(rng.choice(window, num_frames_per_clip, replace=False)) for _ in range(num_clips)])
    return timeline[start + stride * np.arange(num_clips)[:, None] + offsets]


def segment_frames(
    num_frames: int,
    rng: np.random.Generator | None = None,
    num_segments: int = 16,
    num_frames_per_segment: int = 1,
) -> np.ndarray:
    """(1, T) indices: consecutive frames from each of equal segments of the video, at a random place, at test midway.

    With one frame from each of 16 segments this is the frame budget of the fair track. A method that works on clips
    regroups the T frames (`Recognizer.num_clips`), so that every method sees the same frames. A video with fewer frames
    than asked for repeats frames.
    """
    if num_frames < 1:
        raise ValueError(f"a video of {num_frames} frames cannot be sampled: expected at least 1")
    position = np.full(num_segments, 0.5) if rng is None else rng.random(num_segments)
    starts = (np.arange(num_segments) + position) * max(num_frames - num_frames_per_segment + 1, 1) / num_segments
    indices = starts.astype(np.int64)[:, None] + np.arange(num_frames_per_segment)
    return np.minimum(indices.reshape(1, -1), num_frames - 1)
