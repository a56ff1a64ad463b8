"""EIAN, the emotional intensity activation network of CEFLNet.

Liu et al., Clip-aware expressive feature learning for video-based facial expression recognition, Information Sciences
598 (2022) 182-195, https://doi.org/10.1016/j.ins.2022.03.062

Where we depart from the paper: the default follows the network that its authors released, which scores the clips
without the fully connected layer that the paper's figure draws before the softmax; `variant='figure'` has it. The
figure does not give its width; we read it as one score per clip, N -> N, which ties that variant to a fixed N.
"""

import torch
from torch import nn

from cefl_bench.errors import UserError
from cefl_bench.models.aggregators.base import Aggregator
from cefl_bench.models.layers.precision import without_autocast
from cefl_bench.registry import MODELS


@MODELS.register_module()
class EIAN(Aggregator):
    """(B, N, D) -> (B, D), weights (B, N): finds the emotional clips; fits behind any backbone.

    A clip's score is a learned projection, its weight the softmax over the clips of the video. The weighted clip
    features are the emotional activation map (D, N), its maximum over the clips the clip-aware representation.

    It computes in float32 also under autocast: half precision moves a clip's weight by up to 0.03.

    Args:
        variant: `released` or `figure`.
        num_clips: N, needed by `figure` alone.
        init_std: spread of the initial projection; None is the released one, Kaiming over the fan-out. That one is so
            wide (1.4 per weight) that the softmax starts by picking one clip, which behind an untrained trunk is a
            random one; a small spread starts with all clips equal.
    """

    def __init__(
        self, in_dim: int, variant: str = "released", num_clips: int | None = None, init_std: float | None = None
    ) -> None:
        super().__init__(in_dim)
        if variant not in ("released", "figure"):
            raise UserError(f"EIAN: variant is {variant!r}: expected 'released' or 'figure'")
        self.score = nn.Conv1d(in_dim, 1, kernel_size=1, bias=False)
        self.init_std = init_std
        self.mix: nn.Module = nn.Identity()
        if variant == "figure":
            if num_clips is None:
                raise UserError("EIAN: num_clips is missing: expected a number of clips, which variant='figure' needs")
            self.mix = nn.Linear(num_clips, num_clips)

    def init_weights(self) -> None:
        if self.init_std is None:
            nn.init.kaiming_normal_(self.score.weight, mode="fan_out")
        else:
            nn.init.normal_(self.score.weight, std=self.init_std)

    def forward(self, feature_BND: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with without_autocast(feature_BND.device):
            # of the weights' type: float32, but for a network that is half precision as a whole
            feature = feature_BND.to(self.score.weight.dtype)
            intensity_BN = self.score(feature.transpose(1, 2)).squeeze(1)
            weight_BN = self.mix(intensity_BN).softmax(dim=1)
            activation_map_BND = feature * weight_BN.unsqueeze(-1)
            return activation_map_BND.amax(dim=1), weight_BN
