"""Any video network of torchvision by its name: Video Swin, MViT, S3D and others.

https://docs.pytorch.org/vision/stable/models.html#video-classification names each network's own paper.

Where we depart from torchvision: S3D averages its last map as a whole, so that other sizes than its own fit; for 16
frames of 224 x 224 it is the same. Its BatchNorm moves its running statistics by 0.1 a batch, as all our networks do
unless their authors say otherwise, where torchvision's moves by 0.001: after 640 batches half of what tests take would
still be that of untrained weights.
"""

import operator
from collections.abc import Mapping
from typing import Any

import torch
import torchvision
from torch import nn

from cefl_bench.errors import UserError
from cefl_bench.models.backbones.base import Backbone
from cefl_bench.registry import MODELS

CLASSIFIERS = ("fc", "head", "classifier")
"""Where torchvision's video networks keep their last layers."""
MVIT_SHAPE = (16, 224, 224)
"""The one clip (T, H, W) that torchvision builds MViT for."""
S3D_MOMENTUM = 0.1
"""By how much BatchNorm moves its running statistics a batch: PyTorch's default."""
MIN_S3D_SHAPE = (5, 17, 17)
"""The fewest frames and pixels (T, H, W) of which S3D leaves something to pool."""


@MODELS.register_module()
class TorchvisionVideo(Backbone):
    """(B * N, 3, T, H, W) -> (B * N, D): a network of torchvision without its classifier.

    MViT takes 16 frames of 224 x 224 and nothing else, S3D clips of `MIN_S3D_SHAPE` and more, all others any.

    Args:
        name: `swin3d_t`, `swin3d_s`, `swin3d_b`, `mvit_v1_b`, `mvit_v2_s`, `s3d` and others.
        trunk_args: further arguments of `torchvision.models.get_model`, such as `dict(stochastic_depth_prob=0.2)`.
    """

    tiny = dict(name="s3d")

    def __init__(
        self, name: str, trunk_args: Mapping[str, Any] | None = None, init_cfg: Mapping[str, str | None] | None = None
    ) -> None:
        super().__init__(init_cfg)
        self.name = name
        self.trunk = _built(name, dict(trunk_args or {}))
        self.feat_dim = _take_classifier(self.trunk)
        if name == "s3d":
            self.trunk.avgpool = nn.AdaptiveAvgPool3d(1)
            for module in self.trunk.modules():
                if isinstance(module, nn.BatchNorm3d):
                    module.momentum = S3D_MOMENTUM

    def forward(self, clip_BCTHW: torch.Tensor) -> torch.Tensor:
        shape_THW = tuple(clip_BCTHW.shape[2:])
        if self.name.startswith("mvit") and shape_THW != MVIT_SHAPE:
            raise UserError(
                f"TorchvisionVideo: {self.name} takes clips (T, H, W) of {MVIT_SHAPE} alone and got {shape_THW}: set "
                f"data_preprocessor.size={MVIT_SHAPE[1]}, and {MVIT_SHAPE[0]} frames a clip"
            )
        if self.name == "s3d" and any(map(operator.lt, shape_THW, MIN_S3D_SHAPE)):
            raise UserError(
                f"TorchvisionVideo: s3d takes clips (T, H, W) of at least {MIN_S3D_SHAPE} and got {shape_THW}: set "
                "data_preprocessor.size, or more frames a clip"
            )
        return self.trunk(clip_BCTHW)


def _built(name: str, trunk_args: dict[str, Any]) -> Any:
    names = torchvision.models.list_models(module=torchvision.models.video)
    if name not in names:
        raise UserError(f"torchvision has no video network {name!r}: expected one of {', '.join(names)}")
    try:
        return torchvision.models.get_model(name, weights=None, **trunk_args)
    except Exception as error:  # every network checks its arguments in its own way
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise UserError(
            f"torchvision cannot build {name!r} with trunk_args {trunk_args} ({reason}): expected arguments that it "
            "takes"
        ) from None


def _take_classifier(network: Any) -> int:
    """Put nothing in the place of the last layers, and tell how wide what came to them is."""
    (name,) = (name for name in CLASSIFIERS if hasattr(network, name))
    layers = [layer for layer in getattr(network, name).modules() if isinstance(layer, nn.Linear | nn.Conv3d)]
    setattr(network, name, nn.Identity())
    return layers[-1].weight.shape[1]
