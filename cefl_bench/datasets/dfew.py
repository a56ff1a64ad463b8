"""DFEW: Dynamic Facial Expression in the Wild. Jiang et al., ACM MM 2020, https://dfew-dataset.github.io/"""

from pathlib import Path

from cefl_bench.datasets.base import VideoDataset
from cefl_bench.datasets.lists import read_lines
from cefl_bench.errors import UserError
from cefl_bench.files import inside
from cefl_bench.records import Entry
from cefl_bench.registry import DATASETS
from cefl_bench.tables import read_table


@DATASETS.register_module()
class DFEW(VideoDataset):
    """The single-labelled clips of DFEW: 11,697 in five official folds, frames cropped and aligned by its authors.

    Two dialects of its lists are read, told apart by their first line: the official `video_name,label`, which counts
    the classes from 1, and `<frames dir> <num frames> <label>`, which counts them from 0 in the same order.

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
        **kwargs,
    ) -> None:
        self.frames, self.lists = frames, lists
        super().__init__(data_root, split, **kwargs)

    def required_files(self) -> list[Path]:
        lists = self.lists.replace("{split}", self.split).replace("{fold}", str(self.fold))
        return [inside(self.data_root, f"Clip/{self.frames}"), inside(self.data_root, lists)]

    def load_entries(self) -> list[Entry]:
        folder, lists = self.required_files()
        first = read_lines(lists)[0][1]
        official = "," in first or ";" in first
        rows = _official(lists) if official else _redistributed(lists)
        first_label = _first_label(lists, [label for _, _, _, label in rows], official)
        entries = []
        for where, name, num_frames, label in rows:
            if not name.isdecimal():
                raise UserError(f"{where}: video_name is {name!r}: expected a number, as in the official lists")
            name = name.zfill(5)
            path = folder / (f"{name}.mp4" if self.frames == "original" else name)
            entries.append(Entry(name=name, label=label - first_label, path=str(path), num_frames=num_frames))
        return entries


def _official(path: Path) -> list[tuple[str, str, int, int]]:
    """(where, name, -1, label) of the rows of `video_name,label`."""
    return [
        (where, row["video_name"], -1, _number(where, "label", row["label"]))
        for where, row in read_table(path, "video_name", "label")
    ]


def _redistributed(path: Path) -> list[tuple[str, str, int, int]]:
    """(where, name, num_frames, label) of the lines `<frames dir> <num frames> <label>`.

    Only the last part of the frames dir counts: the rest is where the clips were on another disk.
    """
    rows = []
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


def _first_label(path: Path, labels: list[int], official: bool) -> int:
    """Whether the classes of a list count from 1 or from 0: by its range, and where both fit, by its dialect."""
    low, high = min(labels, default=1), max(labels, default=1)
    fits = [first for first in (1, 0) if first <= low and high <= first + 6]
    if not fits:
        raise UserError(
            f"{path}: labels reach from {low} to {high}: expected 1..7, as in the official lists, or 0..6, as in "
            "re-distributed ones"
        )
    preferred = 1 if official else 0
    return preferred if preferred in fits else fits[0]
