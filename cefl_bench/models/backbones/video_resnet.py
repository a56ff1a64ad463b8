"""What the 18-layer video ResNets share: how their weights start, and what becomes of a clip."""

from collections.abc import Mapping

import torch
from torch import nn

from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.layers.residual_stages import start_by_fan_out


class VideoResNet(Backbone):
    """(B * N, 3, T, H, W) -> (B * N, feat_dim): a trunk, and the mean of its map over time and place.

    Args:
        trunk: (B * N, 3, T, H, W) -> a map (B * N, feat_dim, T', H', W').
    """

    def __init__(self, trunk: nn.Module, feat_dim: int, init_cfg: Mapping[str, str | None] | None = None) -> None:
        super().__init__(init_cfg)
        self.trunk, self.feat_dim = trunk, feat_dim

    def init_weights(self) -> None:
        start_by_fan_out(self.trunk)
        super().init_weights()

    def forward(self, clip_BCTHW: torch.Tensor) -> torch.Tensor:
        return self.trunk(clip_BCTHW).mean(dim=(2, 3, 4))
