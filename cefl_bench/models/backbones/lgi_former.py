"""LGI-Former, the transformer of MAE-DFER: attention inside regions of a clip, and between one token of each.

Sun et al., MAE-DFER: Efficient Masked Autoencoder for Self-supervised Dynamic Facial Expression Recognition, ACM MM
2023, https://arxiv.org/abs/2307.02227

Where we depart from the paper: the default clip is the fair track's, of 112 x 112 pixels in regions of 2 x 7 x 7 cubes;
the paper's has 160 x 160 in regions of 2 x 5 x 10.

Where we depart from the released code: it writes into slices of a tensor that autograd still needs; here tensors are
built new. Its classifier reads the region tokens, which in the last block nothing but that block's first two attentions
and MLP change: what the third attention gives there is computed, and read by nobody. Those weights are kept, frozen, so
that released files fill the whole network and costs are the published ones; `skip_unread=True` does not compute it.

The authors' weights, pretrained on VoxCeleb2 or fine-tuned on DFEW, FERV39k and MAFW, are in their repository,
https://github.com/sunlicai/MAE-DFER, under the MIT licence: `init_cfg=dict(checkpoint=FILE, start="VoxCeleb2")`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from timm.layers.drop import DropPath
from timm.layers.weight_init import trunc_normal_
from torch import nn

from cefl_bench.errors import UserError
from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.layers.video_tokens import (
    CUBE,
    CrossAttention,
    CubeEmbedding,
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

READOUTS = ("regions", "local")
RELEASED_GRIDS = {8: (4, 2, 1)}
"""Number of region tokens in a released file -> how the regions lie in time, height and width."""


@MODELS.register_module()
class LGIFormer(Backbone):
    """(B * N, 3, T, H, W) -> (B * N, dim): local-global interaction, for clips of one size.

    Args:
        num_frames, size: T, and H = W in pixels; region tokens are learned for them.
        region: cubes of a region in time, height and width; they divide those of the clip.
        dim, num_heads, depth: width, heads of each attention, number of blocks.
        readout: the feature is the mean of the `regions`' tokens, or of the `local` ones.
        drop_path: chance that training leaves out the last block; earlier blocks less.
        skip_unread: leave out what the last block computes and no readout reads; the feature is the same.
        recompute: keep no inner maps of the blocks for the backward pass: less memory, one more pass forward.
    """

    tiny = dict(dim=24, num_heads=2, depth=2)

    def __init__(
        self,
        num_frames: int = 16,
        size: int = 112,
        region: Sequence[int] = (2, 7, 7),
        dim: int = 512,
        num_heads: int = 8,
        depth: int = 16,
        readout: str = "regions",
        drop_path: float = 0.1,
        skip_unread: bool = False,
        recompute: bool = False,
        init_cfg: Mapping[str, str | None] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_width("LGIFormer", dim, num_heads)
        if readout not in READOUTS:
            raise UserError(f"LGIFormer: readout is {readout!r}: expected one of {', '.join(READOUTS)}")
        self.clip_shape = (num_frames, size, size)
        check_clip("LGIFormer", self.clip_shape)
        self.feat_dim, self.readout, self.recompute = dim, readout, recompute
        self.skip_unread = skip_unread and readout == "regions"
        self.region = tuple(region)
        self.grid = _regions(self.clip_shape, self.region)
        self.trunk: Any = nn.Module()
        self.trunk.patch_embed = CubeEmbedding(dim)
        self.trunk.lg_region_tokens = nn.Parameter(torch.empty(self.grid[0] * self.grid[1] * self.grid[2], dim))
        trunc_normal_(self.trunk.lg_region_tokens, std=0.02)
        rates = drop_path_rates(drop_path, depth)
        self.trunk.blocks = blocks = nn.ModuleList(Block(dim, num_heads, rate) for rate in rates)
        self.trunk.fc_norm = layer_norm(dim)
        start_linear_layers(self.trunk)
        if readout == "regions":
            for part in (blocks[-1].third_attn, blocks[-1].third_attn_norm0, blocks[-1].third_attn_norm1):
                part.requires_grad_(False)

    def depth_of(self, name: str) -> int | None:
        return depth_of(name)

    def forward(self, clip_BCTHW: torch.Tensor) -> torch.Tensor:
        if clip_BCTHW.shape[2:] != self.clip_shape:
            raise UserError(
                f"LGIFormer is built for clips (T, H, W) of {self.clip_shape} and got {tuple(clip_BCTHW.shape[2:])}: "
                "set model.backbone.num_frames, model.backbone.size and model.backbone.region"
            )
        trunk = self.trunk
        local_BRLD = _into_regions(trunk.patch_embed(clip_BCTHW), self.grid)
        token_B1RD = trunk.lg_region_tokens.expand(local_BRLD.shape[0], 1, -1, -1)
        token_BRLD = torch.cat([token_B1RD.transpose(1, 2), local_BRLD], dim=2)
        for block in trunk.blocks[:-1]:
            token_BRLD = run(block, token_BRLD, recompute=self.recompute)
        last = trunk.blocks[-1].regions_alone if self.skip_unread else trunk.blocks[-1]
        token_BRLD = run(last, token_BRLD, recompute=self.recompute)
        read = token_BRLD[:, :, :1] if self.readout == "regions" else token_BRLD[:, :, 1:]
        return trunk.fc_norm(read.mean(dim=(1, 2)))

    def resize_tables(self, weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        name = "trunk.lg_region_tokens"
        table_RD = weights.get(name)
        if table_RD is None or len(table_RD) not in RELEASED_GRIDS or len(table_RD) == len(self.trunk.lg_region_tokens):
            return weights
        map_1DTHW = table_RD.T.unflatten(1, RELEASED_GRIDS[len(table_RD)])[None]
        resized = F.interpolate(map_1DTHW.float(), self.grid, mode="trilinear", align_corners=False)
        return weights | {name: resized[0].flatten(1).T}


class Block(nn.Module):
    """Regions (B, R, 1 + L, D), the token of each before its L local ones -> (B, R, 1 + L, D).

    1. Self-attention inside each region. 2. Self-attention among the region tokens. 3. All local tokens ask the region
    tokens. 4. An MLP on all. Drop path leaves 1 and 4 out for each region by itself, 2 and 3 for the whole clip.
    """

    def __init__(self, dim: int, num_heads: int, drop_path: float = 0.0) -> None:
        super().__init__()
        self.first_attn_norm0 = layer_norm(dim)
        self.first_attn = CrossAttention(dim, num_heads)
        self.second_attn_norm0 = layer_norm(dim)
        self.second_attn = CrossAttention(dim, num_heads)
        self.third_attn_norm0 = layer_norm(dim)
        self.third_attn_norm1 = layer_norm(dim)
        self.third_attn = CrossAttention(dim, num_heads)
        self.norm2 = layer_norm(dim)
        self.mlp = mlp(dim)
        self.drop_path = DropPath(drop_path)

    def forward(self, token_BRLD: torch.Tensor) -> torch.Tensor:
        local_BRLD, region_BRD = self._exchange(token_BRLD)
        local_BMD = local_BRLD.flatten(1, 2)
        asked = self.third_attn(self.third_attn_norm0(local_BMD), self.third_attn_norm1(region_BRD))
        local_BRLD = (local_BMD + self.drop_path(asked)).unflatten(1, local_BRLD.shape[1:3])
        return self._feed_forward(torch.cat([region_BRD[:, :, None], local_BRLD], dim=2))

    def regions_alone(self, token_BRLD: torch.Tensor) -> torch.Tensor:
        """(B, R, 1 + L, D) -> (B, R, 1, D): the region tokens that `forward` gives, without the local ones."""
        _, region_BRD = self._exchange(token_BRLD)
        return self._feed_forward(region_BRD[:, :, None])

    def _exchange(self, token_BRLD: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        token_BLD = token_BRLD.flatten(0, 1)
        normed = self.first_attn_norm0(token_BLD)
        token_BLD = token_BLD + self.drop_path(self.first_attn(normed, normed))
        token_BRLD = token_BLD.unflatten(0, token_BRLD.shape[:2])
        region_BRD = token_BRLD[:, :, 0]
        normed = self.second_attn_norm0(region_BRD)
        return token_BRLD[:, :, 1:], region_BRD + self.drop_path(self.second_attn(normed, normed))

    def _feed_forward(self, token_BRLD: torch.Tensor) -> torch.Tensor:
        token_BLD = token_BRLD.flatten(0, 1)
        return (token_BLD + self.drop_path(self.mlp(self.norm2(token_BLD)))).unflatten(0, token_BRLD.shape[:2])


def _regions(clip_shape: tuple[int, ...], region: tuple[int, ...]) -> tuple[int, ...]:
    """How many regions lie in time, height and width."""
    cubes = tuple(length // side for length, side in zip(clip_shape, CUBE, strict=True))
    if len(region) != 3 or min(region) < 1 or any(count % side for count, side in zip(cubes, region, strict=True)):
        raise UserError(
            f"LGIFormer: region is {region}: expected numbers that divide the {cubes} cubes of a clip (T, H, W) of "
            f"{clip_shape}"
        )
    return tuple(count // side for count, side in zip(cubes, region, strict=True))


def _into_regions(token_BTHWD: torch.Tensor, grid: tuple[int, ...]) -> torch.Tensor:
    """Tokens of a clip -> (B, R, L, D), by regions; those of a region and the regions lie in time, height, width."""
    for dim, count in zip((1, 3, 5), grid, strict=True):
        token_BTHWD = token_BTHWD.unflatten(dim, (count, -1))
    return token_BTHWD.permute(0, 1, 3, 5, 2, 4, 6, 7).flatten(4, 6).flatten(1, 3)
