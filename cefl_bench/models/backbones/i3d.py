"""I3D, Inception-v1 inflated to 3D.

Carreira and Zisserman, Quo Vadis, Action Recognition? A New Model and the Kinetics Dataset, CVPR 2017,
https://arxiv.org/abs/1705.07750

Where we depart from the paper: RGB frames alone, without the stream of optical flow; the last map is averaged as a
whole, so that any size fits, where the paper averages windows of 2 x 7 x 7 (the same for 16 frames of 224 x 224).
Layers are named as in the published PyTorch weights, which load.
"""

from collections import OrderedDict
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import nn

from cefl_bench.models.backbones.base import Backbone
from cefl_bench.registry import MODELS

Triple = tuple[int, int, int]

MIXED = {
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}
"""Channels of the convolutions in each Inception block: the branch of 1^3; the first and second of the two branches
with a 3^3; the one after the pooling."""
POOLS: dict[str, tuple[str, Triple, Triple]] = {
    "Mixed_4b": ("MaxPool3d_4a_3x3", (3, 3, 3), (2, 2, 2)),
    "Mixed_5b": ("MaxPool3d_5a_2x2", (2, 2, 2), (2, 2, 2)),
}
"""Name, window and stride of the pooling that stands before a block."""


@MODELS.register_module()
class I3D(Backbone):
    """(B * N, 3, T, H, W) -> (B * N, 16 * width): any number of frames, any size.

    Args:
        width: channels of the first convolution, which all others follow; 64 in the paper.
    """

    tiny = dict(width=4)

    def __init__(self, width: int = 64, init_cfg: Mapping[str, str | None] | None = None) -> None:
        super().__init__(init_cfg)
        dim = 192 * width // 64
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            Conv3d_1a_7x7=Unit(3, width, (7, 7, 7), stride=(2, 2, 2)),
            MaxPool3d_2a_3x3=SameMaxPool((1, 3, 3), (1, 2, 2)),
            Conv3d_2b_1x1=Unit(width, width, (1, 1, 1)),
            Conv3d_2c_3x3=Unit(width, dim, (3, 3, 3)),
            MaxPool3d_3a_3x3=SameMaxPool((1, 3, 3), (1, 2, 2)),
        )
        for name, published_dims in MIXED.items():
            if name in POOLS:
                pool, window, stride = POOLS[name]
                layers[pool] = SameMaxPool(window, stride)
            layers[name] = block = Inception(dim, *(published * width // 64 for published in published_dims))
            dim = block.out_dim
        self.trunk = nn.Sequential(layers)
        self.feat_dim = dim

    def forward(self, clip_BCTHW: torch.Tensor) -> torch.Tensor:
        return self.trunk(clip_BCTHW).mean(dim=(2, 3, 4))


class Inception(nn.Module):
    """(B, in_dim, T, H, W) -> (B, out_dim, T, H, W): four branches side by side."""

    def __init__(
        self, in_dim: int, dim_0: int, reduce_1: int, dim_1: int, reduce_2: int, dim_2: int, dim_3: int
    ) -> None:
        super().__init__()
        self.out_dim = dim_0 + dim_1 + dim_2 + dim_3
        self.b0 = Unit(in_dim, dim_0, (1, 1, 1))
        self.b1a = Unit(in_dim, reduce_1, (1, 1, 1))
        self.b1b = Unit(reduce_1, dim_1, (3, 3, 3))
        self.b2a = Unit(in_dim, reduce_2, (1, 1, 1))
        self.b2b = Unit(reduce_2, dim_2, (3, 3, 3))
        self.b3a = SameMaxPool((3, 3, 3), (1, 1, 1))
        self.b3b = Unit(in_dim, dim_3, (1, 1, 1))

    def forward(self, map_BCTHW: torch.Tensor) -> torch.Tensor:
        branches = [
            self.b0(map_BCTHW),
            self.b1b(self.b1a(map_BCTHW)),
            self.b2b(self.b2a(map_BCTHW)),
            self.b3b(self.b3a(map_BCTHW)),
        ]
        return torch.cat(branches, dim=1)


class Unit(nn.Module):
    """(B, in_dim, T, H, W) -> (B, out_dim, T', H', W'): a convolution, BatchNorm, ReLU."""

    def __init__(self, in_dim: int, out_dim: int, kernel: Triple, stride: Triple = (1, 1, 1)) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.conv3d = nn.Conv3d(in_dim, out_dim, kernel, stride=stride, bias=False)
        self.bn = nn.BatchNorm3d(out_dim, eps=1e-3, momentum=0.01)

    def forward(self, map_BCTHW: torch.Tensor) -> torch.Tensor:
        return F.relu(self.bn(self.conv3d(pad_same(map_BCTHW, self.kernel, self.stride))))


class SameMaxPool(nn.Module):
    """(B, C, T, H, W) -> (B, C, T', H', W'): max-pooling over a map that is padded with zeros."""

    def __init__(self, window: Triple, stride: Triple) -> None:
        super().__init__()
        self.window, self.stride = window, stride

    def forward(self, map_BCTHW: torch.Tensor) -> torch.Tensor:
        return F.max_pool3d(pad_same(map_BCTHW, self.window, self.stride), self.window, self.stride)


def pad_same(map_BCTHW: torch.Tensor, kernel: Triple, stride: Triple) -> torch.Tensor:
    """Pad with zeros as TensorFlow does for `SAME`: the output is ceil(size / stride), an odd zero goes to the end."""
    padding: list[int] = []
    # from the last dimension to the first, as F.pad wants it
    for size, width, step in reversed(list(zip(map_BCTHW.shape[2:], kernel, stride, strict=True))):
        total = max(width - (size % step or step), 0)
        padding += [total // 2, total - total // 2]
    return F.pad(map_BCTHW, padding)
