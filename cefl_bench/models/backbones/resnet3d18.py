"""3D ResNet-18, an 18-layer ResNet of 3D convolutions that halves time and space by a max-pooling after the first.

Hara et al., Can Spatiotemporal 3D CNNs Retrace the History of 2D CNNs and ImageNet?, CVPR 2018,
https://arxiv.org/abs/1711.09577

It is not R3D-18, which has no max-pooling and a first convolution of three frames, and costs five times as much.

Where we depart from the paper: it joins stages by shortcuts of type A, which add zeros for new channels; here type B is
the default, a 1 x 1 x 1 convolution with BatchNorm, which the authors' later weights have and whose cost is the one
that benchmarks report. Of type A, the authors' early code let no gradient through; here it does.
"""

from collections import OrderedDict
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import nn

from cefl_bench.errors import UserError
from cefl_bench.models.backbones.video_resnet import VideoResNet
from cefl_bench.registry import MODELS


@MODELS.register_module()
class ResNet3D18(VideoResNet):
    """(B * N, 3, T, H, W) -> (B * N, 8 * width): any number of frames, any size.

    Args:
        width: channels of the first stage; 64 in the paper.
        shortcut: `A` or `B`, see above.
    """

    tiny = dict(width=4)

    def __init__(self, width: int = 64, shortcut: str = "B", init_cfg: Mapping[str, str | None] | None = None) -> None:
        if shortcut not in ("A", "B"):
            raise UserError(f"ResNet3D18: shortcut is {shortcut!r}: expected 'A' or 'B'")
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            conv1=nn.Conv3d(3, width, kernel_size=7, stride=(1, 2, 2), padding=3, bias=False),
            bn1=nn.BatchNorm3d(width),
            relu=nn.ReLU(inplace=True),
            maxpool=nn.MaxPool3d(kernel_size=3, stride=2, padding=1),
        )
        in_dim = width
        for number in (1, 2, 3, 4):
            out_dim = width * 2 ** (number - 1)
            layers[f"layer{number}"] = nn.Sequential(
                Block(in_dim, out_dim, shortcut), Block(out_dim, out_dim, shortcut)
            )
            in_dim = out_dim
        super().__init__(nn.Sequential(layers), 8 * width, init_cfg)


class Block(nn.Module):
    """(B, C, T, H, W) -> (B, out_dim, T', H', W'): two 3 x 3 x 3 convolutions around a shortcut.

    Where the channels double, time, height and width are halved. The names are those of the authors' weights.
    """

    def __init__(self, in_dim: int, out_dim: int, shortcut: str) -> None:
        super().__init__()
        self.stride = out_dim // in_dim
        self.new_channels = out_dim - in_dim
        self.conv1 = nn.Conv3d(in_dim, out_dim, 3, stride=self.stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm3d(out_dim)
        self.conv2 = nn.Conv3d(out_dim, out_dim, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm3d(out_dim)
        self.downsample: nn.Module | None = None
        if self.stride > 1 and shortcut == "B":
            self.downsample = nn.Sequential(
                nn.Conv3d(in_dim, out_dim, 1, stride=self.stride, bias=False), nn.BatchNorm3d(out_dim)
            )

    def forward(self, map_BCTHW: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.bn1(self.conv1(map_BCTHW)))
        return F.relu(self.bn2(self.conv2(x)) + self._shortcut(map_BCTHW))

    def _shortcut(self, map_BCTHW: torch.Tensor) -> torch.Tensor:
        if self.downsample is not None:
            return self.downsample(map_BCTHW)
        step = self.stride
        return F.pad(map_BCTHW[:, :, ::step, ::step, ::step], (0, 0, 0, 0, 0, 0, 0, self.new_channels))
