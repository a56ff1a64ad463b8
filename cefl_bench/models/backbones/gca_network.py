"""The network of IAL, with global convolution-attention (GCA) blocks; the intensity-aware loss is an option of a head.

Li et al., Intensity-Aware Loss for Dynamic Facial Expression Recognition in the Wild, AAAI 2023,
https://arxiv.org/abs/2208.10335

Where we depart from the paper: nowhere in the layers, which are those of the network that its authors released. The
paper's classifier of the third stage is not built by default, since the released code gives its loss a weight of 0.

Where we depart from the released code: that one evaluates every layer of its transformers twice, with the same outcome,
and has 146,752 parameters that nothing uses. Like theirs, the table of positions has a row for each of the 16 frames;
the last is never read, as 16 frames give 15 tokens.
"""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import nn

from cefl_bench.errors import UserError
from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.layers.dynamic_static import DynamicStatic, map_side, temporal_blocks
from cefl_bench.registry import MODELS

REDUCTION = 16
MIN_SQUARE = 1e-5


@MODELS.register_module()
class GCANetwork(Backbone):
    """(B * N, 3, T, H, W) -> (B * N, D): tokens of what changes, by a transformer, averaged.

    In training the second and the third stage's attention classify too, each with a loss, where it has a weight:
    `loss_stage2`, `loss_stage3`.

    D is 4 * width times the places of the last map: 4,096 at 112 pixels.

    Args:
        width: channels of the first stage; 64 in the paper.
        num_frames, size: T, and H = W in pixels; positions and attention are learned for them.
        stage_weights: factors of the losses of the second and the third stage; with 0 there is no classifier.
    """

    tiny = dict(width=4)

    def __init__(
        self,
        width: int = 64,
        num_frames: int = 16,
        size: int = 112,
        stage_weights: Sequence[float] = (0.05, 0.0),
        init_cfg: Mapping[str, str | None] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if len(stage_weights) != 2 or min(stage_weights) < 0:
            raise UserError(f"GCANetwork: stage_weights are {tuple(stage_weights)}: expected two numbers from 0")
        self.tokens = DynamicStatic(width, num_frames, size)
        self.stage_weights = dict(zip(("stage2", "stage3"), stage_weights, strict=True))
        for number, name in enumerate(self.stage_weights, start=2):
            block = getattr(self.tokens, name)
            attention = GlobalAttention(block.conv2.out_channels, num_frames, map_side(size, number))
            block.bn2 = nn.Sequential(block.bn2, attention)  # before the shortcut is added
        self.classifiers = nn.ModuleDict()
        self.feat_dim = self.tokens.token_dim
        self.position = nn.Parameter(torch.randn(1, num_frames, self.feat_dim))
        self.temporal = temporal_blocks(self.feat_dim)

    def know_classes(self, num_classes: int) -> None:
        for name, weight in self.stage_weights.items():
            if weight:
                dim = self._attention(name).dim
                self.classifiers[name] = nn.Sequential(
                    nn.Linear(dim, 2 * dim, bias=False), nn.Linear(2 * dim, num_classes, bias=False)
                )

    def forward(self, clip_BCTHW: torch.Tensor) -> torch.Tensor:
        token_BTD = self.tokens(clip_BCTHW)
        return self.temporal(token_BTD + self.position[:, :-1]).mean(dim=1)

    def auxiliary_losses(self, label_B: torch.Tensor) -> dict[str, torch.Tensor]:
        losses = {}
        for name, classifier in self.classifiers.items():
            score_BK = classifier(self._attention(name).whole_BTC.mean(dim=1))  # of every clip
            label_of_clips = label_B.repeat_interleave(len(score_BK) // len(label_B), dim=0)
            losses[f"loss_{name}"] = self.stage_weights[name] * F.cross_entropy(score_BK, label_of_clips)
        return losses

    def _attention(self, stage: str) -> "GlobalAttention":
        return getattr(self.tokens, stage).bn2[1]


class GlobalAttention(nn.Module):
    """Maps (B * T, C, H, W) -> the same, each channel scaled: by what a kernel as large as the map sees, over time too.

    A depthwise convolution sums each map up, two layers make w = 2 sigmoid(..) of the sums, and a channel is scaled by
    sqrt(w_t mean_t w_t + 1e-5).

    Args:
        dim: C.
        num_frames: T, of a clip.
        side: H = W.
    """

    def __init__(self, dim: int, num_frames: int, side: int) -> None:
        super().__init__()
        self.dim, self.num_frames = dim, num_frames
        self.whole = nn.Conv2d(dim, dim, side, groups=dim, bias=False)
        few = max(dim // REDUCTION, 1)
        self.weigh = nn.Sequential(
            nn.Conv2d(dim, few, 1, bias=False), nn.ReLU(inplace=True), nn.Conv2d(few, dim, 1, bias=False), nn.Sigmoid()
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, map_BCHW: torch.Tensor) -> torch.Tensor:
        whole_BC11 = self.whole(map_BCHW)
        if self.training:
            self.whole_BTC = whole_BC11.flatten(1).unflatten(0, (-1, self.num_frames))
        weight_BTC11 = (2 * self.weigh(whole_BC11)).unflatten(0, (-1, self.num_frames))
        scale_BTC11 = (weight_BTC11 * weight_BTC11.mean(dim=1, keepdim=True) + MIN_SQUARE).sqrt()
        return map_BCHW * scale_BTC11.flatten(0, 1)
