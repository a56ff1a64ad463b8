"""DLIAM, the dynamic long-term instance aggregation module of M3DFEL.

Wang et al., Rethinking the Learning Paradigm for Dynamic Facial Expression Recognition (M3DFEL), CVPR 2023, pages
17958-17968.

Behind R3D-18 on 4 clips of 4 frames it is the whole of M3DFEL; a clip is what the paper calls an instance.

Where we depart from the paper: nowhere in the layers, which are those of the network that its authors released.

Where we depart from the released code: that one draws the frames of test videos at random as well, keeps the best WAR
and the best UAR of different epochs, and loses the batch axis of a single video. Here a test sees the same frames every
time, both scores are of one epoch, and a single video is scored.
"""

import torch
from torch import nn

from cefl_bench.errors import UserError
from cefl_bench.models.aggregators.base import Aggregator
from cefl_bench.models.layers.precision import without_autocast
from cefl_bench.models.layers.video_tokens import attend
from cefl_bench.registry import MODELS

NUM_LAYERS, NUM_HEADS = 2, 8
NORM_EPS = 1e-5


@MODELS.register_module()
class DLIAM(Aggregator):
    """(B, N, D) -> (B, 2 D): the clips in both directions of time, gated by what attention finds among them.

    1. A bidirectional LSTM over the clips: o, 2 D per clip.
    2. Self-attention among the o without a residual, then `DMIN` and a sigmoid: a gate for each value of o.
    3. A convolution whose channels are the clips joins the gated o to one vector.

    Args:
        num_clips: N, which the convolution is built for.
    """

    tiny = dict(num_clips=3)

    def __init__(self, in_dim: int, num_clips: int = 4) -> None:
        super().__init__(in_dim)
        if num_clips < 2:
            raise UserError(f"DLIAM: num_clips is {num_clips}: expected at least 2, whose variance it takes")
        self.num_clips, self.feat_dim = num_clips, 2 * in_dim
        if self.feat_dim % NUM_HEADS:
            raise UserError(
                f"DLIAM: the backbone's feature has {in_dim} values: expected a multiple of {NUM_HEADS // 2}, for "
                f"{NUM_HEADS} heads; take another backbone"
            )
        self.recurrent = nn.LSTM(in_dim, in_dim, NUM_LAYERS, batch_first=True, bidirectional=True)
        self.qkv = nn.Linear(self.feat_dim, 3 * self.feat_dim, bias=False)
        self.norm = DMIN(self.feat_dim)
        self.join = nn.Conv1d(num_clips, 1, kernel_size=3, padding=1)

    def forward(self, feature_BND: torch.Tensor) -> tuple[torch.Tensor, None]:
        if feature_BND.shape[1] != self.num_clips:
            raise UserError(
                f"DLIAM is built for {self.num_clips} clips and got {feature_BND.shape[1]}: set "
                "model.aggregator.num_clips"
            )
        state_BND, _ = self.recurrent(feature_BND)
        q, k, v = self.qkv(state_BND).chunk(3, dim=-1)
        gate_BND = self.norm(attend(q, k, v, NUM_HEADS)).sigmoid()
        return self.join(state_BND * gate_BND).squeeze(1), None


class DMIN(nn.Module):
    """(B, N, D) -> (B, N, D): dynamic multi-instance normalisation, of each video by itself.

    Mean and variance of each feature over the clips, and of all values of the video, are mixed in learned shares.

    It computes in float32 also under autocast, as other norms do.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(dim)), nn.Parameter(torch.zeros(dim))
        self.mean_mix, self.var_mix = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))

    def forward(self, feature_BND: torch.Tensor) -> torch.Tensor:
        with without_autocast(feature_BND.device):
            feature = feature_BND.to(self.weight.dtype)
            mean_B1D = feature.mean(dim=1, keepdim=True)
            var_B1D = feature.var(dim=1, keepdim=True)
            mean_B11 = mean_B1D.mean(dim=2, keepdim=True)
            # as released: the unbiased variances stand in for biased ones, so this is a little more than the variance
            var_B11 = (var_B1D + mean_B1D**2).mean(dim=2, keepdim=True) - mean_B11**2
            mean = _mixed(self.mean_mix, mean_B1D, mean_B11)
            var = _mixed(self.var_mix, var_B1D, var_B11)
            return (feature - mean) / (var + NORM_EPS).sqrt() * self.weight + self.bias


def _mixed(mix_2: torch.Tensor, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    share = mix_2.softmax(dim=0)
    return share[0] * one + share[1] * other
