"""The contract of an aggregator."""

from typing import Any, ClassVar

import torch
from mmengine.model import BaseModule


class Aggregator(BaseModule):
    """(B, N, D) -> (B, feat_dim) and, where it has them, clip weights (B, N) that sum to one, else None.

    Args:
        in_dim: D of what comes in; `Recognizer` sets it.
    """

    feat_dim: int
    tiny: ClassVar[dict[str, Any]] = {}

    def __init__(self, in_dim: int) -> None:
        super().__init__()
        self.in_dim = self.feat_dim = in_dim

    def forward(self, feature_BND: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        raise NotImplementedError
