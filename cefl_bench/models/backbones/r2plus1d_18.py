"""R(2+1)D-18, an 18-layer ResNet whose 3D convolutions are split into space, then time: torchvision's network.

Tran et al., A Closer Look at Spatiotemporal Convolutions for Action Recognition, CVPR 2018,
https://arxiv.org/abs/1711.11248

Where we depart from the paper: as in torchvision, whose weights load, the channels between the two convolutions of a
split are computed once per block, from the block's input and output, and the stem has 45 where the paper's formula
gives 83. A width can be chosen.
"""

from collections.abc import Mapping

from torch import nn
from torchvision.models.video.resnet import Conv2Plus1D

from cefl_bench.models.backbones.video_resnet import VideoResNet
from cefl_bench.models.layers.residual_stages import residual_trunk
from cefl_bench.registry import MODELS


@MODELS.register_module()
class R2Plus1D18(VideoResNet):
    """(B * N, 3, T, H, W) -> (B * N, 8 * width): any number of frames, any size.

    Args:
        width: channels of the first stage; 64 in the paper.
    """

    tiny = dict(width=4)

    def __init__(self, width: int = 64, init_cfg: Mapping[str, str | None] | None = None) -> None:
        super().__init__(residual_trunk(_stem(width), width, [Conv2Plus1D] * 4), 8 * width, init_cfg)


def _stem(width: int) -> nn.Sequential:
    between = 45 * width // 64
    return nn.Sequential(
        nn.Conv3d(3, between, kernel_size=(1, 7, 7), stride=(1, 2, 2), padding=(0, 3, 3), bias=False),
        nn.BatchNorm3d(between),
        nn.ReLU(inplace=True),
        nn.Conv3d(between, width, kernel_size=(3, 1, 1), padding=(1, 0, 0), bias=False),
        nn.BatchNorm3d(width),
        nn.ReLU(inplace=True),
    )
