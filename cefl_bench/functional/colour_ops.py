"""Changes of colour drawn at random for a training video, a few out of many. `colour_pixels` does what is drawn.

Cubuk et al., RandAugment, NeurIPS 2020, https://arxiv.org/abs/1909.13719, with the strengths and the chance of timm's
`rand-m9-mstd0.5-inc1`.
"""

from dataclasses import dataclass

import torch

from cefl_bench.errors import UserError
from cefl_bench.functional.counter_random import uniform

OPS = (
    "nothing",
    "autocontrast",
    "equalize",
    "invert",
    "posterize",
    "solarize",
    "brightness",
    "contrast",
    "saturation",
    "sharpness",
)
"""In the order of their numbers."""
MAX_NUMBER, MAX_MAGNITUDE = 20, 10
FIRST_WORD, WORDS_PER_OP = 64, 4
"""Which of the random numbers of a video's seed decide: those from here on, of which others may take none."""


@dataclass(frozen=True)
class ColourOps:
    """How many operations of `OPS` a training video goes through, and how strong they are.

    Args:
        number: operations of a video, one after the other; each is drawn from all of them.
        magnitude: of their strength, 0..10.
        spread: standard deviation of the magnitude, which is drawn anew for each operation.
        chance: probability that an operation which was drawn is done.

    Raises:
        UserError: when a value is out of its range.
    """

    number: int = 2
    magnitude: float = 9.0
    spread: float = 0.5
    chance: float = 0.5

    def __post_init__(self) -> None:
        ranges = (
            ("number", 1, MAX_NUMBER),
            ("magnitude", 0, MAX_MAGNITUDE),
            ("spread", 0, MAX_MAGNITUDE),
            ("chance", 0, 1),
        )
        for name, low, high in ranges:
            if not low <= getattr(self, name) <= high:
                raise UserError(f"colour_ops.{name} is {getattr(self, name)!r}: expected a number from {low} to {high}")

    def draw(self, seed_B: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Of each video the operations, (B, number), by their place in `OPS`, and their strengths, (B, number).

        A strength is in -1..1; its sign says whether a factor is below or above 1, and else nothing.
        """
        words = uniform(seed_B, range(FIRST_WORD, FIRST_WORD + WORDS_PER_OP * self.number))
        which, done, sign, normal = words.unflatten(1, (self.number, WORDS_PER_OP)).unbind(dim=2)
        op = 1 + (which * (len(OPS) - 1)).floor()
        magnitude = torch.full_like(normal, self.magnitude)
        if self.spread:
            magnitude += self.spread * torch.special.ndtri(normal)
        strength = magnitude.clamp(0, MAX_MAGNITUDE) / MAX_MAGNITUDE
        return op * (done < self.chance), torch.where(sign < 0.5, -strength, strength)
