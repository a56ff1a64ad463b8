"""A transformer over the clips of a video, read off at a class token.

Zhao and Liu, Former-DFER: Dynamic Facial Expression Recognition Transformer, ACM MM 2021,
https://doi.org/10.1145/3474085.3475292; Zhao and Patras, DFER-CLIP, BMVC 2023, https://arxiv.org/abs/2308.13382

With one frame per clip (`model.num_clips` is the number of frames) it is the temporal half of both, behind any network
of single frames: Former-DFER's has three blocks, DFER-CLIP's one.

Where we depart from the papers: nowhere that we know of. Positions start unit normal, as theirs, unless a config says
otherwise.
"""

import torch
from torch import nn

from cefl_bench.errors import UserError
from cefl_bench.models.aggregators.base import Aggregator
from cefl_bench.models.layers.transformer_block import NUM_HEADS, Block
from cefl_bench.registry import MODELS


@MODELS.register_module()
class TemporalTransformer(Aggregator):
    """(B, N, D) -> (B, D): a class token and the N clips, with learned positions, through transformer blocks.

    Args:
        num_clips: N, which the positions are learned for.
        num_blocks: how many blocks.
        position_std: spread of the initial positions and class token.
    """

    tiny = dict(num_clips=3)

    def __init__(self, in_dim: int, num_clips: int = 16, num_blocks: int = 1, position_std: float = 1.0) -> None:
        super().__init__(in_dim)
        if num_clips < 1 or num_blocks < 1:
            raise UserError(
                f"TemporalTransformer: num_clips is {num_clips}, num_blocks {num_blocks}: expected at least 1 of each"
            )
        if in_dim % NUM_HEADS:
            raise UserError(
                f"TemporalTransformer: the backbone's feature has {in_dim} values: expected a multiple of {NUM_HEADS}, "
                "the number of heads; take another backbone"
            )
        self.num_clips, self.position_std = num_clips, position_std
        self.class_token = nn.Parameter(torch.empty(1, 1, in_dim))
        self.position = nn.Parameter(torch.empty(1, num_clips + 1, in_dim))
        self.blocks = nn.Sequential(*(Block(in_dim, 2 * in_dim) for _ in range(num_blocks)))
        for parameter in (self.class_token, self.position):
            nn.init.normal_(parameter, std=position_std)

    def forward(self, feature_BND: torch.Tensor) -> tuple[torch.Tensor, None]:
        if feature_BND.shape[1] != self.num_clips:
            raise UserError(
                f"TemporalTransformer is built for {self.num_clips} clips and got {feature_BND.shape[1]}: set "
                "model.aggregator.num_clips"
            )
        token_BLD = torch.cat([self.class_token.expand(feature_BND.shape[0], -1, -1), feature_BND], dim=1)
        return self.blocks(token_BLD + self.position)[:, 0], None
