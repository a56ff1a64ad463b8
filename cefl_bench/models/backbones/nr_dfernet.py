"""NR-DFERNet. Li et al., NR-DFERNet: Noise-Robust Network for Dynamic Facial Expression Recognition, 2022,
https://arxiv.org/abs/2206.04975

Where we depart from the paper: its filter of snippets is left out. At test time that filter scores snippets of three
tokens by themselves, and rules neutral out where one of them is sure of another class; it is a rule on scores, not on
features, and fits one class of one corpus.

Where we depart from the released code: that one cannot run, since its filter reads 4,096 features as seven scores and
its forward pass a variable that is not there. It evaluates every layer of its transformers twice, with the same
outcome, and has 4,120 parameters that nothing uses.
"""

from collections.abc import Mapping

import torch
from torch import nn

from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.layers.dynamic_static import DynamicStatic, temporal_blocks
from cefl_bench.registry import MODELS


@MODELS.register_module()
class NRDFERNet(Backbone):
    """(B * N, 3, T, H, W) -> (B * N, D): tokens of what changes, and their mean as class token, by a transformer.

    D is 4 * width times the places of the last map: 4,096 at 112 pixels.

    Args:
        width: channels of the first stage; 64 in the paper.
        num_frames, size: T, and H = W in pixels; positions are learned for them.
    """

    tiny = dict(width=4)

    def __init__(
        self, width: int = 64, num_frames: int = 16, size: int = 112, init_cfg: Mapping[str, str | None] | None = None
    ) -> None:
        super().__init__(init_cfg)
        self.tokens = DynamicStatic(width, num_frames, size)
        self.feat_dim = self.tokens.token_dim
        self.position = nn.Parameter(torch.randn(1, num_frames, self.feat_dim))
        self.temporal = temporal_blocks(self.feat_dim)

    def forward(self, clip_BCTHW: torch.Tensor) -> torch.Tensor:
        token_BTD = self.tokens(clip_BCTHW)
        token_BTD = torch.cat([token_BTD.mean(dim=1, keepdim=True), token_BTD], dim=1)
        return self.temporal(token_BTD + self.position)[:, 0]
