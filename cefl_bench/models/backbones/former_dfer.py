"""Former-DFER. Zhao and Liu, Former-DFER: Dynamic Facial Expression Recognition Transformer, ACM MM 2021,
https://doi.org/10.1145/3474085.3475292

Where we depart from the paper: nowhere in the layers, which are those of the network that its authors released; their
checkpoint loads. From scratch the ResNet starts as timm's do, with the last BatchNorm of every residual block at zero;
theirs starts all at one (`trunk_args=dict(zero_init_last=False)`). Learned positions start unit normal, as theirs,
unless a config says otherwise (`position_std`).
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from cefl_bench.errors import UserError
from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.layers.frame_trunk import frame_trunk
from cefl_bench.models.layers.positions import resampled, resized_square
from cefl_bench.models.layers.transformer_block import Block
from cefl_bench.registry import MODELS


@MODELS.register_module()
class FormerDFER(Backbone):
    """(B * N, 3, T, H, W) -> (B * N, D): a convolutional spatial transformer per frame, a temporal one over the frames.

    1. ResNet to its third stage; the 7 x 7 map of a frame as 49 tokens with learned positions through one transformer
       block; back to a map through the fourth stage, pooled: D per frame.
    2. A class token and the T frame features, with learned positions, through three blocks; the class token.

    Args:
        trunk: a ResNet of timm.
        trunk_args: further arguments of `timm.create_model`.
        num_frames, size: T, and H = W in pixels; positions are learned for them.
        position_std: spread of the initial positions and class token; 1 in the released network.
    """

    tiny = dict(trunk="test_resnet", trunk_args=dict(channels=(8, 16, 16, 32)))

    def __init__(
        self,
        trunk: str = "resnet18",
        trunk_args: Mapping[str, Any] | None = None,
        num_frames: int = 16,
        size: int = 112,
        position_std: float = 1.0,
        init_cfg: Mapping[str, str | None] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.clip_shape = (3, num_frames, size, size)
        self.position_std = position_std
        self.trunk, self.feat_dim = frame_trunk(trunk, **(trunk_args or {}))
        if not hasattr(self.trunk, "layer4"):
            raise UserError(f"FormerDFER: trunk is {trunk!r}: expected a ResNet of timm, which has four stages")
        map_dim, map_size = _third_stage(self.trunk, size)
        dim = self.feat_dim
        self.spatial_position = nn.Parameter(torch.empty(1, map_size**2, map_dim))
        self.spatial = nn.Sequential(Block(map_dim, 2 * map_dim))
        self.class_token = nn.Parameter(torch.empty(1, 1, dim))
        self.temporal_position = nn.Parameter(torch.empty(1, num_frames + 1, dim))
        self.temporal = nn.Sequential(*(Block(dim, 2 * dim) for _ in range(3)))
        self._draw_positions()

    def _draw_positions(self) -> None:
        for parameter in (self.spatial_position, self.class_token, self.temporal_position):
            nn.init.normal_(parameter, std=self.position_std)

    def resize_tables(self, weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        resized = dict(weights)
        if "spatial_position" in weights:
            num_places = self.spatial_position.shape[1]
            resized["spatial_position"] = resized_square(weights["spatial_position"], num_places)
        if "temporal_position" in weights:
            table = weights["temporal_position"]
            before, after = ((1, positions.shape[1] - 1) for positions in (table, self.temporal_position))
            resized["temporal_position"] = resampled(table, before, after, num_prefix=1)
        return resized

    def forward(self, clip_BCTHW: torch.Tensor) -> torch.Tensor:
        if clip_BCTHW.shape[1:] != self.clip_shape:
            raise UserError(
                f"FormerDFER is built for clips (C, T, H, W) of {self.clip_shape} and got "
                f"{tuple(clip_BCTHW.shape[1:])}: set model.backbone.num_frames and model.backbone.size"
            )
        frame_BTCHW = clip_BCTHW.transpose(1, 2)
        frame_BTD = self._encode_frames(frame_BTCHW.flatten(0, 1)).unflatten(0, frame_BTCHW.shape[:2])
        token_BTD = torch.cat([self.class_token.expand(frame_BTD.shape[0], -1, -1), frame_BTD], dim=1)
        return self.temporal(token_BTD + self.temporal_position)[:, 0]

    def _encode_frames(self, frame_BCHW: torch.Tensor) -> torch.Tensor:
        trunk: Any = self.trunk  # the layers of a timm network have no types
        x = trunk.maxpool(trunk.act1(trunk.bn1(trunk.conv1(frame_BCHW))))
        map_BCHW = trunk.layer3(trunk.layer2(trunk.layer1(x)))
        token_BLC = map_BCHW.flatten(2).transpose(1, 2) + self.spatial_position
        related_BCHW = self.spatial(token_BLC).transpose(1, 2).reshape(map_BCHW.shape)
        return trunk.global_pool(trunk.layer4(related_BCHW))


def _third_stage(resnet: Any, size: int) -> tuple[int, int]:
    """Channels, and height = width, of the map that the third of four stages makes of a frame of `size` pixels."""
    stage = resnet.feature_info[-2]
    return stage["num_chs"], math.ceil(size / stage["reduction"])
