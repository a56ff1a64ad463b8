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

    def auxiliary_losses(self, label_B: torch.Tensor) -> dict[str, torch.Tensor]:
        """Losses of its own, `loss_<what>`, which `Recognizer` adds to the head's; by default none.

        Asked for after `forward` of the same videos, in training alone. What a loss needs of it, `forward` keeps.
        Labels of mixed videos are (B, K) shares of classes.
        """
        return {}
