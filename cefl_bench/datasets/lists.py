"""Reads the lists that corpora come with, line by line, and says where something does not fit."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from cefl_bench.errors import UserError


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


def split_last(line: str) -> tuple[str, str]:
    """A line `<path> <label>` in its two parts; the path may hold blanks, and is empty where there is only one part."""
    *path, label = line.rsplit(maxsplit=1)
    return "".join(path), label


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


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        reason = f"{error.reason} at byte {error.start}"
        raise UserError(f"{path} is not a UTF-8 text file ({reason}): save it as UTF-8") from None
