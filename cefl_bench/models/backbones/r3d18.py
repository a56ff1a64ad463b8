"""R3D-18, an 18-layer ResNet of 3D convolutions: torchvision's network.

Tran et al., A Closer Look at Spatiotemporal Convolutions for Action Recognition, CVPR 2018,
https://arxiv.org/abs/1711.11248

Where we depart from the paper: nowhere that we know of. It is put together from torchvision's blocks, so that its
weights load, with a width to choose.
"""

from collections import OrderedDict
from collections.abc import Mapping

import torch
from torch import nn
from torchvision.models.video.resnet import BasicBlock, Conv3DSimple

from cefl_bench.models.backbones.base import Backbone
from cefl_bench.registry import MODELS


@MODELS.register_module()
class R3D18(Backbone):
    """(B * N, 3, T, H, W) -> (B * N, 8 * width): any number of frames, any size.

    Args:
        width: channels of the first stage; 64 in the paper.
    """

    tiny = dict(width=4)

    def __init__(self, width: int = 64, init_cfg: Mapping[str, str | None] | None = None) -> None:
        super().__init__(init_cfg)
        self.feat_dim = 8 * width
        stem = nn.Sequential(
            nn.Conv3d(3, width, kernel_size=(3, 7, 7), stride=(1, 2, 2), padding=(1, 3, 3), bias=False),
            nn.BatchNorm3d(width),
            nn.ReLU(inplace=True),
        )
        stages = {f"layer{n}": _stage(width * max(1, 2 ** (n - 2)), width * 2 ** (n - 1)) for n in (1, 2, 3, 4)}
        self.trunk = nn.Sequential(OrderedDict(stem=stem, **stages))

    def init_weights(self) -> None:
        for module in self.trunk.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        super().init_weights()

    def forward(self, clip_BCTHW: torch.Tensor) -> torch.Tensor:
        return self.trunk(clip_BCTHW).mean(dim=(2, 3, 4))


def _stage(in_dim: int, out_dim: int) -> nn.Sequential:
    """Two residual blocks; the first halves time and space wherever the channels double."""
    stride = out_dim // in_dim
    shortcut = None
    if stride > 1:
        shortcut = nn.Sequential(nn.Conv3d(in_dim, out_dim, 1, stride=stride, bias=False), nn.BatchNorm3d(out_dim))
    return nn.Sequential(
        BasicBlock(in_dim, out_dim, Conv3DSimple, stride, shortcut), BasicBlock(out_dim, out_dim, Conv3DSimple)
    )
