"""result.json: what a run leaves, and how it is read."""

from typing import Any, TypedDict

from typing_extensions import NotRequired

SCHEMA_VERSION = 1
"""Version of `Result`. Raised when a field changes its meaning or goes; a new field does not raise it."""


class Result(TypedDict):
    """What a run leaves in `result.json`. Every report reads this and nothing else."""

    schema_version: int
    config_name: str
    config: dict[str, Any]
    """The resolved config: every value, types as dotted names."""
    command: str
    method: str
    title: NotRequired[str]
    """The method's name for people."""
    dataset: str
    """The corpus; `A -> B` for a model that was trained on A and tested on B."""
    trained_on: NotRequired[str]
    """The corpus that was trained on."""
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
    lower_is_better: NotRequired[list[str]]
    """Which of the `extra` metrics in `metrics` are better when low, such as a calibration error."""
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
    """`start`, what they were trained on (scratch, ImageNet, ..), `source`, which weights exactly, and their `sha256`;
    None after a test alone."""
