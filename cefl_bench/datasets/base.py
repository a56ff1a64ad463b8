"""The contract of a dataset: METAINFO, the files it needs, and `load_entries()`."""

import functools
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import compress
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from mmengine.dataset import BaseDataset

from cefl_bench.datasets.by_source import BY_SOURCE, OFFICIAL, add_sources, folds_by_source, table_hash
from cefl_bench.datasets.crops import crop_rule
from cefl_bench.datasets.holdout import part_of_training
from cefl_bench.datasets.label_map import classes_of, labels_of_model
from cefl_bench.datasets.official import counts_off
from cefl_bench.datasets.reading import Reading
from cefl_bench.errors import UserError
from cefl_bench.files import corpus_root, described, expanded, told_home
from cefl_bench.records import Draw, Entry, Place, Sample
from cefl_bench.sources import identities

SIDES_OF_SPLIT = {"train": ("train",), "val": ("train",), "test": ("test",), "all": ("train", "test")}
"""The sides of a fold, which is what an adapter knows, that a split is made of."""


class VideoDataset(BaseDataset):
    """The videos of one split of one fold of a corpus, each through the pipeline: index -> `Sample`.

    An adapter states METAINFO (`name`, `key` as in config names, `classes` in official order, `num_folds`, `num_clips`
    of the whole corpus, `access`, `licence`, `url`, `citation`; where the official files give them `num_test_clips` of
    every fold and `class_counts` of `all`, or of `train` and `test`) and implements `required_files()` and
    `load_entries()`.

    Randomness is a function of (seed, epoch, index) alone, and of how often a `Draw` says that the video was drawn
    before: neither the number of workers nor a resumed run changes what a video looks like in an epoch.

    Args:
        data_root: the corpus; a relative path starts at `data_home()`, `~` is the user's home.
        split: `train`, `test`, `val` (the part of `train` that `holdout` takes away) or `all` (both sides of the fold);
            `notes` then says, a line each, what was left out.
        fold: which fold, counted from 1 as in the official files.
        pipeline: transforms from an `Entry` to a `Sample`.
        on_error: what to do with a video that cannot be read: `raise` names it and stops; `skip` reports it, trains on
            another in its place, and at test time counts it as wrong, so that a test set never shrinks.
        shuffle_labels: permute the training labels, a control that must score at chance.
        holdout: share of the training fold to validate on, 0 for none: whole subjects where the corpus knows them.
        classes_as: the dataset class, or the class names, that a model was trained with and is tested on this corpus;
            labels then count these.
        label_map: the name of a class of this corpus -> of one of those. Videos of other classes are left out, and only
            classes that the map leads to can be predicted.
        folds: `official`, or `by-source`: no source (such as a film) is on both sides.
        sources: a CSV `name,source` of all videos; a relative path starts at the data root.
    """

    METAINFO: dict[str, Any] = {}
    tiny: ClassVar[dict[str, Any]] = {}
    """Arguments that an adapter cannot do without, for the contract tests."""

    def __init__(
        self,
        data_root: str,
        split: str,
        fold: int = 1,
        pipeline: Sequence = (),
        on_error: str = "raise",
        shuffle_labels: bool = False,
        holdout: float = 0.0,
        classes_as: "type[VideoDataset] | Sequence[str] | None" = None,
        label_map: Mapping[str, str] | None = None,
        folds: str = OFFICIAL,
        sources: str | None = None,
    ) -> None:
        for name, value, allowed in (
            ("folds", folds, (OFFICIAL, BY_SOURCE)),
            ("split", split, tuple(SIDES_OF_SPLIT)),
            ("on_error", on_error, ("raise", "skip")),
        ):
            if value not in allowed:
                raise UserError(f"{type(self).__name__}: {name} is {value!r}: expected {' or '.join(allowed)}")
        if not 0 <= holdout <= 0.5 or (split == "val" and not holdout):
            raise UserError(
                f"{type(self).__name__}: holdout is {holdout!r}: expected at most 0.5, and more than 0 for split 'val'"
            )
        if (classes_as is None) != (label_map is None):
            raise UserError(f"{type(self).__name__}: classes_as and label_map belong together: give both or none")
        if fold not in range(1, self.METAINFO["num_folds"] + 1):
            raise UserError(
                f"{type(self).__name__}: fold is {fold!r}: expected 1..{self.METAINFO['num_folds']}, counted from 1"
            )
        self.split, self.fold, self.folds, self.holdout = split, fold, folds, holdout
        self.on_error, self.shuffle_labels = on_error, shuffle_labels
        self.label_classes = self.classes if classes_as is None else tuple(classes_of(classes_as))
        """The K class names that labels count: this corpus's, or those of the model that is tested on it."""
        self._label_of_model: dict[int, int] | None = None
        """A label of this corpus -> the label of a model of another; None where the model is of this corpus."""
        if label_map is not None:
            self._label_of_model = labels_of_model(label_map, self.classes, self.label_classes)
        self.notes: list[str] = []
        # In shared memory, because worker processes that live through all epochs hold a copy of the dataset.
        self._seed_epoch = torch.zeros(2, dtype=torch.int64).share_memory_()
        self.reading = Reading(self)
        self._given_root = data_root
        self._sources = None if sources is None else corpus_root(data_root) / expanded(sources)
        super().__init__(data_root=str(corpus_root(data_root)), pipeline=pipeline, test_mode=split != "train")

    @property
    def classes(self) -> Sequence[str]:
        """The class names of the corpus, in the order of the labels that an adapter gives."""
        return self.METAINFO["classes"]

    def required_files(self) -> list[Path]:
        """The files and folders without which nothing can start."""
        raise NotImplementedError

    def load_entries(self) -> list[Entry]:
        """The videos of `self.split`, here `train` or `test`, of `self.fold`."""
        raise NotImplementedError

    def load_data_list(self) -> list[Entry]:
        asked, fold, by_source = self.split, self.fold, self.folds == BY_SOURCE
        entries: list[Entry] = []
        for side in SIDES_OF_SPLIT["all" if by_source else asked]:
            self.split, self.fold = side, 1 if by_source else fold  # the folds by source are made of all videos
            entries += self._load_side()
        self.split, self.fold = asked, fold
        if self._sources is not None:
            add_sources(entries, self._sources)
        if by_source and asked != "all":
            entries = list(compress(entries, map(self.in_split, folds_by_source(entries, self.METAINFO))))
        twice = [name for name, times in Counter(entry["name"] for entry in entries).items() if times > 1]
        if twice:
            raise UserError(
                f"{self.METAINFO['name']}: {len(twice)} videos are listed twice in split {self.split!r} of fold "
                f"{self.fold} at {self.data_root}, such as {twice[0]!r}: expected each once; remove the copies"
            )
        if self.holdout and asked in ("train", "val"):
            entries = part_of_training(entries, self.holdout, asked == "val", by_source)
        if self._label_of_model is not None:
            entries = self._relabelled(entries, self._label_of_model)
        if self.shuffle_labels and self.split == "train":
            labels = np.random.default_rng(0).permutation([entry["label"] for entry in entries])
            for entry, label in zip(entries, labels, strict=True):
                entry["label"] = int(label)
        return entries

    def _load_side(self) -> list[Entry]:
        missing = [described(path) for path in self.required_files() if not path.exists()]
        if missing:
            raise UserError(
                f"{self.METAINFO['name']} is not at {self.data_root}{told_home(self._given_root)}: missing "
                f"{', '.join(missing)}; {self.METAINFO['access']}; to try the toolkit without it: "
                "python tools/prepare/synthetic.py && python tools/train.py configs/ceflnet_synthetic.py"
            )
        entries = self.load_entries()
        if not entries:
            raise UserError(
                f"{self.METAINFO['name']}: no video in split {self.split!r} of fold {self.fold} at {self.data_root}; "
                f"{self.METAINFO['access']}"
            )
        return entries

    def _relabelled(self, entries: list[Entry], label_of_model: Mapping[int, int]) -> list[Entry]:
        """The videos of the classes that a model of another corpus knows, with its labels."""
        for label, name in enumerate(self.classes):
            if label not in label_of_model:
                others = [entry["name"] for entry in entries if entry["label"] == label]
                self.note_left_out(f"{name!r} is no class of the model's", others)
        kept = [entry for entry in entries if entry["label"] in label_of_model]
        for entry in kept:
            entry["label"] = label_of_model[entry["label"]]
        if not kept:
            raise UserError(f"{self.METAINFO['name']}: no video of a class that label_map names at {self.data_root}")
        return kept

    def possible_labels(self) -> set[int]:
        """The labels that a video of this corpus can have, which count `label_classes`."""
        if self._label_of_model is None:
            return set(range(len(self.label_classes)))
        return set(self._label_of_model.values())

    def in_split(self, fold: int) -> bool:
        """Whether a video whose test fold is `fold` belongs to this split of this fold."""
        return (fold == self.fold) == (self.split == "test")

    def note_left_out(self, reason: str, names: Sequence[str]) -> None:
        """Add a line to `notes` on files of the corpus that are not used, so that nothing goes missing in silence."""
        note = f"{self.METAINFO['name']}: {len(names)} left out, {reason}, such as {names[0]}" if names else None
        if note and note not in self.notes:  # an adapter says it again for the other side of a fold
            self.notes.append(note)

    def num_official_clips(self) -> int | None:
        """How many test clips the official lists of this fold have; None where there is no official number."""
        counts = self.METAINFO.get("num_test_clips")
        return counts[self.fold - 1] if counts and self._is_official() and self.split == "test" else None

    def counts_off(self) -> list[str]:
        """A line for every official number of this side of the fold that the files do not have."""
        return counts_off(self) if self._is_official() else []

    def _is_official(self) -> bool:
        return self._label_of_model is None and self.folds == OFFICIAL

    def protocol_facts(self) -> dict[str, Any]:
        """What only the files of the corpus know of it and what moves a score; the same for all folds.

        Here, where its videos are crops of faces: the rule they were made by.
        """
        rule = crop_rule(self.required_files())
        return {} if rule is None else {"crops": rule or "unknown"}

    def all_facts(self) -> dict[str, Any]:
        """`protocol_facts`, with the hash of the table of sources where folds are made of it."""
        used = None if self.folds == OFFICIAL else self._sources
        return self.protocol_facts() | ({} if used is None else {"sources": table_hash(used)})

    def entries(self) -> list[Entry]:
        """All videos, in the order of their indices."""
        return [self.get_data_info(index) for index in range(len(self))]

    @functools.cached_property
    def identities(self) -> list[str]:
        """The source identity of every video, as it is when this is first asked for."""
        return identities(Path(self.data_root), self.entries())

    def fingerprint(self) -> str:
        """SHA-256 over every video's name, label and source identity: what was learnt from, wherever it lies."""
        digest = hashlib.sha256()
        for entry, identity in zip(self.entries(), self.identities, strict=True):
            digest.update(f"{entry['name']}\t{entry['label']}\t{identity}\n".encode(errors="surrogateescape"))
        return digest.hexdigest()

    def set_epoch(self, seed: int, epoch: int) -> None:
        """Begin an epoch: what is random in it follows from these two."""
        self._seed_epoch[0], self._seed_epoch[1] = seed, epoch

    def __getitem__(self, index: int | Draw) -> Sample:
        return self.sample(index)

    def sample(self, index: int | Draw, place: Place | None = None) -> Sample:
        """One video through the pipeline.

        Args:
            place: where its frames are wanted, if they are packed.

        Raises:
            UserError: when it cannot be read, and `on_error` is `raise`; when none can.
        """
        index, times_before = index if isinstance(index, Draw) else Draw(index, 0)
        size = len(self)
        if not 0 <= index < size:
            raise IndexError(index)
        failures: list[str] = []
        for later in range(size):
            try:
                sample = self._read((index + later) % size, times_before, place)
                break
            except UserError as error:
                failures.append(str(error))
                if self.on_error == "raise":
                    raise
        else:
            raise UserError(f"{self.METAINFO['name']}: no video could be read; the first: {failures[0]}")
        if failures and self.test_mode:
            entry = self.get_data_info(index)
            sample["name"], sample["label"] = entry["name"], entry["label"]
            sample["subject"], sample["group"] = entry.get("subject") or "", entry.get("group") or ""
            sample["video"] = np.zeros_like(sample["video"])
            failures = failures[:1]
        if self._label_of_model is not None:
            possible = sorted(self.possible_labels())
            sample["allowed_classes"] = np.isin(np.arange(len(self.label_classes)), possible)
        sample["unreadable"] = "\n".join(failures)
        return sample

    def _read(self, index: int, times_before: int = 0, place: Place | None = None) -> Sample:
        """Put a video through the pipeline.

        Raises:
            UserError: naming the video, when it cannot be read.
            RuntimeError: naming the video at which an unexpected error occurred.
        """
        entry = self.get_data_info(index)
        seed, epoch = self._seed_epoch.tolist()
        words = np.array([seed, epoch, index, times_before], dtype=np.uint32)  # a 0 at the end counts for nothing
        rng = None if self.test_mode else np.random.Generator(np.random.PCG64(words))  # `default_rng`, but sooner
        self.reading.begin(index)
        try:
            return self.pipeline(entry | {"rng": rng, "data_root": self.data_root, "place": place})
        except UserError:
            raise
        except OSError as error:
            raise UserError(f"{entry['path']} cannot be read ({error.strerror or error}): copy it again") from None
        except Exception as error:
            raise RuntimeError(f"video {entry['path']} could not be put through the pipeline") from error
        finally:
            self.reading.end()
