"""How training videos are varied: one draw per video, for all of its frames. `pixels` does what is drawn."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch

from cefl_bench.errors import UserError
from cefl_bench.functional.colour_ops import ColourOps
from cefl_bench.functional.counter_random import uniform

MAX_CROP_DRAWS = MAX_BOX_DRAWS = 10
ERASED_AREA, ERASED_RATIO = (0.02, 0.33), (0.3, 3.3)
"""Of the box that is erased: its share of the frame, and its height to its width. Zhong et al., Random erasing data
augmentation, AAAI 2020, as torchvision has it."""

CROPS = range(0, 2 * MAX_CROP_DRAWS)
PLACE, COLOUR, FLIP, ANGLE, ERASE = range(20, 22), range(22, 25), range(25, 26), range(26, 27), range(27, 28)
BOXES, BOX_PLACE = range(28, 28 + 2 * MAX_BOX_DRAWS), range(48, 50)
"""Which of the random numbers of a video's seed decides what. Another order would give another draw to every seed."""


class Draws(NamedTuple):
    """How each video of a batch is varied: (B,) each. A frame reaches from -1 to 1 in both directions."""

    width: torch.Tensor
    """Of the crop, as a share of the frame's."""
    height: torch.Tensor
    x: torch.Tensor
    """The crop's centre."""
    y: torch.Tensor
    flip: torch.Tensor
    """-1 mirrors left and right, 1 does not."""
    brightness: torch.Tensor
    """Factors; 1 changes nothing."""
    contrast: torch.Tensor
    saturation: torch.Tensor
    angle: torch.Tensor
    """In radians, by which the frame is turned about its centre, against the clock."""
    box: torch.Tensor
    """(B, 4), what is erased of the finished frame, in shares of it: top, left, bottom, right; all 0 for nothing."""
    colour_op: torch.Tensor
    """(B, n) places in `colour_ops.OPS`, done one after the other."""
    colour_strength: torch.Tensor
    """(B, n), in -1..1."""


@dataclass(frozen=True)
class Augmentation:
    """How far training videos are varied.

    Args:
        crop_scale: share of the frame's area that a random crop keeps, (low, high).
        crop_ratio: width to height of the crop, (low, high), drawn evenly in its logarithm.
        crop_fit: what to do with a drawn crop that is wider or higher than the frame: `clamp` cuts it to the frame,
            `redraw` draws area and ratio again, and takes the whole frame after ten draws that do not fit.
        flip: probability of mirroring left and right.
        brightness, contrast, saturation: factors are drawn from 1 - value .. 1 + value.
        rotation: degrees; frames are turned by an angle from -value .. value, with black corners.
        erasing: probability that a box of the frames is erased (to the mean colour, 0 after normalisation).
        colour_ops: further changes of colour, after brightness, contrast and saturation; None for none.

    Raises:
        UserError: when a value is out of its range.
    """

    crop_scale: tuple[float, float] = (0.7, 1.0)
    crop_ratio: tuple[float, float] = (0.85, 1.18)
    crop_fit: str = "clamp"
    flip: float = 0.5
    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    rotation: float = 0.0
    erasing: float = 0.0
    colour_ops: ColourOps | None = None

    def __post_init__(self) -> None:
        if self.crop_fit not in ("clamp", "redraw"):
            raise UserError(f"augment.crop_fit is {self.crop_fit!r}: expected 'clamp' or 'redraw'")
        ranges = (
            ("crop_scale", self.crop_scale, 1.0, "shares of a frame's area, (low, high), above 0 and up to 1"),
            ("crop_ratio", self.crop_ratio, math.inf, "ratios of width to height, (low, high), above 0"),
        )
        for name, (low, high), limit, expected in ranges:
            if not 0 < low <= high <= limit:
                raise UserError(f"augment.{name} is {(low, high)}: expected {expected}")
        for name in ("flip", "brightness", "contrast", "saturation", "erasing"):
            if not 0 <= getattr(self, name) <= 1:
                raise UserError(f"augment.{name} is {getattr(self, name)!r}: expected a number from 0 to 1")
        if not 0 <= self.rotation <= 180:
            raise UserError(f"augment.rotation is {self.rotation!r}: expected degrees from 0 to 180")

    def draw(self, seed_B: torch.Tensor, size: int) -> Draws:
        """The draws of a batch, where its int64 seeds (B,) are; the same seed gives the same, in any batch.

        Args:
            size: height and width in pixels of the finished frames; a box that is erased is of whole pixels.
        """
        width, height = self._crop_size(seed_B)
        # away from the centre only as far as the crop stays in the frame
        place = 2 * uniform(seed_B, PLACE) - 1
        colour = 2 * uniform(seed_B, COLOUR) - 1
        turn = 2 * uniform(seed_B, ANGLE)[:, 0] - 1
        mirrored = uniform(seed_B, FLIP)[:, 0] < self.flip
        nothing = seed_B.new_zeros(len(seed_B), 0)
        colour_op, colour_strength = self.colour_ops.draw(seed_B) if self.colour_ops else (nothing, nothing)
        draws = Draws(
            width=width,
            height=height,
            x=place[:, 0] * (1 - width),
            y=place[:, 1] * (1 - height),
            flip=1 - 2 * mirrored.double(),
            brightness=1 + colour[:, 0] * self.brightness,
            contrast=1 + colour[:, 1] * self.contrast,
            saturation=1 + colour[:, 2] * self.saturation,
            angle=turn * math.radians(self.rotation),
            box=self._box(seed_B, size),
            colour_op=colour_op,
            colour_strength=colour_strength,
        )
        return Draws(*(values.float() for values in draws))

    def _crop_size(self, seed_B: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B,) width and height."""
        candidates = CROPS if self.crop_fit == "redraw" else CROPS[:2]
        width, height = _sides(uniform(seed_B, candidates), self.crop_scale, self.crop_ratio)  # (B, candidates)
        if self.crop_fit == "clamp":
            return width[:, 0].clamp(max=1), height[:, 0].clamp(max=1)
        whole = torch.ones_like(width[:, :1])
        fits = torch.maximum(width, height) <= 1
        return _first_that(fits, width, whole), _first_that(fits, height, whole)

    def _box(self, seed_B: torch.Tensor, size: int) -> torch.Tensor:
        """(B, 4)."""
        if not self.erasing:
            return seed_B.new_zeros(len(seed_B), 4, dtype=torch.float64)
        height, width = _sides(uniform(seed_B, BOXES), ERASED_AREA, ERASED_RATIO)
        height, width = (height * size).round(), (width * size).round()
        nothing = torch.zeros_like(width[:, :1])
        fits = torch.maximum(width, height) < size
        height, width = (_first_that(fits, side, nothing) for side in (height, width))
        wanted = uniform(seed_B, ERASE)[:, 0] < self.erasing
        place = uniform(seed_B, BOX_PLACE)
        top, left = (place[:, 0] * (size - height + 1)).floor(), (place[:, 1] * (size - width + 1)).floor()
        box_B4 = torch.stack([top, left, top + height, left + width], dim=1) / size
        return box_B4 * wanted[:, None]


def _sides(
    share_BN: torch.Tensor, area: tuple[float, float], ratio: tuple[float, float]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Pairs of random numbers (B, 2 n) -> both sides of n rectangles, (B, n) each.

    Args:
        area: range of the product of the sides.
        ratio: range of the first to the second, evenly in its logarithm.
    """
    area_BN = area[0] + (area[1] - area[0]) * share_BN[:, 0::2]
    low, high = math.log(ratio[0]), math.log(ratio[1])
    ratio_BN = torch.exp(low + (high - low) * share_BN[:, 1::2])
    return (area_BN * ratio_BN).sqrt(), (area_BN / ratio_BN).sqrt()


def _first_that(fits_BN: torch.Tensor, value_BN: torch.Tensor, otherwise_B1: torch.Tensor) -> torch.Tensor:
    """(B,): of each row the first value that fits; `otherwise` where none does."""
    always = torch.ones_like(fits_BN[:, :1])
    place = torch.cat([fits_BN, always], dim=1).to(torch.uint8).argmax(dim=1, keepdim=True)
    return torch.cat([value_BN, otherwise_B1], dim=1).gather(1, place)[:, 0]
