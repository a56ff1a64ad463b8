"""A corpus of your own: one CSV beside the videos."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from typing_extensions import Unpack

from cefl_bench.datasets.base import VideoDataset
from cefl_bench.datasets.crops import VIDEO, in_crops, report_of
from cefl_bench.datasets.options import DatasetOptions
from cefl_bench.errors import UserError
from cefl_bench.files import inside
from cefl_bench.records import Entry
from cefl_bench.registry import DATASETS
from cefl_bench.tables import filled, one_spelling, read_table


@DATASETS.register_module()
class CSVVideos(VideoDataset):
    """The videos, or folders of images, that a CSV lists.

    Its columns are `name,path,label[,subject][,group][,source][,fold][,split]`.

    `path` starts at the data root, `label` is a class name. With `fold`, a row is a test video of that fold and a
    training video of the others; with `split` (`train` or `test`), it is on that side of the only fold; with both, on
    that side of that fold and nowhere else. A subject on both sides is refused. `group` is for reports, which
    compare groups of people.

    Args:
        classes: the class names, which may be numbers, in the order of the labels; it is given, so that the same model
            output means the same class when the list changes. A list may write them in other letter cases.
        num_folds: how many folds `fold` counts, from 1.
        name: what results call the corpus.
        frames: which variant to read: `video`, what the CSV lists, or a folder of crops below the data root that
            `tools/prepare/own.py` made, such as `faces_224`. It belongs to the protocol.
        lists: the CSV below the data root.
    """

    METAINFO = dict(
        key="own",
        name="own videos",
        classes=(),
        num_folds=1,
        num_clips=None,
        access=(
            "write a CSV with the header name,path,label,split and a row per video, with paths relative to it, "
            "then cut out the faces with: python tools/prepare/own.py"
        ),
        licence="yours to choose",
        url="",
        citation="",
    )
    tiny = dict(classes=("happy", "sad"), num_folds=2)

    def __init__(
        self,
        data_root: str,
        split: str,
        classes: Sequence[str],
        num_folds: int = 1,
        name: str = "own videos",
        frames: str = VIDEO,
        lists: str = "videos.csv",
        **kwargs: Unpack[DatasetOptions],
    ) -> None:
        names = [] if isinstance(classes, str) else [str(word).strip() for word in classes]  # labels may be numbers
        if len(set(names)) != len(classes) or len(names) < 2 or "" in names:
            raise UserError(f"CSVVideos: classes is {classes!r}: expected two or more different names")
        # What other adapters know of their corpus, here only the config knows.
        self.METAINFO = type(self).METAINFO | {"name": name, "classes": tuple(names), "num_folds": num_folds}
        self.frames, self.lists = frames, lists
        super().__init__(data_root, split, **kwargs)

    def required_files(self) -> list[Path]:
        crops = [] if self.frames == VIDEO else [report_of(self.data_root, self.frames)]
        return [inside(self.data_root, self.lists), *crops]

    def load_entries(self) -> list[Entry]:
        sides: dict[str, list[Entry]] = {"train": [], "test": []}
        lists, *crops = self.required_files()
        for where, row in read_table(lists, "name", "path", "label"):
            name, label = filled(where, row, "name"), self._label(where, row["label"])
            side = self._side(where, row)
            if side is not None:
                sides[side].append(self._entry(name, row, label))
        self._check_subjects(lists, sides)
        return in_crops(sides[self.split], *crops) if crops else sides[self.split]

    def _label(self, where: str, word: str) -> int:
        """The class that a cell names; where that is clear, in whichever case and spelling of its letters."""
        if word in self.classes:
            return self.classes.index(word)
        spelling = one_spelling(word).casefold()
        alike = [label for label, name in enumerate(self.classes) if one_spelling(name).casefold() == spelling]
        if len(alike) != 1:
            raise UserError(f"{where}: label is {word[:60]!r}: expected one of {', '.join(self.classes)}")
        return alike[0]

    def _check_subjects(self, lists: Path, sides: dict[str, list[Entry]]) -> None:
        """Refuse a list with a subject in both training and test."""
        trained = {entry["subject"]: entry["name"] for entry in sides["train"] if "subject" in entry}
        for entry in sides["test"]:
            subject = entry.get("subject")
            if subject in trained:
                raise UserError(
                    f"{lists}: subject {subject!r} is in training ({trained[subject]!r}) and in test "
                    f"({entry['name']!r}) of fold {self.fold}: expected all videos of a subject on one side"
                )

    def protocol_facts(self) -> dict[str, Any]:
        rows = []
        for _, row in read_table(self.required_files()[0], "name"):
            row.pop("group", None)  # it changes no training and no test
            rows.append(json.dumps(row, sort_keys=True))
        rows.sort()
        return super().protocol_facts() | {"lists": hashlib.sha256("\n".join(rows).encode()).hexdigest()[:12]}

    def _entry(self, name: str, row: dict[str, str], label: int) -> Entry:
        entry = Entry(name=name, label=label, path=str(inside(self.data_root, row["path"])), num_frames=-1)
        if row.get("subject"):
            entry["subject"] = one_spelling(row["subject"])
        if row.get("group"):
            entry["group"] = one_spelling(row["group"])
        if row.get("source"):
            entry["source"] = one_spelling(row["source"])
        return entry

    def _side(self, where: str, row: dict[str, str]) -> str | None:
        """`train` or `test`, or None for a row that belongs to another fold."""
        num_folds = self.METAINFO["num_folds"]
        split, fold = row.get("split"), row.get("fold")
        if split is None and fold is None:
            raise UserError(f"{where}: no column fold or split: expected one of them, to tell training from test")
        if split is not None:
            split = split.lower()
        if split not in (None, "train", "test"):
            raise UserError(f"{where}: split is {split!r}: expected train or test")
        if fold is None:
            return split
        if fold not in map(str, range(1, num_folds + 1)):
            raise UserError(f"{where}: fold is {fold!r}: expected 1..{num_folds}, as num_folds in the config says")
        if split is None:
            return "test" if int(fold) == self.fold else "train"
        return split if int(fold) == self.fold else None
