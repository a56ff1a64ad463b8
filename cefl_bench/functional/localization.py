"""Does the activation find the emotional clips? Compares clip weights with the known apex and intensity."""

from collections.abc import Iterable, Mapping

import numpy as np

from cefl_bench.functional.clips import clip_intensity, overlaps_apex, regroup


def localization_scores(predictions: Iterable[Mapping]) -> dict[str, float]:
    """Localization over all videos whose apex is known and whose clips carry weights.

    Args:
        predictions: mappings with `clip_weights` (N,), `frame_indices` and `frame_intensity` (any grouping of the same
            N * T frames), `apex` (start, end).

    Returns:
        `hit`, share of videos whose most activated clip overlaps the apex; `chance`, that share for a clip drawn at
        random; `rank_correlation`, mean over videos of Spearman's rho between weights and true clip
        intensity (videos in which either is constant are left out); `videos`, how many were measured. The shares are
        NaN when no video could be measured.
    """
    hits, chances, correlations = [], [], []
    for prediction in predictions:
        apex = tuple(np.asarray(prediction["apex"]).tolist())
        if "clip_weights" not in prediction or apex[0] < 0:
            continue
        weights = np.asarray(prediction["clip_weights"], dtype=np.float64)
        overlap = overlaps_apex(regroup(prediction["frame_indices"], len(weights)), apex)
        hits.append(overlap[weights.argmax()])
        chances.append(overlap.mean())
        intensity = clip_intensity(regroup(prediction["frame_intensity"], len(weights)))
        if np.ptp(weights) > 0 and np.ptp(intensity) > 0:
            correlations.append(np.corrcoef(_ranks(weights), _ranks(intensity))[0, 1])
    return {
        "hit": _mean(hits),
        "chance": _mean(chances),
        "rank_correlation": _mean(correlations),
        "videos": len(hits),
    }


def _ranks(values: np.ndarray) -> np.ndarray:
    """(n,) numbers -> (n,) their ranks from 1; equal ones share the mean of theirs.

    Spearman's rho is Pearson's r of these. SciPy has both, and takes a second to load, which each training would wait.
    """
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]


def _mean(values: list) -> float:
    return float(np.mean(values)) if values else float("nan")
