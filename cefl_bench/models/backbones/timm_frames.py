"""Any network of timm on every frame, then the mean: what a method that knows no time achieves.

Wightman, PyTorch Image Models, 2019, https://github.com/huggingface/pytorch-image-models. There is no paper to depart
from: the network's own is named on its page there.
"""

from collections.abc import Mapping
from typing import Any

import torch

from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.layers.frame_trunk import frame_trunk
from cefl_bench.registry import MODELS


@MODELS.register_module()
class TimmFrames(Backbone):
    """(B * N, 3, T, H, W) -> (B * N, D): the mean of the frame features; the order of the frames does not matter.

    Args:
        name: a timm network, such as `convnext_tiny`.
        trunk_args: further arguments of `timm.create_model`.
    """

    tiny = dict(name="test_resnet")

    def __init__(
        self, name: str, trunk_args: Mapping[str, Any] | None = None, init_cfg: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(init_cfg)
        self.trunk = frame_trunk(name, **(trunk_args or {}))
        self.feat_dim = self.trunk.head_hidden_size

    def forward(self, clip_BCTHW: torch.Tensor) -> torch.Tensor:
        frame_BTCHW = clip_BCTHW.transpose(1, 2)
        frame_BTD = self.trunk(frame_BTCHW.flatten(0, 1)).unflatten(0, frame_BTCHW.shape[:2])
        return frame_BTD.mean(dim=1)
