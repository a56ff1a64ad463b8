"""Whether the activation finds the apex, as a metric of the test loop."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.evaluator import BaseMetric

from cefl_bench.functional.localization import localization_scores
from cefl_bench.records import Prediction
from cefl_bench.registry import METRICS

KEYS = ("clip_weights", "frame_indices", "frame_intensity", "apex")


@METRICS.register_module()
class Localization(BaseMetric):
    """Predictions -> `localization/hit`, `/chance`, `/rank_correlation`; nothing without a known apex and weights."""

    default_prefix = "localization"

    def __init__(self) -> None:
        super().__init__(collect_device="gpu")

    def process(self, data_batch: object, data_samples: Sequence[Prediction]) -> None:
        for sample in data_samples:
            values: Mapping[str, Any] = sample
            self.results.append({key: values[key].float().cpu().numpy() for key in KEYS if key in values})

    def compute_metrics(self, results: list) -> dict[str, float]:
        scores = localization_scores(results)
        videos = scores.pop("videos")
        return scores if videos else {}
