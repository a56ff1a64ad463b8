"""The dicts that cross a door, and the legend of shape letters.

Legend, used in names and docstrings: B batch, N clips per video, C channels, T frames per clip, H height, W width,
D feature, K classes, F frames of a video file. A tensor's name may carry its shape: `video_BNCTHW`.
"""

from typing import TYPE_CHECKING, Any, Protocol, TypedDict

import numpy as np
from typing_extensions import NotRequired

if TYPE_CHECKING:  # a report reads records, and need not wait for torch
    import torch

SCHEMA_VERSION = 1
"""Version of `Result`. Raised when a field changes its meaning or goes; a new field does not raise it."""


class Entry(TypedDict):
    """One video as a dataset lists it; what goes into the pipeline."""

    name: str
    label: int
    path: str
    num_frames: int
    """Frames in the file, -1 where the lists do not say."""
    images: NotRequired[list[str]]
    """Which images of the folder `path` are the video, in order; all of them, by name, where this is not given."""
    subject: NotRequired[str]
    intensity: NotRequired[np.ndarray]
    """(F,) true emotional intensity 0..1 of every frame, where the corpus knows it."""
    apex: NotRequired[tuple[int, int]]
    """First frame of the apex and the one after its last, where the corpus knows it."""


class Frames(Protocol):
    """The frames of one video, read when they are asked for. Errors are a `UserError` that names the file."""

    def __len__(self) -> int: ...

    def fetch(self, indices: np.ndarray) -> np.ndarray:
        """(n,) frame indices, any order, repeats allowed -> uint8 (n, H, W, C), RGB."""


class Sample(TypedDict):
    """One video as the pipeline gives it; a batch is the same dict with a leading B."""

    video: np.ndarray
    """uint8 (N, T, H, W, C), RGB."""
    label: int
    name: str
    seed: int
    """Seeds this video's augmentation in this epoch."""
    frame_indices: np.ndarray
    """int64 (N, T), which frames of the file these are."""
    frame_intensity: np.ndarray
    """float32 (N, T), true intensity of these frames, NaN where unknown."""
    apex: np.ndarray
    """int64 (2,), [start, end) of the apex in frames of the file, -1 where there is none or it is unknown."""
    subject: str
    """Who is in it; empty where the corpus does not say."""
    unreadable: str
    """Empty, or `name: reason` of the videos that could not be read in this place (`on_error='skip'`)."""
    answers: NotRequired[np.ndarray]
    """bool (K,), the classes that an answer may be, where a model is tested on a corpus that lacks some of its."""


class Prediction(TypedDict):
    """One video as the model answers it; what metrics take. The `Sample` fields but the video come along."""

    name: str
    label: int
    scores: "torch.Tensor"
    """(K,) logits; NaN where the video could not be read, which counts as wrong; -inf where `answers` says no."""
    clip_weights: NotRequired["torch.Tensor"]
    """(N,) how much each clip counts, summing to one, where the aggregator has such weights."""
    frame_indices: np.ndarray
    frame_intensity: np.ndarray
    apex: np.ndarray
    subject: str
    unreadable: str


class Result(TypedDict):
    """What a run leaves in `result.json`. Every report reads this and nothing else."""

    schema_version: int
    config_name: str
    config: dict[str, Any]
    """The resolved config: every value, types as dotted names."""
    command: str
    method: str
    dataset: str
    """The corpus; `A -> B` for a model that was trained on A and tested on B."""
    classes: list[str]
    """The model's, so A's; only those that B has as well can be an answer, and the others have no test clip."""
    track: str
    """`fair` or `paper`: the two never share a table."""
    protocol_id: str
    protocol: dict[str, Any]
    """The fields that `protocol_id` is a hash of."""
    fold: int
    """Of the corpus that was trained on."""
    num_folds: NotRequired[int]
    """Folds of the corpus, so that a report can say how many are missing."""
    seed: int
    metrics: dict[str, Any]
    """After training `last` and `best_test`, after a test `checkpoint`: each with its epoch, all test scores, per-class
    recall and confusion matrix. Before them `selected_by_val` where a part of the training fold was held out: the epoch
    with the best WAR on that part, the earliest of equal ones; its `val` has `uar` and `war` of that part. What stands
    first is what predictions.csv holds."""
    history: list[dict[str, Any]]
    """A row per epoch: losses, learning rate, test metrics (`val_uar`, `val_war` of a held-out part), seconds."""
    clips: dict[str, Any]
    """Test clips: `scored`, `listed`, `official`, and the names that could not be read (train and test)."""
    cost: dict[str, Any]
    """Parameters, MACs and FLOPs of a test video, per part and kind of layer; `macs` None and `uncounted`, the reason,
    where they cannot be counted."""
    time: dict[str, float]
    environment: dict[str, Any]
    data: dict[str, Any]
    """`packed`: whether frames came from the packed-frame store. They are the same; the time they take is not."""
    data_fingerprint: dict[str, str]
    """A hash of the videos of each split that was used."""
    memory: dict[str, int]
    """Peak bytes: of the process, and on the GPU."""
    init: dict[str, Any] | None
    """Where the initial weights came from, and their sha256; None after a test alone."""
