"""P3D-63, a ResNet whose 3 x 3 x 3 convolutions are split into space and time in three ways that take turns.

Qiu, Yao and Mei, Learning Spatio-Temporal Representation with Pseudo-3D Residual Networks, ICCV 2017,
https://arxiv.org/abs/1711.10305

Where we depart from the paper: frames need not be 160 x 160, since the last map is averaged as a whole. Clips of other
than 16 frames fit too: time is halved, four times in all, while it has two frames, and what is left is averaged.

Where we depart from the released code: convolutions start by Kaiming's rule over their true fan-out; theirs counts 3
where a 1 x 3 x 3 convolution has 9.
"""

import itertools
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import nn

from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.layers.residual_stages import start_by_fan_out
from cefl_bench.registry import MODELS

NUM_BLOCKS = (3, 4, 6, 3)
EXPANSION = 4


@MODELS.register_module()
class P3D63(Backbone):
    """(B * N, 3, T, H, W) -> (B * N, 32 * width): any number of frames, any size.

    Three stages of bottlenecks of the types A, B, C in turn, and a fourth that sees each frame alone.

    Args:
        width: channels of the first convolution; 64 in the paper.
    """

    tiny = dict(width=4)

    def __init__(self, width: int = 64, init_cfg: Mapping[str, str | None] | None = None) -> None:
        super().__init__(init_cfg)
        self.stem = nn.Sequential(
            nn.Conv3d(3, width, kernel_size=(1, 7, 7), stride=(1, 2, 2), padding=(0, 3, 3), bias=False),
            nn.BatchNorm3d(width),
            nn.ReLU(inplace=True),
        )
        self.stages = nn.ModuleList()
        in_dim, kinds = width, itertools.cycle("ABC")
        for number, num_blocks in enumerate(NUM_BLOCKS):
            blocks = []
            for position in range(num_blocks):
                stride = 2 if number > 0 and position == 0 else 1
                kind = "2D" if number == 3 else next(kinds)
                blocks.append(Bottleneck(in_dim, width * 2**number, stride, kind))
                in_dim = EXPANSION * width * 2**number
            self.stages.append(nn.Sequential(*blocks))
        self.feat_dim = in_dim

    def init_weights(self) -> None:
        start_by_fan_out(self)
        super().init_weights()

    def forward(self, clip_BCTHW: torch.Tensor) -> torch.Tensor:
        x = self.stem(clip_BCTHW)
        x = F.max_pool3d(x, (_time_step(x), 3, 3), (_time_step(x), 2, 2), padding=(0, 1, 1))
        *spatiotemporal, spatial = self.stages
        for stage in spatiotemporal:
            x = stage(x)
            x = F.max_pool3d(x, (_time_step(x), 1, 1))
        return spatial(x).mean(dim=(2, 3, 4))


def _time_step(map_BCTHW: torch.Tensor) -> int:
    return min(map_BCTHW.shape[2], 2)


class Bottleneck(nn.Module):
    """(B, in_dim, T, H, W) -> (B, 4 * dim, T, H', W'): reduce, relate in space and time, expand, around a shortcut.

    Args:
        kind: S, a convolution in space, and T, one in time, are put together as `A`: T(S(x)); `B`: S(x) + T(x);
            `C`: S(x) + T(S(x)); `2D`: S(x).
    """

    def __init__(self, in_dim: int, dim: int, stride: int, kind: str) -> None:
        super().__init__()
        self.kind = kind
        strides = (1, stride, stride)
        self.reduce = nn.Sequential(_convolution(in_dim, dim, (1, 1, 1), strides), nn.ReLU(inplace=True))
        self.space = nn.Sequential(_convolution(dim, dim, (1, 3, 3)), nn.ReLU(inplace=True))
        self.time: nn.Module | None = None
        if kind != "2D":
            self.time = nn.Sequential(_convolution(dim, dim, (3, 1, 1)), nn.ReLU(inplace=True))
        self.expand = _convolution(dim, EXPANSION * dim, (1, 1, 1))
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or in_dim != EXPANSION * dim:
            self.shortcut = _convolution(in_dim, EXPANSION * dim, (1, 1, 1), strides)

    def forward(self, map_BCTHW: torch.Tensor) -> torch.Tensor:
        related = self._relate(self.reduce(map_BCTHW))
        return F.relu(self.expand(related) + self.shortcut(map_BCTHW))

    def _relate(self, map_BCTHW: torch.Tensor) -> torch.Tensor:
        in_space = self.space(map_BCTHW)
        if self.time is None:
            return in_space
        if self.kind == "A":
            return self.time(in_space)
        if self.kind == "B":
            return in_space + self.time(map_BCTHW)
        return in_space + self.time(in_space)


def _convolution(
    in_dim: int, out_dim: int, kernel: tuple[int, int, int], stride: tuple[int, int, int] = (1, 1, 1)
) -> nn.Sequential:
    """A convolution that keeps the size but for its stride, and BatchNorm."""
    padding = (kernel[0] // 2, kernel[1] // 2, kernel[2] // 2)
    return nn.Sequential(
        nn.Conv3d(in_dim, out_dim, kernel, stride=stride, padding=padding, bias=False), nn.BatchNorm3d(out_dim)
    )
