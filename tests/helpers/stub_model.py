"""A model without a network: its answers are plain to see, and cost nothing."""

import threading

import numpy as np

from cefl_bench.faces.crop import CropRule
from cefl_bench.predict.about import About, Answers, Chosen

CLASSES = ("dark", "bright", "red")


class StubModel:
    """Looks at four evenly spaced frames as four clips; says how dark, bright and red they are.

    The brightest clip has the largest weight.
    """

    def __init__(self, weighs: bool = True, **about) -> None:
        known = dict(method="Stub", trained_on="stubs", classes=CLASSES, rendered=False, seconds=1.0, frame_size=48)
        known |= dict(crop=CropRule(size=96, detect_size=192), temperature=None)
        self.about, self.weighs = About(**(known | about)), weighs
        self.batches: list[int] = []

    def sample(self, frames) -> Chosen:
        indices = np.linspace(0, len(frames) - 1, 4).round().astype(int)[:, None]
        return Chosen(frames.fetch(indices.reshape(-1))[:, None], indices)

    def classify(self, video: np.ndarray) -> Answers:
        self.batches.append(len(video))
        bright_BN = video.mean(axis=(2, 3, 4, 5)) / 255
        red_B = (video[..., 0].astype(float) - video[..., 2]).mean(axis=(1, 2, 3, 4)) / 255
        bright_B = bright_BN.mean(axis=1)
        weights = np.exp(8 * bright_BN)
        logits = np.stack([4 * (0.5 - bright_B), 4 * (bright_B - 0.5), 4 * red_B], axis=1)
        return Answers(logits, weights / weights.sum(axis=1, keepdims=True) if self.weighs else None)


class Slow(StubModel):
    """Waits before its first answer until it is told to go on."""

    def __init__(self):
        super().__init__(rendered=True)
        self.begun, self.go = threading.Event(), threading.Event()

    def classify(self, video):
        self.begun.set()
        assert self.go.wait(20)
        return super().classify(video)
