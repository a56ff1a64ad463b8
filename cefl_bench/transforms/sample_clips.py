"""Chooses which frames of a video to look at."""

from typing import Any

from mmcv.transforms import BaseTransform

from cefl_bench.errors import UserError
from cefl_bench.functional.sampling import known_options, sampler
from cefl_bench.registry import TRANSFORMS


@TRANSFORMS.register_module()
class SampleClips(BaseTransform):
    """`frames` -> adds `frame_indices` (N, T): random ones for training, fixed ones for testing.

    Args:
        scheme: `segments`, one frame from each of 16 equal segments, which is what the fair track shows every method;
            `ceflnet`, the seven overlapping clips of CEFLNet's paper; or `dense`, frames a few apart from one place,
            and from several at test.
        **options: passed to the function of that name in `functional/sampling.py`.

    Raises:
        UserError: when the scheme has no such option or cannot take its value; in `transform`, naming the video.
    """

    def __init__(self, scheme: str = "segments", **options: Any) -> None:
        self.scheme, self.options = scheme, known_options(scheme) | options
        self._sample = sampler(scheme, self.options)

    def transform(self, results: dict) -> dict:
        try:
            results["frame_indices"] = self._sample(len(results["frames"]), results["rng"])
        except UserError as error:
            raise UserError(f"video {results['path'] or results['name']}: {error}") from None
        return results
