"""The synthetic corpus that this toolkit renders: H.264 videos of faces whose intensity is known in every frame."""

import csv
from pathlib import Path

import numpy as np

from cefl_bench.datasets.base import VideoDataset
from cefl_bench.errors import UserError
from cefl_bench.files import inside
from cefl_bench.records import Entry
from cefl_bench.registry import DATASETS


@DATASETS.register_module()
class SyntheticFaces(VideoDataset):
    """What `tools/prepare/synthetic.py` renders. A corpus for development: a score on it says nothing of real faces."""

    METAINFO = dict(
        key="synthetic",
        name="synthetic faces",
        classes=("happy", "sad", "neutral", "angry", "surprise", "disgust", "fear"),
        num_folds=4,
        num_clips=None,
        access="render it with: python tools/prepare/synthetic.py --preset demo",
        licence="made by this toolkit; anyone may use it",
        url="",
        citation="",
    )

    def required_files(self) -> list[Path]:
        return [Path(self.data_root) / name for name in ("labels.csv", "intensities.csv", "card.json")]

    def load_entries(self) -> list[Entry]:
        labels, intensities, _ = self.required_files()
        intensity = {row["name"]: row["intensities"] for row in _rows(intensities, "name", "intensities")}
        entries = []
        for row in _rows(labels, "name", "path", "label", "subject", "fold", "apex_start", "apex_end", "num_frames"):
            if (int(row["fold"]) == self.fold) != (self.split == "test"):
                continue
            if row["label"] not in self.classes:
                raise UserError(f"{labels}: label is {row['label']!r}: expected one of {', '.join(self.classes)}")
            entry = Entry(
                name=row["name"],
                label=self.classes.index(row["label"]),
                path=str(inside(self.data_root, row["path"])),
                num_frames=int(row["num_frames"]),
                subject=row["subject"],
                intensity=np.array(intensity[row["name"]].split(), dtype=np.float32),
            )
            if row["apex_start"]:
                entry["apex"] = (int(row["apex_start"]), int(row["apex_end"]))
            entries.append(entry)
        return entries


def _rows(path: Path, *columns: str) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows or not set(columns) <= set(rows[0]):
        raise UserError(
            f"{path}: expected the columns {','.join(columns)} and a row per video; render the corpus again"
        )
    return rows
