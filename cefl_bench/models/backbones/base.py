"""The contract of a backbone."""

from typing import Any, ClassVar

import torch
from mmengine.model import BaseModule


class Backbone(BaseModule):
    """(B * N, C, T, H, W) -> (B * N, feat_dim): a clip becomes one feature, whatever the other clips are."""

    feat_dim: int
    """D, set by `__init__`."""

    tiny: ClassVar[dict[str, Any]] = {}
    """Arguments for a copy small enough for tests on a CPU."""

    init_source: str = "scratch"
    """Where the initial weights came from; `init_weights` sets it when it loads some."""

    def forward(self, clip_BCTHW: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError
