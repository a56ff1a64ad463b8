"""The synthetic corpus that this toolkit renders: H.264 videos of faces whose intensity is known in every frame."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from cefl_bench.datasets.base import VideoDataset
from cefl_bench.errors import UserError
from cefl_bench.files import inside
from cefl_bench.records import Entry, SyntheticCard
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

    def protocol_facts(self) -> dict[str, Any]:
        """Which corpus was rendered here: `rendering` is `standard` where its frames are those that everybody has.

        Otherwise it is the start of their hash, and `unknown` for a corpus that does not say it.
        """
        card = self._card()
        if "frames_sha256" not in card:
            return {"rendering": "unknown"}
        rendering = card["rendering"] if card["rendering"] == "standard" else card["frames_sha256"][:12]
        return {
            "rendering": rendering,
            "generator": card["generator"],
            "preset": card["preset"],
            "seed": card["seed"],
        }

    def load_entries(self) -> list[Entry]:
        labels, intensities, _ = self.required_files()
        self._note_deviation()
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

    def _note_deviation(self) -> None:
        card = self._card()
        if card.get("rendering") == "deviating":
            where = f"preset {card['preset']}, seed {card['seed']}"
            note = f"{self.METAINFO['name']}: not the standard frames of {where}: scores on them compare with no others"
            if note not in self.notes:  # both sides of a fold come here
                self.notes.append(note)

    def _card(self) -> SyntheticCard:
        path = Path(self.data_root) / "card.json"
        try:
            card: SyntheticCard = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            raise UserError(f"{path} is damaged: delete that folder, and render the corpus again") from None
        return card


def _rows(path: Path, *columns: str) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows or not set(columns) <= set(rows[0]):
        raise UserError(
            f"{path}: expected the columns {','.join(columns)} and a row per video; render the corpus again"
        )
    return rows
