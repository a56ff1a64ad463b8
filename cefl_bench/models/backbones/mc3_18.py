"""MC3-18, an 18-layer ResNet of mixed convolutions, 3D first and then 2D: torchvision's network.

Tran et al., A Closer Look at Spatiotemporal Convolutions for Action Recognition, CVPR 2018,
https://arxiv.org/abs/1711.11248

Where we depart from the paper: nowhere that we know of. It is put together from torchvision's blocks, so that its
weights load, with a width to choose. No stage reduces time, which is why it costs more than R3D-18.
"""

from collections.abc import Mapping

from torchvision.models.video.resnet import Conv3DNoTemporal, Conv3DSimple

from cefl_bench.models.backbones.video_resnet import VideoResNet
from cefl_bench.models.layers.residual_stages import residual_trunk, stem_3d
from cefl_bench.registry import MODELS


@MODELS.register_module()
class MC318(VideoResNet):
    """(B * N, 3, T, H, W) -> (B * N, 8 * width): 3D convolutions in the first stage, 2D ones in the other three.

    Any number of frames, any size.

    Args:
        width: channels of the first stage; 64 in the paper.
    """

    tiny = dict(width=4)

    def __init__(self, width: int = 64, init_cfg: Mapping[str, str | None] | None = None) -> None:
        super().__init__(
            residual_trunk(stem_3d(width), width, [Conv3DSimple] + [Conv3DNoTemporal] * 3), 8 * width, init_cfg
        )
