"""The synthetic corpus that this toolkit renders: H.264 videos of faces whose intensity is known in every frame."""

from pathlib import Path

import numpy as np

from cefl_bench.datasets.base import VideoDataset
from cefl_bench.errors import UserError
from cefl_bench.files import inside
from cefl_bench.records import Entry
from cefl_bench.registry import DATASETS
from cefl_bench.tables import read_table

COLUMNS = ("name", "path", "label", "subject", "fold", "apex_start", "apex_end", "num_frames")
RENDER_AGAIN = "render the corpus again"


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
        intensity_of = {row["name"]: (where, row) for where, row in read_table(intensities, "name", "intensities")}
        entries = []
        for where, row in read_table(labels, *COLUMNS):
            if not self.in_split(_number(where, row, "fold")):
                continue
            name, label = row["name"], row["label"]
            if label not in self.classes:
                raise UserError(f"{where}: label is {label!r}: expected one of {', '.join(self.classes)}")
            if name not in intensity_of:
                raise UserError(f"{intensities}: no intensities of {name!r}: expected a row per video; {RENDER_AGAIN}")
            entry = Entry(
                name=name,
                label=self.classes.index(label),
                path=str(inside(self.data_root, row["path"])),
                num_frames=_number(where, row, "num_frames"),
                subject=row["subject"],
                intensity=_intensity(*intensity_of[name]),
            )
            if row["apex_start"]:
                entry["apex"] = (_number(where, row, "apex_start"), _number(where, row, "apex_end"))
            entries.append(entry)
        return entries


def _number(where: str, row: dict[str, str], column: str) -> int:
    try:
        return int(row[column])
    except ValueError:
        raise UserError(f"{where}: {column} is {row[column]!r}: expected a whole number; {RENDER_AGAIN}") from None


def _intensity(where: str, row: dict[str, str]) -> np.ndarray:
    """(F,) true intensity of every frame."""
    try:
        return np.array(row["intensities"].split(), dtype=np.float32)
    except ValueError as error:
        raise UserError(f"{where}: intensities are not numbers ({error}); {RENDER_AGAIN}") from None
