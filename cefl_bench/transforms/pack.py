"""Fetches the chosen frames and keeps what a model and its metrics need."""

import numpy as np
from mmcv.transforms import BaseTransform

from cefl_bench.records import Sample
from cefl_bench.registry import TRANSFORMS


@TRANSFORMS.register_module()
class Pack(BaseTransform):
    """`frames` and `frame_indices` (N, T) -> `Sample`; frames travel as uint8."""

    def transform(self, results: dict) -> Sample:
        indices = results["frame_indices"]
        frames = results["frames"].fetch(indices.reshape(-1))
        if "intensity" in results:
            intensity = np.asarray(results["intensity"], dtype=np.float32)[indices]
        else:
            intensity = np.full(indices.shape, np.nan, dtype=np.float32)
        rng = results["rng"]
        return Sample(
            video=frames.reshape(*indices.shape, *frames.shape[1:]),
            label=results["label"],
            name=results["name"],
            seed=0 if rng is None else int(rng.integers(2**62)),
            frame_indices=indices,
            frame_intensity=intensity,
            apex=np.array(results.get("apex", (-1, -1)), dtype=np.int64),
            subject=results.get("subject") or "",
            unreadable="",
        )
