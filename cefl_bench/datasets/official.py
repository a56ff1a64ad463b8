"""Compares the files of a corpus with the numbers that were published of it."""

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cefl_bench.datasets.base import VideoDataset


def counts_off(dataset: "VideoDataset") -> list[str]:
    """A line for every official number of a dataset's side of the fold that its files do not have."""
    whole = dataset.split in ("train", "test") and not (dataset.split == "train" and dataset.holdout)
    if not whole:
        return []
    meta, listed = dataset.METAINFO, len(dataset)
    where = f"{meta['name']}, fold {dataset.fold}, {dataset.split}"
    tests, total = meta.get("num_test_clips"), meta["num_clips"]
    if tests and total:
        official = tests[dataset.fold - 1] if dataset.split == "test" else total - tests[dataset.fold - 1]
        if listed != official:
            return [f"{where}: {listed:,} videos, officially {official:,}"]
    lines = []
    found = Counter(dataset.get_data_info(index)["label"] for index in range(listed))
    for label, official in enumerate(meta.get("class_counts", {}).get(dataset.split, ())):
        if found[label] != official:
            lines.append(f"{where}: {found[label]:,} videos of {dataset.classes[label]}, officially {official:,}")
    return lines
