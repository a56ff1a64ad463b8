"""An aggregator with a loss of its own."""

import torch

from cefl_bench.models.aggregators.mean_clips import MeanClips


class SpreadOfClips(MeanClips):
    """The mean of the clips, whose features it draws together."""

    def forward(self, feature_BND: torch.Tensor) -> tuple[torch.Tensor, None]:
        self.spread = feature_BND.var(dim=1, correction=0).mean()
        return super().forward(feature_BND)

    def auxiliary_losses(self, label_B: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss_spread": 0.01 * self.spread}
