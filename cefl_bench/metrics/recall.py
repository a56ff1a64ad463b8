"""Recall per class and its averages, as a metric of the test loop."""

from collections.abc import Sequence

import numpy as np
from mmengine.evaluator import BaseMetric

from cefl_bench.functional.recall import predicted_class, recall_scores
from cefl_bench.records import Prediction
from cefl_bench.registry import METRICS


@METRICS.register_module()
class Recall(BaseMetric):
    """Predictions -> `recall/uar`, `recall/war`, `recall/f1_macro`, `recall/f1_weighted`, in 0..1."""

    default_prefix = "recall"

    def __init__(self) -> None:
        # Processes exchange results by their backend; mmengine's default writes pickles into the working folder.
        super().__init__(collect_device="gpu")

    def process(self, data_batch: object, data_samples: Sequence[Prediction]) -> None:
        self.results += [(sample["label"], sample["scores"].float().cpu().numpy()) for sample in data_samples]

    def compute_metrics(self, results: list) -> dict[str, float]:
        label = np.array([label for label, _ in results])
        scores = np.array([scores for _, scores in results])
        report = recall_scores(label, predicted_class(scores), scores.shape[1])
        return {name: report[name] for name in ("uar", "war", "f1_macro", "f1_weighted")}
