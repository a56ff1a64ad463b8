"""What the rest of prediction knows of a model, in whatever form it comes; nothing here needs torch."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from cefl_bench.faces.crop import CropRule
from cefl_bench.records import Frames


@dataclass(frozen=True)
class About:
    """What a model is, for people and for files: all that needs no network."""

    method: str
    trained_on: str
    classes: tuple[str, ...]
    rendered: bool
    """Whether it was trained on faces that do not exist."""
    seconds: float
    """How long its training videos are, about."""
    frame_size: int
    """Height and width in pixels at which it is given frames."""
    crop: CropRule
    """How its training faces were cut out."""
    temperature: float | None
    """What scores are divided by so that they become probabilities; None where nobody calibrated it."""

    @property
    def values(self) -> str:
        """What the numbers of a class are called."""
        return "score" if self.temperature is None else "probability"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What everybody who sees a result should know."""
        notes = []
        if self.rendered:
            notes.append("trained on synthetic faces: do not rely on it for real people")
        if self.temperature is None:
            notes.append("scores are not probabilities: nobody calibrated this model")
        return tuple(notes)


class Chosen(NamedTuple):
    """The frames of a video that a network looks at."""

    video: np.ndarray
    """uint8 (N, T, H, W, 3), RGB."""
    frame_indices: np.ndarray
    """(N, T) which frames of the video these are."""


class Answers(NamedTuple):
    """What a network says of B windows."""

    logits: np.ndarray
    """(B, K)"""
    clip_weights: np.ndarray | None
    """(B, N) how much each clip counts, summing to one; None where the model does not weigh clips."""


class Model(Protocol):
    """What `Predictor` needs of a model, in whatever form it comes."""

    about: About

    def sample(self, frames: Frames) -> Chosen:
        """Choose the frames of a video that the network looks at."""

    def classify(self, video: np.ndarray) -> Answers:
        """uint8 (B, N, T, H, W, 3), RGB."""
