"""What every dataset takes, beside what its own adapter does."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict


class DatasetOptions(TypedDict, total=False):
    """The arguments of `VideoDataset` that an adapter hands on, so that a misspelt one is told before a run."""

    fold: int
    pipeline: Sequence
    on_error: str
    shuffle_labels: bool
    holdout: float
    classes_as: type[Any] | Sequence[str] | None
    label_map: Mapping[str, str] | None
    folds: str
    sources: str | None
