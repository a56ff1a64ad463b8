"""Mixup and cutmix: a training video and another of its batch become one video, with the labels of both.

Zhang et al., mixup, ICLR 2018; Yun et al., CutMix, ICCV 2019; both in turn, as VideoMAE and its successors are
fine-tuned.

Every video draws for itself, from its own seed, and its partner lies half a batch away. So neither a resumed run nor
the number of processes changes what is mixed, where every process has an even number of the videos of a batch.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from cefl_bench.errors import UserError
from cefl_bench.functional.counter_random import uniform

MIXED, KIND, SHARE, CENTRE = range(50, 51), range(51, 52), range(52, 53), range(53, 55)
"""Which of the random numbers of a video's seed decides what; those before them are the augmentation's."""
QUANTILES = 4096
"""Steps of the table that turns even random numbers into those of a beta distribution."""


class Blend(NamedTuple):
    """How much of its partner each video of a batch shows."""

    weight: torch.Tensor
    """(B, H, W) of every pixel, in all frames, 0 to 1."""
    share: torch.Tensor
    """(B,) of the whole, and of the label."""


@dataclass(frozen=True)
class Mixing:
    """How training videos are mixed.

    Args:
        mixup: alpha of the beta distribution that both videos' shares are drawn from; 0 for no mixup.
        cutmix: the same for the share of the frame that a box of the partner covers; 0 for no cutmix.
        chance: probability that a video is mixed at all.
        cutmix_chance: where there are both, how often it is cutmix.

    Raises:
        UserError: when a value is out of its range, or there is neither.
    """

    mixup: float = 0.8
    cutmix: float = 1.0
    chance: float = 1.0
    cutmix_chance: float = 0.5

    def __post_init__(self) -> None:
        for name in ("mixup", "cutmix"):
            if not 0 <= getattr(self, name) < np.inf:
                raise UserError(f"mix.{name} is {getattr(self, name)!r}: expected a number from 0")
        for name in ("chance", "cutmix_chance"):
            if not 0 <= getattr(self, name) <= 1:
                raise UserError(f"mix.{name} is {getattr(self, name)!r}: expected a number from 0 to 1")
        if not self.mixup and not self.cutmix:
            raise UserError("mix has neither mixup nor cutmix: expected one above 0, or no mix at all")

    def tables(self) -> torch.Tensor:
        """(2, QUANTILES + 1) float64: quantiles of mixup's and of cutmix's distribution, which `draw` takes."""
        from scipy.special import betaincinv  # as in `outcomes.py`

        even = np.linspace(0, 1, QUANTILES + 1)
        alphas = [alpha or 1.0 for alpha in (self.mixup, self.cutmix)]
        return torch.from_numpy(np.stack([betaincinv(alpha, alpha, even) for alpha in alphas]))

    def draw(self, seed_B: torch.Tensor, tables: torch.Tensor, size: int) -> Blend:
        """The draws of a batch, on the device of its int64 seeds (B,).

        Args:
            tables: from `tables`, on the same device.
            size: height and width of the frames, in pixels.
        """
        often = self.cutmix_chance if self.mixup and self.cutmix else float(self.cutmix > 0)
        is_cut_B = uniform(seed_B, KIND)[:, 0] < often
        is_mixed_B = uniform(seed_B, MIXED)[:, 0] < self.chance
        number_B = uniform(seed_B, SHARE)[:, 0]
        mixed_B = _looked_up(tables[0], number_B) * is_mixed_B
        inside_BHW = _box(_looked_up(tables[1], number_B) * is_mixed_B, uniform(seed_B, CENTRE), size)
        weight_BHW = torch.where(is_cut_B[:, None, None], inside_BHW, mixed_B[:, None, None])
        share_B = torch.where(is_cut_B, inside_BHW.mean(dim=(1, 2)), mixed_B)
        return Blend(weight_BHW.float(), share_B.float())


def with_partner(values_B: torch.Tensor) -> torch.Tensor:
    """(B, ..) -> (B, ..): in each place what belongs to the partner, the video half a batch further on."""
    return values_B.roll(-(len(values_B) // 2), dims=0)


def soft_labels(
    label_B: torch.Tensor, partner_label_B: torch.Tensor, share_B: torch.Tensor, num_classes: int
) -> torch.Tensor:
    """(B, K) how much a mixed video is of each class; rows sum to 1."""
    classes = torch.arange(num_classes, device=label_B.device)
    own, partner = (label[:, None] == classes for label in (label_B, partner_label_B))
    return own * (1 - share_B[:, None]) + partner * share_B[:, None]


def _looked_up(table: torch.Tensor, number_B: torch.Tensor) -> torch.Tensor:
    """Numbers from 0 to below 1 -> the quantiles at them, straight lines between those of the table."""
    place_B = number_B * QUANTILES
    below_B = place_B.floor().long()
    return torch.lerp(table[below_B], table[below_B + 1], place_B - below_B)


def _box(area_B: torch.Tensor, centre_B2: torch.Tensor, size: int) -> torch.Tensor:
    """(B, H, W) float64, 1 inside a box of that share of a frame, of which what lies outside of the frame is lost."""
    half_B1 = (area_B.sqrt() * size).floor().div(2, rounding_mode="floor")[:, None]
    middle_B2 = (centre_B2 * size).floor()
    pixel = torch.arange(size, device=area_B.device)
    low_B21, high_B21 = (middle_B2 - half_B1)[:, :, None], (middle_B2 + half_B1)[:, :, None]
    inside_B2S = (pixel >= low_B21) & (pixel < high_B21)
    return (inside_B2S[:, 0, :, None] & inside_B2S[:, 1, None, :]).double()
