"""The four stages of an 18-layer video ResNet, from torchvision's blocks, so that its weights load."""

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn
from torchvision.models.video.resnet import BasicBlock, Conv2Plus1D, Conv3DNoTemporal, Conv3DSimple

Convolution = type[Conv3DSimple] | type[Conv2Plus1D] | type[Conv3DNoTemporal]


def residual_trunk(stem: nn.Sequential, width: int, convolutions: Sequence[Convolution]) -> nn.Sequential:
    """A stem and four stages of two blocks: clips (B, 3, T, H, W) -> a map (B, 8 * width, T', H', W').

    Args:
        stem: clips -> a map of `width` channels.
        width: channels of the first stage; each further stage doubles them.
        convolutions: torchvision's kind of convolution, of each stage.
    """
    trunk: OrderedDict[str, nn.Module] = OrderedDict(stem=stem)
    in_dim = width
    for number, convolution in enumerate(convolutions, start=1):
        out_dim = width * 2 ** (number - 1)
        trunk[f"layer{number}"] = _stage(in_dim, out_dim, convolution)
        in_dim = out_dim
    return nn.Sequential(trunk)


def start_by_fan_out(network: nn.Module) -> None:
    """Draw the weights of all 3D convolutions by Kaiming's rule over the fan-out, as torchvision does."""
    for module in network.modules():
        if isinstance(module, nn.Conv3d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def stem_3d(width: int) -> nn.Sequential:
    """The stem of R3D-18 and MC3-18: one 3 x 7 x 7 convolution that halves height and width."""
    return nn.Sequential(
        nn.Conv3d(3, width, kernel_size=(3, 7, 7), stride=(1, 2, 2), padding=(1, 3, 3), bias=False),
        nn.BatchNorm3d(width),
        nn.ReLU(inplace=True),
    )


def _stage(in_dim: int, out_dim: int, convolution: Convolution) -> nn.Sequential:
    """Two residual blocks; the first strides wherever the channels double."""
    stride = out_dim // in_dim
    shortcut = None
    if stride > 1:
        strides = convolution.get_downsample_stride(stride)
        shortcut = nn.Sequential(nn.Conv3d(in_dim, out_dim, 1, stride=strides, bias=False), nn.BatchNorm3d(out_dim))
    return nn.Sequential(
        BasicBlock(in_dim, out_dim, convolution, stride, shortcut), BasicBlock(out_dim, out_dim, convolution)
    )
