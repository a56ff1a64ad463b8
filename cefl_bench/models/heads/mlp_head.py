"""Linear layers with ReLU between them: CEFLNet's head."""

from collections.abc import Sequence

import torch
from torch import nn
from typing_extensions import Unpack

from cefl_bench.functional.loss_options import LossOptions
from cefl_bench.models.heads.base import Head
from cefl_bench.registry import MODELS


@MODELS.register_module()
class MLPHead(Head):
    """(B, D) -> (B, K) by hidden layers with ReLU.

    Args:
        hidden_dims: widths of the hidden layers; None for CEFLNet's, which are 128, 64 for six classes, else 256, 128.
        dropout: probability before the last layer.
        **losses: `LossOptions`.
    """

    def __init__(
        self,
        in_dim: int,
        num_classes: int,
        hidden_dims: Sequence[int] | None = None,
        dropout: float = 0.4,
        **losses: Unpack[LossOptions],
    ) -> None:
        super().__init__(in_dim, num_classes, **losses)
        if hidden_dims is None:
            hidden_dims = (128, 64) if num_classes == 6 else (256, 128)
        layers: list[nn.Module] = []
        for dim in hidden_dims:
            layers += [nn.Linear(in_dim, dim), nn.ReLU(inplace=True)]
            in_dim = dim
        self.layers = nn.Sequential(*layers, nn.Dropout(dropout), nn.Linear(in_dim, num_classes))

    def forward(self, feature_BD: torch.Tensor) -> torch.Tensor:
        return self.layers(feature_BD)
