"""Chooses which frames of a video to look at."""

import inspect

from mmcv.transforms import BaseTransform

from cefl_bench.errors import UserError
from cefl_bench.functional.sampling import ceflnet_clips, segment_frames
from cefl_bench.registry import TRANSFORMS

SCHEMES = {"segments": segment_frames, "ceflnet": ceflnet_clips}


@TRANSFORMS.register_module()
class SampleClips(BaseTransform):
    """`frames` -> adds `frame_indices` (N, T): random ones for training, fixed ones for testing.

    Args:
        scheme: `segments`, one frame from each of 16 equal segments, which is what the fair track shows every method;
            or `ceflnet`, the seven overlapping clips of CEFLNet's paper.
        **options: passed to the function of that name in `functional/sampling.py`.
    """

    def __init__(self, scheme: str = "segments", **options) -> None:
        if scheme not in SCHEMES:
            raise UserError(f"SampleClips: scheme is {scheme!r}: expected one of {', '.join(SCHEMES)}")
        known = list(inspect.signature(SCHEMES[scheme]).parameters)[2:]
        for name, value in options.items():
            if name not in known:
                raise UserError(f"SampleClips: scheme {scheme!r} has no {name!r}: expected one of {', '.join(known)}")
            if not isinstance(value, int) or value < 1:
                raise UserError(f"SampleClips: {name} is {value!r}: expected a whole number from 1")
        self.scheme, self.options = SCHEMES[scheme], options

    def transform(self, results: dict) -> dict:
        results["frame_indices"] = self.scheme(len(results["frames"]), results["rng"], **self.options)
        return results
