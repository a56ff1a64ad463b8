"""The plain average of the clips."""

import torch

from cefl_bench.models.aggregators.base import Aggregator
from cefl_bench.registry import MODELS


@MODELS.register_module()
class MeanClips(Aggregator):
    """(B, N, D) -> (B, D): every clip weighs the same."""

    def forward(self, feature_BND: torch.Tensor) -> tuple[torch.Tensor, None]:
        return feature_BND.mean(dim=1), None
