"""Folds of a corpus that has no official ones: by subject, made once, and kept beside the data in folds.csv."""

import csv
from collections.abc import Sequence
from pathlib import Path

from cefl_bench.errors import UserError
from cefl_bench.files import atomic_path
from cefl_bench.functional.folds import subject_folds
from cefl_bench.records import Entry
from cefl_bench.tables import csv_cell, read_table

FOLDS = "folds.csv"
START_ANEW = "remove the file and prepare the corpus again with its tool in tools/prepare"


def make_folds(root: Path, entries: Sequence[Entry], num_folds: int, seed: int) -> str:
    """Assign the subjects of these videos to folds and keep them below `root`; say what was done.

    Raises:
        UserError: when there are too few subjects, or other folds are there already.
    """
    labels, subjects = [entry["label"] for entry in entries], [entry["subject"] for entry in entries]
    fold_of = subject_folds(labels, subjects, num_folds, seed)
    done = "wrote" if write_folds(root / FOLDS, fold_of) else "kept"
    return f"{len(entries)} sequences of {len(fold_of)} subjects: {done} {root / FOLDS}"


def read_folds(path: Path, num_folds: int) -> dict[str, int]:
    """The test fold 1..num_folds of every subject, from what `write_folds` left."""
    fold_of: dict[str, int] = {}
    for where, row in read_table(path, "subject", "fold"):
        if row["fold"] not in map(str, range(1, num_folds + 1)):
            raise UserError(f"{where}: fold is {row['fold']!r}: expected 1..{num_folds}; {START_ANEW}")
        if row["subject"] in fold_of:
            raise UserError(f"{where}: subject {row['subject']!r} is listed twice; {START_ANEW}")
        fold_of[row["subject"]] = int(row["fold"])
    return fold_of


def folds_of(entries: Sequence[Entry], path: Path, num_folds: int) -> list[int]:
    """The test fold of every video, by its subject.

    Raises:
        UserError: when the file at `path` lacks a subject.
    """
    fold_of = read_folds(path, num_folds)
    if missing := sorted({entry["subject"] for entry in entries} - set(fold_of)):
        raise UserError(
            f"{path}: no fold for subject {missing[0]!r}: expected every subject of the corpus; {START_ANEW}"
        )
    return [fold_of[entry["subject"]] for entry in entries]


def write_folds(path: Path, fold_of: dict[str, int]) -> bool:
    """Keep the test fold of every subject; True when the file is new, False when it says the same already.

    Raises:
        UserError: when other folds are there: they are made once, or results could not be compared.
    """
    if path.exists():
        if read_folds(path, max(fold_of.values())) != fold_of:
            raise UserError(
                f"{path} holds other folds (another seed, or other videos): results on them could not be compared with "
                "new ones; remove the file to begin anew"
            )
        return False
    with atomic_path(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["subject", "fold"])
        writer.writerows((csv_cell(who), fold) for who, fold in fold_of.items())
    return True
