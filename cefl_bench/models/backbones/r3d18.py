"""R3D-18, an 18-layer ResNet of 3D convolutions: torchvision's network.

Tran et al., A Closer Look at Spatiotemporal Convolutions for Action Recognition, CVPR 2018,
https://arxiv.org/abs/1711.11248

Where we depart from the paper: nowhere that we know of. It is put together from torchvision's blocks, so that its
weights load, with a width to choose.
"""

from collections.abc import Mapping

from torchvision.models.video.resnet import Conv3DSimple

from cefl_bench.models.backbones.video_resnet import VideoResNet
from cefl_bench.models.layers.residual_stages import residual_trunk, stem_3d
from cefl_bench.registry import MODELS


@MODELS.register_module()
class R3D18(VideoResNet):
    """(B * N, 3, T, H, W) -> (B * N, 8 * width): any number of frames, any size.

    Args:
        width: channels of the first stage; 64 in the paper.
    """

    tiny = dict(width=4)

    def __init__(self, width: int = 64, init_cfg: Mapping[str, str | None] | None = None) -> None:
        super().__init__(residual_trunk(stem_3d(width), width, [Conv3DSimple] * 4), 8 * width, init_cfg)
