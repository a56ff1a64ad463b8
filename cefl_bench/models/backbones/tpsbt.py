"""TPSBT, the transformer of SVFAP: a temporal pyramid whose later stages attend through a few tokens of each moment.

Sun et al., SVFAP: Self-supervised Video Facial Affect Perceiver, IEEE Transactions on Affective Computing 2024,
https://arxiv.org/abs/2401.00416

Where we depart from the paper: nowhere that we know of. Positions are computed for the clip at hand, so any size fits.
The paper's small network was not released; of its table of costs, 384 wide with 6 heads and stages of 8, 4 and 2 blocks
fits both numbers.

The authors' weights of the base network, pretrained on VoxCeleb2, are linked in their repository,
https://github.com/sunlicai/SVFAP, under the MIT licence: `init_cfg=dict(checkpoint=FILE, start="VoxCeleb2")`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from timm.layers.drop import DropPath
from timm.layers.mlp import Mlp
from torch import nn

from cefl_bench.errors import UserError
from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.layers.video_tokens import (
    CUBE,
    Block,
    CrossAttention,
    CubeEmbedding,
    SelfAttention,
    check_clip,
    check_width,
    depth_of,
    drop_path_rates,
    layer_norm,
    mlp,
    run,
    start_linear_layers,
)
from cefl_bench.registry import MODELS

SUMMARY_DIM = 128
"""Hidden width of the layers that weigh the places of a moment."""


@MODELS.register_module()
class TPSBT(Backbone):
    """(B * N, 3, T, H, W) -> (B * N, dim): the mean of the last stage's tokens, normed.

    The first stage is VideoMAE's. Each later one halves the moments by a convolution over time, draws a few bottleneck
    tokens from each moment, lets these ask the whole map in all blocks but the last, and in the last the map ask them.

    Frames are a multiple of 2 for each stage (8 for three stages); height and width are multiples of 16.

    Args:
        dim, num_heads: width, and heads of each attention.
        depths: number of blocks of each stage.
        num_bottleneck_tokens: how many are drawn from each moment.
        drop_path: chance that training leaves out the last block for a clip; earlier blocks less.
        recompute: keep no inner maps of the blocks for the backward pass: less memory, one more pass forward.
    """

    tiny = dict(dim=24, num_heads=2, depths=(2, 2, 2), num_bottleneck_tokens=3)

    def __init__(
        self,
        dim: int = 512,
        num_heads: int = 8,
        depths: Sequence[int] = (12, 6, 3),
        num_bottleneck_tokens: int = 8,
        drop_path: float = 0.1,
        recompute: bool = False,
        init_cfg: Mapping[str, str | None] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_width("TPSBT", dim, num_heads)
        if min(depths, default=0) < 1 or num_bottleneck_tokens < 1:
            raise UserError(
                f"TPSBT: depths are {tuple(depths)}, num_bottleneck_tokens is {num_bottleneck_tokens}: expected at "
                "least 1 of each"
            )
        self.feat_dim, self.depths, self.recompute = dim, tuple(depths), recompute
        rates = drop_path_rates(drop_path, sum(depths))
        blocks: list[nn.Module] = [Block(dim, num_heads, rate) for rate in rates[: depths[0]]]
        blocks += [CrossBlock(dim, num_heads, rate) for rate in rates[depths[0] :]]
        later = depths[1:]
        self.trunk: Any = nn.Module()
        self.trunk.patch_embed = CubeEmbedding(dim)
        self.trunk.blocks = nn.ModuleList(blocks)
        self.trunk.temporal_downsamples = nn.ModuleList(nn.Conv1d(dim, dim, 2, stride=2) for _ in later)
        self.trunk.spatial_downsamples = nn.ModuleList(Summary(dim, num_bottleneck_tokens) for _ in later)
        self.trunk.fc_norm = layer_norm(dim)
        start_linear_layers(self.trunk)

    def depth_of(self, name: str) -> int | None:
        part, _, rest = name.removeprefix("trunk.").partition(".")
        if part in ("temporal_downsamples", "spatial_downsamples"):  # with the block that they lead to
            return 1 + sum(self.depths[: 1 + int(rest.partition(".")[0])])
        return depth_of(name)

    def forward(self, clip_BCTHW: torch.Tensor) -> torch.Tensor:
        check_clip("TPSBT", clip_BCTHW.shape[2:])
        whole = CUBE[0] * 2 ** (len(self.depths) - 1)
        if clip_BCTHW.shape[2] % whole:
            raise UserError(
                f"TPSBT halves time in each stage and got {clip_BCTHW.shape[2]} frames: expected a multiple of {whole}"
            )
        token_BTHWD = self.trunk.patch_embed(clip_BCTHW)
        moments, blocks = token_BTHWD.shape[1], iter(self.trunk.blocks)
        token_BLD = token_BTHWD.flatten(1, 3)
        for _ in range(self.depths[0]):
            token_BLD = run(next(blocks), token_BLD, recompute=self.recompute)
        for stage, depth in enumerate(self.depths[1:]):
            map_BTPD = _halve(token_BLD.unflatten(1, (moments, -1)), self.trunk.temporal_downsamples[stage])
            moments = map_BTPD.shape[1]
            map_BLD = map_BTPD.flatten(1, 2)
            few_BMD = self.trunk.spatial_downsamples[stage](map_BTPD).flatten(1, 2)
            for _ in range(depth - 1):
                few_BMD = run(next(blocks), few_BMD, map_BLD, recompute=self.recompute)
            token_BLD = run(next(blocks), map_BLD, few_BMD, recompute=self.recompute)
        return self.trunk.fc_norm(token_BLD.mean(dim=1))


class Summary(nn.Module):
    """A map (B, T, P, D) of P places -> (B, T, tokens, D): each token weighs the places of its moment."""

    def __init__(self, dim: int, num_tokens: int) -> None:
        super().__init__()
        self.norm = layer_norm(dim)
        self.mlp = Mlp(dim, SUMMARY_DIM, num_tokens)

    def forward(self, map_BTPD: torch.Tensor) -> torch.Tensor:
        weight = self.mlp(self.norm(map_BTPD)).softmax(dim=2)
        return weight.transpose(2, 3) @ map_BTPD


class CrossBlock(nn.Module):
    """Tokens (B, L, D) and a context (B, M, D) -> (B, L, D): they ask the context, then each other, then an MLP."""

    def __init__(self, dim: int, num_heads: int, drop_path: float = 0.0) -> None:
        super().__init__()
        self.cross_norm1 = layer_norm(dim)
        self.cross_norm2 = layer_norm(dim)
        self.cross_attn = CrossAttention(dim, num_heads)
        self.norm1 = layer_norm(dim)
        self.attn = SelfAttention(dim, num_heads)
        self.norm2 = layer_norm(dim)
        self.mlp = mlp(dim)
        self.drop_path = DropPath(drop_path)

    def forward(self, token_BLD: torch.Tensor, context_BMD: torch.Tensor) -> torch.Tensor:
        asked = self.cross_attn(self.cross_norm1(token_BLD), self.cross_norm2(context_BMD))
        token_BLD = token_BLD + self.drop_path(asked)
        token_BLD = token_BLD + self.drop_path(self.attn(self.norm1(token_BLD)))
        return token_BLD + self.drop_path(self.mlp(self.norm2(token_BLD)))


def _halve(map_BTPD: torch.Tensor, convolution: nn.Module) -> torch.Tensor:
    """(B, T, P, D) -> (B, T / 2, P, D): a convolution over time, at each place by itself."""
    batch, _, places, _ = map_BTPD.shape
    row = map_BTPD.permute(0, 2, 3, 1).flatten(0, 1)
    return convolution(row).unflatten(0, (batch, places)).permute(0, 3, 1, 2)
