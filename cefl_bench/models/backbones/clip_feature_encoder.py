"""CFE, the clip-based feature encoder of CEFLNet.

Liu et al., Clip-aware expressive feature learning for video-based facial expression recognition, Information Sciences
598 (2022) 182-195, https://doi.org/10.1016/j.ins.2022.03.062

Where we depart from the paper: the default follows the network that its authors released, which differs from the
paper's figure. The figure's encoder (`variant='figure'`) relates the attended features f' instead of the trunk's
features f to the clip, weighs them without a sigmoid, and sums the 512-wide f' without dividing by the weights and
without a projection.

`variant='cosine'` is the encoder of EST, the same authors' next network: Liu et al., Expression Snippet Transformer for
Robust Video-based Facial Expression Recognition, Pattern Recognition 138 (2023), https://arxiv.org/abs/2109.08409, as
they released it.

Where we depart from the released code: it runs the trunk once for every clip and frame position, on the B frames that
the videos of a batch have there (`frame_batches='per_position'`). Our default runs it once over all frames: equal in
eval mode, other batch statistics in training, and far faster. From scratch a ResNet starts as timm's do, with the last
BatchNorm of every residual block at zero; theirs starts all at one (`trunk_args=dict(zero_init_last=False)`).
"""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import nn

from cefl_bench.errors import UserError
from cefl_bench.models.backbones.base import Backbone
from cefl_bench.models.layers.frame_trunk import frame_trunk
from cefl_bench.registry import MODELS

MIN_COSINE = 1e-8


@MODELS.register_module()
class ClipFeatureEncoder(Backbone):
    """(B * N, C, T, H, W) -> (B * N, D): two cascaded attentions over the frame features of one clip.

    1. Self-attention: every frame feature f_k attends to all F, f'_k = LN(f_k + Dropout(MHA(F, F, F)_k)).
    2. Local-global relation: the clip feature g = max_k f'_k is joined to each frame's, and the pair decides how much
       the frame counts. Neither attention knows the order of the frames.

    Args:
        trunk: any timm network; sees one frame, (3, H, W) -> D, globally pooled.
        trunk_args: further arguments of `timm.create_model`.
        variant: `released` or `figure`; `cosine` for EST.
        frame_batches: over which frames BatchNorm takes its statistics in training: `joint`, all B * N * T of a batch,
            or `per_position`, the B frames of one position in one clip, which is N * T passes through the trunk.
    """

    tiny = dict(trunk="test_resnet")

    def __init__(
        self,
        trunk: str = "resnet18",
        trunk_args: Mapping[str, Any] | None = None,
        variant: str = "released",
        frame_batches: str = "joint",
        num_heads: int = 4,
        init_cfg: Mapping[str, str | None] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if variant not in RELATIONS:
            raise UserError(f"ClipFeatureEncoder: variant is {variant!r}: expected 'released', 'figure' or 'cosine'")
        if frame_batches not in ("joint", "per_position"):
            raise UserError(
                f"ClipFeatureEncoder: frame_batches is {frame_batches!r}: expected 'joint' or 'per_position'"
            )
        self.frame_batches = frame_batches
        self.trunk, self.feat_dim = frame_trunk(trunk, **(trunk_args or {}))
        self.self_attention = SelfAttention(self.feat_dim, num_heads)
        self.relation = RELATIONS[variant](self.feat_dim)

    def encode_videos(self, video_BNCTHW: torch.Tensor) -> torch.Tensor:
        if self._joint():
            return super().encode_videos(video_BNCTHW)
        return torch.stack([self(clip_BCTHW) for clip_BCTHW in video_BNCTHW.unbind(1)], dim=1)

    def forward(self, clip_BCTHW: torch.Tensor) -> torch.Tensor:
        frame_BTD = self._frame_features(clip_BCTHW.transpose(1, 2))
        return self.relation(frame_BTD, self.self_attention(frame_BTD))

    def _frame_features(self, frame_BTCHW: torch.Tensor) -> torch.Tensor:
        if self._joint():
            return self.trunk(frame_BTCHW.flatten(0, 1)).unflatten(0, frame_BTCHW.shape[:2])
        return torch.stack([self.trunk(frame_BCHW) for frame_BCHW in frame_BTCHW.unbind(1)], dim=1)

    def _joint(self) -> bool:
        """Whether all frames pass the trunk at once. In eval mode no statistics are taken, so both ways are equal."""
        return self.frame_batches == "joint" or not self.training


class SelfAttention(BaseModule):
    """(B, T, D) -> (B, T, D): cascaded attention one. No position, no feed-forward layer.

    As in the released network, one dropout is on the attention weights, another on what the attention gives.
    """

    def __init__(self, dim: int, num_heads: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(dim, num_heads, dropout=dropout, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(dim)

    def forward(self, frame_BTD: torch.Tensor) -> torch.Tensor:
        attended, _ = self.attention(frame_BTD, frame_BTD, frame_BTD, need_weights=False)
        return self.norm(frame_BTD + self.dropout(attended))


class LocalGlobalRelation(BaseModule):
    """Frame features f and attended f', both (B, T, D) -> (B, D): cascaded attention two, as released.

    h_k = [f_k ; g], w_k = sigmoid(Linear(Dropout(h_k))), R = Linear(sum_k w_k h_k / sum_k w_k).
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weigh = nn.Sequential(nn.Dropout(0.5), nn.Linear(2 * dim, 1), nn.Sigmoid())
        self.project = nn.Linear(2 * dim, dim)

    def forward(self, frame_BTD: torch.Tensor, attended_BTD: torch.Tensor) -> torch.Tensor:
        clip_BTD = attended_BTD.amax(dim=1, keepdim=True).expand_as(frame_BTD)
        related = torch.cat([frame_BTD, clip_BTD], dim=-1)
        weight = self.weigh(related)
        return self.project((weight * related).sum(dim=1) / weight.sum(dim=1))


class FigureRelation(BaseModule):
    """Frame features f and attended f', both (B, T, D) -> (B, D): cascaded attention two, as in the paper's figure.

    h_k = [f'_k ; g], w_k = Linear(Dropout(h_k)), R = sum_k w_k f'_k.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weigh = nn.Sequential(nn.Dropout(0.5), nn.Linear(2 * dim, 1))

    def forward(self, frame_BTD: torch.Tensor, attended_BTD: torch.Tensor) -> torch.Tensor:
        clip_BTD = attended_BTD.amax(dim=1, keepdim=True).expand_as(attended_BTD)
        weight = self.weigh(torch.cat([attended_BTD, clip_BTD], dim=-1))
        return (weight * attended_BTD).sum(dim=1)


class CosineRelation(BaseModule):
    """Frame features f and attended f', both (B, T, D) -> (B, D): EST's in the place of cascaded attention two.

    w_k = max(cos(f'_k, g), 1e-8), R = sum_k w_k f'_k / sum_k w_k. Nothing in it is learned.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()

    def forward(self, frame_BTD: torch.Tensor, attended_BTD: torch.Tensor) -> torch.Tensor:
        clip_BTD = attended_BTD.amax(dim=1, keepdim=True)
        weight = F.cosine_similarity(attended_BTD, clip_BTD, dim=-1).clamp_min(MIN_COSINE).unsqueeze(-1)
        return (weight * attended_BTD).sum(dim=1) / weight.sum(dim=1)


RELATIONS: dict[str, type[LocalGlobalRelation] | type[FigureRelation] | type[CosineRelation]] = {
    "released": LocalGlobalRelation,
    "figure": FigureRelation,
    "cosine": CosineRelation,
}
