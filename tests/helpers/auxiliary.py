"""A training with every loss that there is: an aggregator with one of its own, and a leaf that has them all."""

from pathlib import Path

import torch

from cefl_bench.models.aggregators.mean_clips import MeanClips
from helpers.run import ROOT

LOSSES = ("loss_class", "loss_ial", "loss_ec_stfl", "loss_spread")
ADDED = """
from cefl_bench.datasets.balanced_sampler import BalancedSampler
from helpers.auxiliary import SpreadOfClips

model.aggregator = dict(type=SpreadOfClips)
model.head.update(label_smoothing=0.1, class_weights="balanced", ial_weight=0.1, ec_stfl_weight=0.5)
train_dataloader.sampler = dict(type=BalancedSampler)
"""


class SpreadOfClips(MeanClips):
    """The mean of the clips, whose features it draws together."""

    def forward(self, feature_BND: torch.Tensor) -> tuple[torch.Tensor, None]:
        self.spread = feature_BND.var(dim=1, correction=0).mean()
        return super().forward(feature_BND)

    def auxiliary_losses(self, label_B: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss_spread": 0.01 * self.spread}


def leaf_with_losses(folder: Path) -> Path:
    """ceflnet_synthetic with all of `LOSSES` and the balanced sampler."""
    (folder / "_base_").symlink_to(ROOT / "configs" / "_base_")
    text = (ROOT / "configs" / "ceflnet_synthetic.py").read_text(encoding="utf-8")
    (folder / "leaf_synthetic.py").write_text(text + ADDED, encoding="utf-8")
    return folder / "leaf_synthetic.py"
