"""DFEW: Dynamic Facial Expression in the Wild. Jiang et al., ACM MM 2020, https://dfew-dataset.github.io/"""

import csv
from pathlib import Path

from cefl_bench.datasets.base import VideoDataset
from cefl_bench.errors import UserError
from cefl_bench.records import Entry
from cefl_bench.registry import DATASETS


@DATASETS.register_module()
class DFEW(VideoDataset):
    """The single-labelled clips of DFEW: 11,697 in five official folds, frames cropped and aligned by its authors.

    Args:
        frames: which official variant of the clips to read, a folder below `Clip/`. The variant moves WAR by several
            points, so it belongs to the protocol.
    """

    METAINFO = dict(
        key="dfew",
        name="DFEW",
        classes=("happy", "sad", "neutral", "angry", "surprise", "disgust", "fear"),
        num_folds=5,
        num_clips=11_697,
        num_test_clips=(2341, 2341, 2340, 2339, 2336),
        access=(
            "it is given on application: print, sign and send the agreement form of its web page from "
            "an institutional address, then unpack it so that it holds Clip/clip_224x224/00001/*.jpg and "
            "EmoLabel_DataSplit/train(single-labeled)/set_1.csv"
        ),
        licence="research only, by agreement",
        url="https://dfew-dataset.github.io/",
        citation="Jiang et al., DFEW: A Large-Scale Database for Recognizing Dynamic Facial Expressions in the Wild",
    )

    def __init__(self, data_root: str, split: str, frames: str = "clip_224x224", **kwargs) -> None:
        self.frames = frames
        super().__init__(data_root, split, **kwargs)

    def required_files(self) -> list[Path]:
        root = Path(self.data_root)
        lists = root / "EmoLabel_DataSplit" / f"{self.split}(single-labeled)" / f"set_{self.fold}.csv"
        return [root / "Clip" / self.frames, lists]

    def load_entries(self) -> list[Entry]:
        folder, lists = self.required_files()
        with open(lists, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        if not rows or not {"video_name", "label"} <= set(rows[0]):
            raise UserError(f"{lists}: expected the header video_name,label and a row per clip")
        entries = []
        for line, row in enumerate(rows, start=2):
            # Official lists count the classes from 1.
            if row["label"] not in ("1", "2", "3", "4", "5", "6", "7"):
                raise UserError(
                    f"{lists}, line {line}: label is {row['label']!r}: expected 1..7, as in the official lists"
                )
            if not row["video_name"].isdigit():
                raise UserError(f"{lists}, line {line}: video_name is {row['video_name']!r}: expected a number")
            name = row["video_name"].zfill(5)
            entries.append(Entry(name=name, label=int(row["label"]) - 1, path=str(folder / name), num_frames=-1))
        return entries
