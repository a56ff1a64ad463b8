"""The dicts that cross a door, and the legend of shape letters.

Legend, used in names and docstrings: B batch, N clips per video, C channels, T frames per clip, H height, W width,
D feature, K classes, F frames of a video file. A tensor's name may carry its shape: `video_BNCTHW`.
"""

from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias, TypedDict, final

import numpy as np
from typing_extensions import NotRequired

if TYPE_CHECKING:  # a report reads records, and need not wait for torch
    import torch


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
    group: NotRequired[str]
    """What people are compared by, such as an age; of nobody where the lists do not say."""
    source: NotRequired[str]
    """Which film or recording it is from, where that is known."""
    intensity: NotRequired[np.ndarray]
    """(F,) true emotional intensity 0..1 of every frame, where the corpus knows it."""
    apex: NotRequired[tuple[int, int]]
    """First frame of the apex and the one after its last, where the corpus knows it."""


class Draw(NamedTuple):
    """A video that a sampler draws more than once in an epoch: what it asks a dataset for."""

    video: int
    """Its index."""
    times_before: int
    """How often it was drawn before in this epoch; each time it is cut and augmented in another way."""


class SyntheticCard(TypedDict):
    """card.json of a rendered synthetic corpus: where it came from, and what proves it."""

    about: str
    generator: int
    """Version of the code that draws; another one draws other videos."""
    preset: str
    seed: int
    rendering: str
    """`standard`: the frames are those that everybody has; `deviating`: they should be and are not; `unlisted`: nobody
    has said what they should be, as for another seed."""
    frames_sha256: str
    frames_checked: int
    """Of how many videos the decoded frames are hashed: all, or an even share of a large corpus."""
    python: str
    packages: dict[str, str]
    classes: list[str]
    counts: dict[str, int]
    sha256: dict[str, str]
    """File -> hash of its bytes."""


class Frames(Protocol):
    """The frames of one video, read when they are asked for. Errors are a `UserError` that names the file."""

    def __len__(self) -> int: ...

    def fetch(self, indices: np.ndarray) -> np.ndarray:
        """(n,) frame indices, any order, repeats allowed -> uint8 (n, H, W, C), RGB."""


class Place(NamedTuple):
    """Where a batch wants the frames of one of its videos."""

    video: "np.ndarray | None" = None
    """uint8 (N, T, H, W, C), a part of the batch's memory, to which packed frames are written."""
    rows: bool = False
    """Nowhere: the batch takes them itself, and wants to know which they are."""


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
    group: str
    """Which group of people that is; empty where the corpus does not say."""
    unreadable: str
    """Empty, or `name: reason` of the videos that could not be read in this place (`on_error='skip'`)."""
    allowed_classes: NotRequired[np.ndarray]
    """bool (K,), the classes that may be predicted, where a model is tested on a corpus that lacks some of its."""


class Prediction(TypedDict):
    """What a model predicts of one video; what metrics take. All fields of its `Sample` but the video come along."""

    name: str
    label: int
    scores: "torch.Tensor"
    """(K,) logits. NaN where the video could not be read, which counts as wrong; -inf for a class not allowed."""
    clip_weights: NotRequired["torch.Tensor"]
    """(N,) how much each clip counts, summing to one, where the aggregator has such weights."""
    view_scores: NotRequired["torch.Tensor"]
    """(N, K) logits of each view alone, where the clips of a video are views."""
    frame_indices: np.ndarray
    frame_intensity: np.ndarray
    apex: np.ndarray
    subject: str
    group: NotRequired[str]
    unreadable: str


class PartCost(TypedDict):
    """What one part of a model costs, of all views of a test video."""

    params: int
    trainable_params: int
    macs: int
    by_kind: dict[str, int]
    """MACs per kind of layer: convolution, linear, attention, recurrent."""


class CrossCheck(TypedDict):
    """A second count of the same MACs."""

    counter: str
    macs: int
    """Of one view."""
    relative_difference: float
    """To the canonical count, signed: 0.01 is 1 % more."""


@final
class CountedCost(TypedDict):
    """What a test video costs a model, as result.json holds it."""

    params: int
    trainable_params: int
    macs: int
    """Multiply-accumulates of all views of a video."""
    flops: int
    """Twice the MACs."""
    macs_per_view: int
    views: int
    """How many sets of frames of a video a test averages."""
    input_shape: list[int]
    """(N, C, T, H, W) of one view."""
    num_frames: int
    """Of all views."""
    by_kind: dict[str, int]
    """MACs per kind of layer, of all views."""
    by_part: dict[str, PartCost]
    """`backbone`, `aggregator`, `head`."""
    counter: str
    cross_check: CrossCheck


@final
class UncountedCost(TypedDict):
    """The same where the MACs are not known."""

    params: int | None
    """None, like `trainable_params`, where the model cannot be built without values."""
    trainable_params: int | None
    macs: None
    flops: None
    uncounted: str
    """Why there is no count."""
    views: int
    input_shape: list[int]
    num_frames: int


Cost: TypeAlias = CountedCost | UncountedCost
