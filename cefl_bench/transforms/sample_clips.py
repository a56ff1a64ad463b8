"""Chooses which frames of a video to look at."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from cefl_bench.errors import UserError
from cefl_bench.functional.sampling import ceflnet_clips, segment_frames
from cefl_bench.registry import TRANSFORMS

SCHEMES: dict[str, Callable[..., np.ndarray]] = {"segments": segment_frames, "ceflnet": ceflnet_clips}


@TRANSFORMS.register_module()
class SampleClips(BaseTransform):
    """`frames` -> adds `frame_indices` (N, T): random ones for training, fixed ones for testing.

    Args:
        scheme: `segments`, one frame from each of 16 equal segments, which is what the fair track shows every method;
            or `ceflnet`, the seven overlapping clips of CEFLNet's paper.
        **options: passed to the function of that name in `functional/sampling.py`.

    Raises:
        UserError: when the scheme has no such option or cannot take its value; in `transform`, naming the video.
    """

    def __init__(self, scheme: str = "segments", **options: Any) -> None:
        if scheme not in SCHEMES:
            raise UserError(f"SampleClips: scheme is {scheme!r}: expected one of {', '.join(SCHEMES)}")
        known = dict(list(inspect.signature(SCHEMES[scheme]).parameters.items())[2:])
        for name, value in options.items():
            if name not in known:
                raise UserError(f"SampleClips: scheme {scheme!r} has no {name!r}: expected one of {', '.join(known)}")
            kind = type(known[name].default)
            if kind is int and (type(value) is not int or value < 1):
                raise UserError(f"SampleClips: {name} is {value!r}: expected a whole number from 1")
            if type(value) is not kind:
                expected = "True or False" if kind is bool else "a text"
                raise UserError(f"SampleClips: {name} is {value!r}: expected {expected}")
        self.scheme, self.options = SCHEMES[scheme], options

    def transform(self, results: dict) -> dict:
        try:
            results["frame_indices"] = self.scheme(len(results["frames"]), results["rng"], **self.options)
        except UserError as error:
            raise UserError(f"video {results['path'] or results['name']}: {error}") from None
        return results
