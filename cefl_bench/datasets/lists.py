"""Reads the lists that corpora come with, line by line, and keeps the folds that a corpus lacks."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from cefl_bench.errors import UserError
from cefl_bench.files import atomic_path
from cefl_bench.records import Entry

FOLDS = "folds.csv"
ANEW = "remove the file and prepare the corpus again with its tool in tools/prepare"


def read_lines(path: Path) -> list[tuple[int, str]]:
    """The lines of a text file that are not blank, with their numbers.

    Raises:
        UserError: when there is none, or the file is not UTF-8.
    """
    numbered = enumerate(_text(path).splitlines(), start=1)
    lines = [(number, line.strip()) for number, line in numbered if line.strip()]
    if not lines:
        raise UserError(f"{path} is empty: expected a line per video; copy or download it again")
    return lines


def read_table(path: Path, *columns: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The rows of a CSV with a header, each with where it stands (`file, line n`), cells without blanks around them.

    Raises:
        UserError: when one of `columns` or a row's cell is missing.
    """
    reader = csv.DictReader(io.StringIO(_text(path), newline=""), skipinitialspace=True)
    if missing := [column for column in columns if column not in (reader.fieldnames or ())]:
        raise UserError(f"{path}: no column {', '.join(missing)}: expected the header {','.join(columns)} in line 1")
    for row in reader:
        where = f"{path}, line {reader.line_num}"
        if None in row or None in row.values():
            raise UserError(f"{where}: not as many cells as the header has; quote a cell that holds a comma")
        yield where, {column: cell.strip() for column, cell in row.items()}


def read_folds(path: Path, num_folds: int) -> dict[str, int]:
    """The test fold 1..num_folds of every subject, from what `write_folds` left."""
    fold_of: dict[str, int] = {}
    for where, row in read_table(path, "subject", "fold"):
        if row["fold"] not in map(str, range(1, num_folds + 1)):
            raise UserError(f"{where}: fold is {row['fold']!r}: expected 1..{num_folds}; {ANEW}")
        if row["subject"] in fold_of:
            raise UserError(f"{where}: subject {row['subject']!r} stands twice; {ANEW}")
        fold_of[row["subject"]] = int(row["fold"])
    return fold_of


def folds_of(entries: Sequence[Entry], path: Path, num_folds: int) -> list[int]:
    """The test fold of every video, by its subject.

    Raises:
        UserError: when the file at `path` lacks a subject.
    """
    fold_of = read_folds(path, num_folds)
    if missing := sorted({entry["subject"] for entry in entries} - set(fold_of)):
        raise UserError(f"{path}: no fold for subject {missing[0]!r}: expected every subject of the corpus; {ANEW}")
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
        writer.writerows(fold_of.items())
    return True


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        reason = f"{error.reason} at byte {error.start}"
        raise UserError(f"{path} is not a UTF-8 text file ({reason}): save it as UTF-8") from None
