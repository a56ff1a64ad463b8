"""Fetches the chosen frames and keeps what a model and its metrics need."""

import numpy as np
from mmcv.transforms import BaseTransform

from cefl_bench.functional.clips import fetch_clips
from cefl_bench.records import Frames, Place, Sample
from cefl_bench.registry import TRANSFORMS
from cefl_bench.store.read import PackedFrames


def fetched(frames: Frames, indices: np.ndarray, place: Place | None) -> np.ndarray:
    """Frame indices (N, T) -> uint8 (N, T, H, W, C), in their place where one is given and it fits.

    A place that wants rows gets int64 (N, T): where packed frames are among those of all shards.
    """
    flat = indices.reshape(-1)
    if place is not None and isinstance(frames, PackedFrames):
        if place.rows:
            return frames.rows(flat).reshape(indices.shape)
        if place.video is not None and place.video.shape[:2] == indices.shape:
            frames.fetch_into(place.video.reshape(-1, *place.video.shape[2:]), flat)
            return place.video
    return fetch_clips(frames.fetch, indices)


@TRANSFORMS.register_module()
class Pack(BaseTransform):
    """`frames` and `frame_indices` (N, T) -> `Sample`; frames travel as uint8."""

    def transform(self, results: dict) -> Sample:
        indices = results["frame_indices"]
        video = fetched(results["frames"], indices, results.get("place"))
        if "intensity" in results:
            intensity = np.asarray(results["intensity"], dtype=np.float32)[indices]
        else:
            intensity = np.full(indices.shape, np.nan, dtype=np.float32)
        rng = results["rng"]
        return Sample(
            video=video,
            label=results["label"],
            name=results["name"],
            seed=0 if rng is None else int(rng.integers(2**62)),
            frame_indices=indices,
            frame_intensity=intensity,
            apex=np.array(results.get("apex", (-1, -1)), dtype=np.int64),
            subject=results.get("subject") or "",
            group=results.get("group") or "",
            unreadable="",
        )
