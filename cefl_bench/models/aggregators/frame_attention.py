"""The frame attention of Emotion-FAN.

Meng et al., Frame Attention Networks for Facial Expression Recognition in Videos, ICIP 2019,
https://arxiv.org/abs/1907.00193

Where we depart from the paper: nowhere that we know of. With one frame per clip (`model.num_clips` is the number of
frames) its frames are our clips, so that it fits behind any network of single frames.

Where we depart from the released code: that one, in eval mode, weighs the frames of the second level by alpha alone but
divides by the sum of alpha times beta; here eval mode computes what training does.
"""

import torch
from torch import nn

from cefl_bench.models.aggregators.base import Aggregator
from cefl_bench.models.layers.precision import without_autocast
from cefl_bench.registry import MODELS


@MODELS.register_module()
class FrameAttention(Aggregator):
    """(B, N, D) -> (B, 2 D), weights (B, N): each frame counts as much as it, then it beside the video, deserves.

    1. Self-attention: alpha_i = sigmoid(Linear(f_i)), the video f = sum alpha_i f_i / sum alpha_i.
    2. Relation-attention: beta_i = sigmoid(Linear([f_i ; f])), and with w_i = alpha_i beta_i / sum alpha beta the
       feature sum w_i [f_i ; f]. The weights w are the clip weights.

    It computes in float32 also under autocast, as clip weights are compared.

    Args:
        relation: False for self-attention alone: (B, N, D) -> (B, D), weights alpha_i / sum alpha.
        dropout: before each of the two linear layers.
    """

    def __init__(self, in_dim: int, relation: bool = True, dropout: float = 0.5) -> None:
        super().__init__(in_dim)
        self.alpha = nn.Sequential(nn.Dropout(dropout), nn.Linear(in_dim, 1), nn.Sigmoid())
        self.beta: nn.Module | None = None
        if relation:
            self.feat_dim = 2 * in_dim
            self.beta = nn.Sequential(nn.Dropout(dropout), nn.Linear(2 * in_dim, 1), nn.Sigmoid())

    def forward(self, feature_BND: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with without_autocast(feature_BND.device):
            # of the weights' type: float32, but for a network that is half precision as a whole
            feature = feature_BND.to(next(self.parameters()).dtype)
            alpha_BN = self.alpha(feature).squeeze(-1)
            video_BD, weight_BN = _weighed(feature, alpha_BN)
            if self.beta is None:
                return video_BD, weight_BN
            pair_BND = torch.cat([feature, video_BD.unsqueeze(1).expand_as(feature)], dim=-1)
            return _weighed(pair_BND, alpha_BN * self.beta(pair_BND).squeeze(-1))


def _weighed(feature_BND: torch.Tensor, share_BN: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean of the features, each counted by its share, and the shares scaled to sum to one."""
    weight_BN = share_BN / share_BN.sum(dim=1, keepdim=True)
    return (weight_BN.unsqueeze(-1) * feature_BND).sum(dim=1), weight_BN
