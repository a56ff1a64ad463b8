"""What one video will show, before any pixel of it: the label, the person, the length, the intensity."""

from dataclasses import dataclass

import numpy as np

from cefl_bench.synthesis.expression import draw_expression
from cefl_bench.synthesis.intensity import draw_curve


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

    def streams(self) -> list[np.random.Generator]:
        """Independent random streams for expression, distractors and camera, so that none can leak into another."""
        root = np.random.SeedSequence([self.seed, 1, self.number])
        return [np.random.default_rng(child) for child in root.spawn(3)]

    def expression(self) -> tuple[np.ndarray, np.ndarray]:
        """Action weights (52,) at intensity 1, and the intensity of every frame (F,)."""
        rng = self.streams()[0]
        weights, peak = draw_expression(self.label, rng)
        return weights, draw_curve(self.num_frames, peak, rng)
