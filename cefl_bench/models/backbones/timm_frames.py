"""Any network of timm on every frame, then the mean: how far a method gets that knows no order in time.

Wightman, PyTorch Image Models, 2019, https://github.com/huggingface/pytorch-image-models. Each network's own paper is
named there; the mean over the frames has none, so there is nothing to depart from.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from timm.models import group_parameters

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
        self, name: str, trunk_args: Mapping[str, Any] | None = None, init_cfg: Mapping[str, str | None] | None = None
    ) -> None:
        super().__init__(init_cfg)
        self.trunk, self.feat_dim = frame_trunk(name, **(trunk_args or {}))

    def depth_of(self, name: str) -> int | None:
        if not hasattr(self.trunk, "group_matcher"):
            return super().depth_of(name)
        return self._depths[name.removeprefix("trunk.")]

    @cached_property
    def _depths(self) -> dict[str, int]:
        """Parameter of the trunk -> depth, by timm's own groups: the stem, then block by block."""
        trunk: Any = self.trunk
        return group_parameters(trunk, trunk.group_matcher(coarse=False), reverse=True)

    def forward(self, clip_BCTHW: torch.Tensor) -> torch.Tensor:
        frame_BTCHW = clip_BCTHW.transpose(1, 2)
        frame_BTD = self.trunk(frame_BTCHW.flatten(0, 1)).unflatten(0, frame_BTCHW.shape[:2])
        return frame_BTD.mean(dim=1)
