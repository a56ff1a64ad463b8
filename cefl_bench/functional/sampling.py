"""Which frames of a video become its clips. Pure functions: number of frames in, (N, T) frame indices out.

With a random generator they sample for training, without one (`rng=None`) for testing, which has nothing random.
"""

import numpy as np

from cefl_bench.errors import UserError

CEFLNET_LENGTH, CEFLNET_SPAN = 105, 75


def stretch(num_frames: int, length: int) -> np.ndarray:
    """(length,) indices that play a video of `num_frames` in `length` frames: the nearest of an even spacing.

    Raises:
        UserError: when the video has no frame.
    """
    _check_not_empty(num_frames)
    return np.rint(np.linspace(0, num_frames - 1, length)).astype(np.int64)


def ceflnet_clips(
    num_frames: int,
    rng: np.random.Generator | None = None,
    num_clips: int = 7,
    num_frames_per_clip: int = 5,
    window: int = 15,
    stride: int = 10,
    timeline: str = "stretched",
) -> np.ndarray:
    """(N, T) indices of CEFLNet's overlapping clips (Liu et al., Information Sciences 598, 2022).

    A video is a timeline of 105 frames. A 75-frame span starts at a random frame 0..29, at test at frame 15. In it the
    clips are windows of 15 frames, 10 apart; a clip gives T of its frames: random distinct ones in order, at test
    evenly spaced ones from the first on.

    Args:
        timeline: `stretched` plays any video in 105 frames; `fixed` is the released code's, the first 105 frames as
            they are, and refuses a video that is too short for the last start.

    Raises:
        UserError: when the video is too short, or the clips do not fit into the span.
    """
    if timeline not in ("stretched", "fixed"):
        raise UserError(f"SampleClips: timeline is {timeline!r}: expected 'stretched' or 'fixed'")
    if num_frames_per_clip > window or stride * (num_clips - 1) + window > CEFLNET_SPAN:
        raise UserError(
            f"SampleClips: {num_clips} clips of {num_frames_per_clip} frames from windows of {window}, {stride} apart: "
            f"expected windows of at least as many frames as a clip, all within {CEFLNET_SPAN}"
        )
    slack = CEFLNET_LENGTH - CEFLNET_SPAN
    needed = slack - 1 + CEFLNET_SPAN
    if timeline == "fixed" and num_frames < needed:
        raise UserError(f"a video of {num_frames} frames is too short for timeline='fixed': expected at least {needed}")
    start = slack // 2 if rng is None else int(rng.integers(slack))
    if rng is None:
        offsets = np.tile(np.arange(num_frames_per_clip) * (window // num_frames_per_clip), (num_clips, 1))
    else:
        offsets = np.stack([np.sort(rng.choice(window, num_frames_per_clip, replace=False)) for _ in range(num_clips)])
    places = start + stride * np.arange(num_clips)[:, None] + offsets
    return places if timeline == "fixed" else stretch(num_frames, CEFLNET_LENGTH)[places]


def segment_frames(
    num_frames: int,
    rng: np.random.Generator | None = None,
    num_segments: int = 16,
    num_frames_per_segment: int = 1,
    whole_steps: bool = False,
) -> np.ndarray:
    """(1, T) indices: consecutive frames from each of equal segments of the video, at a random place, at test midway.

    With one frame from each of 16 segments this is the frame budget of the fair track. A method that works on clips
    regroups the T frames (`Recognizer.num_clips`), so that every method sees the same frames. A video with fewer frames
    than asked for repeats frames.

    Args:
        whole_steps: in training a segment is a whole number of frames long, rounded down, so that the last frames of
            most videos are never trained on: what the released code of Former-DFER does. A video with less than a
            frame per segment is sampled as without it.

    Raises:
        UserError: when the video has no frame.
    """
    _check_not_empty(num_frames)
    length = max(num_frames - num_frames_per_segment + 1, 1)
    if whole_steps and rng is not None and length >= num_segments:
        length -= length % num_segments
    position = np.full(num_segments, 0.5) if rng is None else rng.random(num_segments)
    starts = ((np.arange(num_segments) + position) * length / num_segments).astype(np.int64)
    indices = starts[:, None] + np.arange(num_frames_per_segment)
    return np.minimum(indices.reshape(1, -1), num_frames - 1)


def _check_not_empty(num_frames: int) -> None:
    if num_frames < 1:
        raise UserError(f"a video of {num_frames} frames cannot be sampled: expected at least 1")
