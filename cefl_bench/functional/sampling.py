"""Which frames of a video become its clips. Pure functions: number of frames in, (N, T) frame indices out.

With a random generator they sample for training, without one (`rng=None`) for testing, which has nothing random.

In a video with fewer frames than are asked for, a clip still shows movement. If each frame were held for its share of
the places, 3 frames in 4 clips of 4 would be 0000 0111 1112 2222: still images.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from cefl_bench.errors import UserError

Sampler = Callable[[int, np.random.Generator | None], np.ndarray]
"""Number of frames, random generator -> (N, T) frame indices."""

CEFLNET_LENGTH, CEFLNET_SPAN = 105, 75
LONG_VIDEO = 10_000
"""Frames of a video that no sampler refuses or takes all of; how many are chosen does not depend on it."""


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

    A video of fewer than N * T frames, stretched, would show a frame several times in one clip. Its clips are runs of T
    frames, at the same places of the video; where it has no T frames, each clip is the whole video, stretched.

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
    if num_frames < num_clips * num_frames_per_clip:
        begins = (start + stride * np.arange(num_clips)) / (CEFLNET_LENGTH - window)
        return _runs(num_frames, begins, num_frames_per_clip)
    if rng is None:
        offsets = np.tile(np.arange(num_frames_per_clip) * (window // num_frames_per_clip), (num_clips, 1))
    else:
        offsets = np.stack([np.sort(rng.choice(window, num_frames_per_clip, replace=False)) for _ in range(num_clips)])
    places = start + stride * np.arange(num_clips)[:, None] + offsets
    return places if timeline == "fixed" else stretch(num_frames, CEFLNET_LENGTH)[places]


def _runs(num_frames: int, begins: np.ndarray, length: int) -> np.ndarray:
    """(N, length) runs of consecutive frames; `begins` (N,) are shares, 0 for the first run of a video, 1 for the last.

    Where the video is shorter than a run, every run is the whole video, stretched.
    """
    if num_frames <= length:
        return np.tile(stretch(num_frames, length), (len(begins), 1))
    first = np.rint(begins * (num_frames - length)).astype(np.int64)
    return first[:, None] + np.arange(length)


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
    than segments is played as often as it fits, so that 4 frames are 0123 four times and 9 frames once, some held.

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
    played = length * max(num_segments // length, 1)  # places of first frames, all times that the video is played
    places = ((np.arange(num_segments) + position) * played / num_segments).astype(np.int64)
    starts = np.minimum(places, played - 1) % length
    if num_frames_per_segment == 1:  # of every clip of the fair track; none lies behind the video's end
        return starts.reshape(1, -1)
    indices = starts[:, None] + np.arange(num_frames_per_segment)
    return np.minimum(indices.reshape(1, -1), num_frames - 1)


def dense_clips(
    num_frames: int,
    rng: np.random.Generator | None = None,
    num_frames_per_clip: int = 16,
    stride: int = 4,
    num_views: int = 1,
    short: str = "stretched",
) -> np.ndarray:
    """(1, T) indices of T frames, `stride` apart, from a random place; at test (views, T), from evenly spaced ones.

    So the transformers after VideoMAE are trained and tested (Tong et al., NeurIPS 2022). One view lies in the middle;
    of several the first begins with the video, and the last ends with it. Where a video is shorter than T * stride
    frames, all views are the same.

    Args:
        num_views: how many at test; `Recognizer(views=True)` scores each alone.
        short: how a shorter video fills a clip: `stretched` plays it in T frames; `held`, as the released code of
            MAE-DFER does, takes every `stride`-th frame and repeats the last one.

    Raises:
        UserError: when the video has no frame.
    """
    _check_not_empty(num_frames)
    if short not in ("stretched", "held"):
        raise UserError(f"SampleClips: short is {short!r}: expected 'stretched' or 'held'")
    spare = num_frames - num_frames_per_clip * stride
    if rng is not None:
        begins = np.array([rng.integers(spare + 1) if spare > 0 else 0])
    elif num_views == 1:
        begins = np.array([max(spare, 0) // 2])
    else:
        begins = np.linspace(0, max(spare, 0), num_views).astype(np.int64)
    if spare < 0 and short == "stretched":
        return np.tile(stretch(num_frames, num_frames_per_clip), (len(begins), 1))
    indices = begins[:, None] + stride * np.arange(num_frames_per_clip)
    return np.minimum(indices, num_frames - 1)


def _check_not_empty(num_frames: int) -> None:
    if num_frames < 1:
        raise UserError(f"a video of {num_frames} frames cannot be sampled: expected at least 1")


SCHEMES: dict[str, Callable[..., np.ndarray]] = {
    "segments": segment_frames,
    "ceflnet": ceflnet_clips,
    "dense": dense_clips,
}
"""The ways to sample, by the names that configs have for them."""


def known_options(scheme: str) -> dict[str, Any]:
    """The options of a scheme with their defaults.

    Raises:
        UserError: when there is no such scheme.
    """
    if scheme not in SCHEMES:
        raise UserError(f"SampleClips: scheme is {scheme!r}: expected one of {', '.join(SCHEMES)}")
    known = list(inspect.signature(SCHEMES[scheme]).parameters.items())[2:]
    return {name: parameter.default for name, parameter in known}


def sampler(scheme: str, options: Mapping[str, Any]) -> Sampler:
    """A scheme with its options.

    Raises:
        UserError: when the scheme has no such option or cannot take its value.
    """
    known = known_options(scheme)
    for name, value in options.items():
        if name not in known:
            raise UserError(f"SampleClips: scheme {scheme!r} has no {name!r}: expected one of {', '.join(known)}")
        kind = type(known[name])
        if kind is int and (type(value) is not int or value < 1):
            raise UserError(f"SampleClips: {name} is {value!r}: expected a whole number from 1")
        if type(value) is not kind:
            expected = "True or False" if kind is bool else "a text"
            raise UserError(f"SampleClips: {name} is {value!r}: expected {expected}")
    return partial(SCHEMES[scheme], **options)
