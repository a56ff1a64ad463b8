"""One linear layer."""

import torch
from torch import nn
from typing_extensions import Unpack

from cefl_bench.functional.loss_options import LossOptions
from cefl_bench.models.heads.base import Head
from cefl_bench.registry import MODELS


@MODELS.register_module()
class LinearHead(Head):
    """(B, D) -> (B, K) by one linear layer.

    Args:
        dropout: probability before it.
        **losses: `LossOptions`.
    """

    def __init__(self, in_dim: int, num_classes: int, dropout: float = 0.0, **losses: Unpack[LossOptions]) -> None:
        super().__init__(in_dim, num_classes, **losses)
        self.layers = nn.Sequential(nn.Dropout(dropout), nn.Linear(in_dim, num_classes))

    def forward(self, feature_BD: torch.Tensor) -> torch.Tensor:
        return self.layers(feature_BD)
