"""The vision transformer of VideoMAE: cubes of 2 x 16 x 16 pixels as tokens, all of which attend to all.

Tong et al., VideoMAE: Masked Autoencoders are Data-Efficient Learners for Self-Supervised Video Pre-Training, NeurIPS
2022, https://arxiv.org/abs/2203.12602

Where we depart from the paper: nowhere in the network. Positions are computed for the clip at hand, so any size fits.
The released training starts the classifier at a thousandth of its usual weights; here a head starts as all heads do.

Weights that fit, as `init_cfg=dict(checkpoint=FILE, start=..)`; each keeps its licence:

- the authors' ViT-S and ViT-B, pretrained or fine-tuned on Kinetics-400 and Something-Something v2: CC BY-NC 4.0, not
  for commercial use;
- ViT-B pretrained on the faces of VoxCeleb2 and AffectNet by the authors of S4D (`vit_base_voxceleb2+affectnet_100.pt`
  of cyinen/S4D on the Hugging Face hub): Apache-2.0.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.layers.video_tokens import (
    Block,
    CubeEmbedding,
    check_clip,
    check_width,
    depth_of,
    drop_path_rates,
    layer_norm,
    run,
    start_linear_layers,
)
from cefl_bench.registry import MODELS


@MODELS.register_module()
class VideoMAE(Backbone):
    """(B * N, 3, T, H, W) -> (B * N, dim): an even number of frames; height and width are multiples of 16.

    The feature is the mean of all tokens, normed. 384 wide with 6 heads it is ViT-S, 768 with 12 heads ViT-B.

    Args:
        dim, num_heads, depth: width, heads of each attention, number of blocks.
        drop_path: chance that training leaves out the last block for a clip; earlier blocks less.
        recompute: keep no inner maps of the blocks for the backward pass: less memory, one more pass forward.
    """

    tiny = dict(dim=24, num_heads=2, depth=2)

    def __init__(
        self,
        dim: int = 384,
        num_heads: int = 6,
        depth: int = 12,
        drop_path: float = 0.1,
        recompute: bool = False,
        init_cfg: Mapping[str, str | None] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_width("VideoMAE", dim, num_heads)
        self.feat_dim, self.recompute = dim, recompute
        blocks = [Block(dim, num_heads, rate) for rate in drop_path_rates(drop_path, depth)]
        self.trunk: Any = nn.Module()
        self.trunk.patch_embed = CubeEmbedding(dim)
        self.trunk.blocks = nn.ModuleList(blocks)
        self.trunk.fc_norm = layer_norm(dim)
        start_linear_layers(self.trunk)

    def depth_of(self, name: str) -> int | None:
        return depth_of(name)

    def forward(self, clip_BCTHW: torch.Tensor) -> torch.Tensor:
        check_clip("VideoMAE", clip_BCTHW.shape[2:])
        token_BLD = self.trunk.patch_embed(clip_BCTHW).flatten(1, 3)
        for block in self.trunk.blocks:
            token_BLD = run(block, token_BLD, recompute=self.recompute)
        return self.trunk.fc_norm(token_BLD.mean(dim=1))
