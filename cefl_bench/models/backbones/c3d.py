"""C3D. Tran et al., Learning Spatiotemporal Features with 3D Convolutional Networks, ICCV 2015,
https://arxiv.org/abs/1412.0767

Where we depart from the paper: every convolution is followed by BatchNorm, as in the code that the DFEW benchmark
released. A clip of fewer than 16 frames is pooled in time only while it still has two frames, so that short clips fit.
Weights start as He et al., Delving Deep into Rectifiers, ICCV 2015, https://arxiv.org/abs/1502.01852, say for layers
with ReLU, as the linear layers do in that code. PyTorch's defaults are smaller: from those, on some seeds, all units
of the first linear layer fell silent within two epochs, and nothing was learnt from then on.
"""

from collections.abc import Mapping

import torch
from torch import nn

from cefl_bench.errors import UserError
from cefl_bench.models.backbones.base import Backbone
from cefl_bench.registry import MODELS


@MODELS.register_module()
class C3D(Backbone):
    """(B * N, 3, T, H, W) -> (B * N, 64 * width): eight 3 x 3 x 3 convolutions, five poolings, two linear layers.

    Args:
        num_frames, size: T, and H = W in pixels; the linear layers are built for them.
        width: channels of the first convolution; 64 in the paper.
        dropout: after each linear layer.
    """

    tiny = dict(width=4)

    def __init__(
        self,
        num_frames: int = 16,
        size: int = 112,
        width: int = 64,
        dropout: float = 0.5,
        init_cfg: Mapping[str, str | None] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if size < 16 or num_frames < 1:
            raise UserError(f"C3D: size is {size}, num_frames {num_frames}: expected at least 16 pixels and 1 frame")
        self.clip_shape = (3, num_frames, size, size)
        self.feat_dim = 64 * width
        layers: list[nn.Module] = []
        in_dim, frames = 3, num_frames
        # number of convolutions before each pooling, and their channels as multiples of the width
        for stage, (num_convolutions, factor) in enumerate(((1, 1), (1, 2), (2, 4), (2, 8), (2, 8))):
            for _ in range(num_convolutions):
                out_dim = width * factor
                layers += [nn.Conv3d(in_dim, out_dim, 3, padding=1), nn.BatchNorm3d(out_dim), nn.ReLU(inplace=True)]
                in_dim = out_dim
            in_time = 2 if stage > 0 and frames > 1 else 1
            pad = int(stage == 4)
            layers.append(nn.MaxPool3d((in_time, 2, 2), padding=(0, pad, pad)))
            frames, size = frames // in_time, (size + 2 * pad) // 2
        self.convolutions = nn.Sequential(*layers)
        self.linears = nn.Sequential(
            *(nn.Flatten(), nn.Linear(in_dim * frames * size * size, self.feat_dim), nn.ReLU(inplace=True)),
            *(nn.Dropout(dropout), nn.Linear(self.feat_dim, self.feat_dim), nn.ReLU(inplace=True), nn.Dropout(dropout)),
        )
        for module in self.modules():
            if isinstance(module, (nn.Conv3d, nn.Linear)):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def forward(self, clip_BCTHW: torch.Tensor) -> torch.Tensor:
        if clip_BCTHW.shape[1:] != self.clip_shape:
            raise UserError(
                f"C3D is built for clips (C, T, H, W) of {self.clip_shape} and got {tuple(clip_BCTHW.shape[1:])}: set "
                "model.backbone.num_frames and model.backbone.size"
            )
        return self.linears(self.convolutions(clip_BCTHW))
