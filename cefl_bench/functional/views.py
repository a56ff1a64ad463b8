"""What several views of a video are worth: the scores of each alone, and how many of them differ."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cefl_bench.functional.recall import predicted_class, recall_scores


def view_scores(predictions: Sequence[Mapping[str, Any]], num_classes: int) -> dict[str, Any]:
    """UAR and WAR of each view, as if a test had taken no other, and the number of different ones.

    Args:
        predictions: mappings with `label`, `view_scores` (N, K), N alike for all, and `frame_indices` (N, T), by which
            views are told apart.
    """
    label = np.array([prediction["label"] for prediction in predictions])
    scores_BNK = np.stack([np.asarray(prediction["view_scores"]) for prediction in predictions])
    alone = []
    for scores_BK in scores_BNK.swapaxes(0, 1):
        scores = recall_scores(label, predicted_class(scores_BK), num_classes)
        alone.append({"uar": scores["uar"], "war": scores["war"]})
    distinct = [len(np.unique(np.asarray(prediction["frame_indices"]), axis=0)) for prediction in predictions]
    return {"alone": alone, "distinct": float(np.mean(distinct)), "most_distinct": max(distinct)}
