"""What one video will show, before any pixel of it: the label, the person, the length, the intensity."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from cefl_bench.synthesis.draws import Draws
from cefl_bench.synthesis.expression import draw_expression
from cefl_bench.synthesis.intensity import draw_curve

SIZE = 112  # of a frame, in pixels


@dataclass(frozen=True)
class VideoPlan:
    """Everything random about a video follows from `seed`, its subject and its own `number`."""

    name: str
    label: str
    seed: int
    subject: int
    fold: int
    number: int
    num_frames: int

    def stream(self, purpose: Literal["expression", "curve", "distractors", "camera"]) -> Draws:
        """A random stream for one purpose, independent of the others: nothing but the expression knows the label."""
        return Draws(self.seed, 1, self.number, *purpose.encode())

    def expression(self) -> tuple[np.ndarray, np.ndarray]:
        """Action weights (52,) at intensity 1, and the intensity of every frame (F,)."""
        weights, peak = draw_expression(self.label, self.stream("expression"))
        return weights, draw_curve(self.num_frames, peak, self.stream("curve"))
