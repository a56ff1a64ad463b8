"""DFEW: Dynamic Facial Expression in the Wild. Jiang et al., ACM MM 2020, https://dfew-dataset.github.io/"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from typing_extensions import Unpack

from cefl_bench.datasets.base import VideoDataset
from cefl_bench.datasets.lists import read_lines
from cefl_bench.datasets.options import DatasetOptions
from cefl_bench.errors import UserError
from cefl_bench.files import inside
from cefl_bench.records import Entry
from cefl_bench.registry import DATASETS
from cefl_bench.tables import read_table

Row = tuple[str, str, int, int]
"""Of a list: where it stands, name, number of frames, label."""


@DATASETS.register_module()
class DFEW(VideoDataset):
    """The single-labelled clips of DFEW: 11,697 in five official folds, frames cropped and aligned by its authors.

    Two dialects of its lists are read, told apart by their first line: the official `video_name,label`, which counts
    the classes from 1, and `<frames dir> <num frames> <label>`, which counts them from 0 in the same order. Where the
    labels of a fold's two lists fit only the other way of counting, they are read so.

    Args:
        frames: which official variant of the clips to read, a folder below `Clip/`; `original` holds videos, the
            others folders of images. The variant moves WAR by several points, so it belongs to the protocol.
        lists: the list of a fold below the data root, with `{split}` and `{fold}` in it.
    """

    METAINFO = dict(
        key="dfew",
        name="DFEW",
        classes=("happy", "sad", "neutral", "angry", "surprise", "disgust", "fear"),
        num_folds=5,
        num_clips=11_697,
        num_test_clips=(2341, 2341, 2340, 2339, 2336),
        class_counts={"all": (2445, 1894, 2669, 2173, 1469, 145, 902)},
        access=(
            "it is given on application: print, sign and send the agreement form of its web page from "
            "an institutional address, then unpack it so that it holds Clip/clip_224x224/00001/*.jpg and "
            "EmoLabel_DataSplit/train(single-labeled)/set_1.csv"
        ),
        licence="research only, by agreement",
        url="https://dfew-dataset.github.io/",
        citation="Jiang et al., DFEW: A Large-Scale Database for Recognizing Dynamic Facial Expressions in the Wild",
    )

    def __init__(
        self,
        data_root: str,
        split: str,
        frames: str = "clip_224x224",
        lists: str = "EmoLabel_DataSplit/{split}(single-labeled)/set_{fold}.csv",
        **kwargs: Unpack[DatasetOptions],
    ) -> None:
        self.frames, self.lists = frames, lists
        super().__init__(data_root, split, **kwargs)

    def required_files(self) -> list[Path]:
        return [inside(self.data_root, f"Clip/{self.frames}"), self._list_of(self.split)]

    def load_entries(self) -> list[Entry]:
        folder, lists = self.required_files()
        official = _is_official(lists)
        rows: dict[Path, list[Row]] = {}
        for path in (lists, *map(self._list_of, ("train", "test"))):  # which may be one file
            if path not in rows and path.is_file() and _is_official(path) == official:
                rows[path] = _official(path) if official else _redistributed(path)
        first_label = _first_label(rows, official)
        entries = []
        for where, name, num_frames, label in rows[lists]:
            if not name.isdecimal():
                raise UserError(f"{where}: video_name is {name!r}: expected a number, as in the official lists")
            name = name.zfill(5)
            path = folder / (f"{name}.mp4" if self.frames == "original" else name)
            entries.append(Entry(name=name, label=label - first_label, path=str(path), num_frames=num_frames))
        return entries

    def _list_of(self, split: str) -> Path:
        return inside(self.data_root, self.lists.replace("{split}", split).replace("{fold}", str(self.fold)))


def _is_official(path: Path) -> bool:
    """Whether a list is in the official dialect."""
    first = read_lines(path)[0][1]
    return "," in first or ";" in first


def _official(path: Path) -> list[Row]:
    """The rows of `video_name,label`, with -1 for the number of frames."""
    return [
        (where, row["video_name"], -1, _number(where, "label", row["label"]))
        for where, row in read_table(path, "video_name", "label")
    ]


def _redistributed(path: Path) -> list[Row]:
    """The lines `<frames dir> <num frames> <label>`.

    Only the last part of the frames dir counts: the rest is where the clips were on another disk.
    """
    rows: list[Row] = []
    for number, line in read_lines(path):
        where, cells = f"{path}, line {number}", line.rsplit(maxsplit=2)
        if len(cells) != 3:
            raise UserError(
                f"{where}: {line!r}: expected the header video_name,label in line 1 and a row per clip, or lines of "
                "<frames dir> <num frames> <label>"
            )
        name = cells[0].replace("\\", "/").rstrip("/").rpartition("/")[2]
        rows.append((where, name, _number(where, "num frames", cells[1]), _number(where, "label", cells[2])))
    return rows


def _number(where: str, what: str, text: str) -> int:
    if not text.isdecimal():
        raise UserError(f"{where}: {what} is {text!r}: expected a whole number")
    return int(text)


def _first_label(lists: Mapping[Path, Sequence[Row]], official: bool) -> int:
    """Whether the classes count from 1 or from 0: by the range of all lists, and where both fit, by their dialect."""
    ranges: dict[Path, tuple[int, int]] = {}
    fits = [1, 0]
    for path, rows in lists.items():
        labels = [label for _, _, _, label in rows]
        low, high = min(labels, default=1), max(labels, default=1)
        of_list = [first for first in (1, 0) if first <= low and high <= first + 6]
        if not of_list:
            raise UserError(
                f"{path}: labels reach from {low} to {high}: expected 1..7, as in the official lists, or 0..6, as in "
                "re-distributed ones"
            )
        ranges[path] = low, high
        fits = [first for first in fits if first in of_list]
    if not fits:
        told = " and ".join(f"from {low} to {high} in {path}" for path, (low, high) in ranges.items())
        raise UserError(f"labels reach {told}: expected both lists of a fold to count from 1, or both from 0")
    preferred = 1 if official else 0
    return preferred if preferred in fits else fits[0]
