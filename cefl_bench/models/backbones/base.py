"""The contract of a backbone."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from mmengine.model import BaseModule

from cefl_bench.models.weights import check_source, load_weights


class Backbone(BaseModule):
    """(B * N, C, T, H, W) -> (B * N, feat_dim): a clip becomes one feature, whatever the other clips are.

    The network that published weights exist for, where there is one, is called `trunk`.

    Args:
        init_cfg: where initial weights come from: `dict(checkpoint=FILE)`, `dict(timm=NAME)` or
            `dict(torchvision=NAME)`; None starts from scratch. They are loaded when training starts.
    """

    feat_dim: int
    """D, set by `__init__`."""

    tiny: ClassVar[dict[str, Any]] = {}
    """Arguments for a copy small enough for tests on a CPU."""

    init_source: str = "scratch"
    """Where the initial weights came from, for result.json."""

    def __init__(self, init_cfg: Mapping[str, str] | None = None) -> None:
        super().__init__()  # init_cfg stays here: mmengine would fill whatever fits and say nothing
        if init_cfg is not None:
            check_source(init_cfg)
        self.weights = init_cfg

    def init_weights(self) -> None:
        # Networks draw their first weights when they are built; to go through the children would draw timm's again.
        if self.weights is not None:
            self.init_source = load_weights(self, **self.weights)

    def forward(self, clip_BCTHW: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError
