"""The synthetic corpus that this toolkit renders: H.264 videos of faces whose intensity is known in every frame."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from cefl_bench.datasets.base import VideoDataset
from cefl_bench.errors import UserError
from cefl_bench.files import inside
from cefl_bench.records import Entry, SyntheticCard
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
        rendered=True,
        seconds=1.2,  # as long as most of its videos
        face_margin=0.07,  # as its faces are framed: a crop rule's share of the face's box
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
