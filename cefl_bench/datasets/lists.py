"""Reads the lists that corpora come with, line by line. Those with a header are tables: `cefl_bench/tables.py`."""

from pathlib import Path

from cefl_bench.errors import UserError
from cefl_bench.tables import read_text


def read_lines(path: Path) -> list[tuple[int, str]]:
    """The lines of a text file that are not blank, with their numbers.

    Raises:
        UserError: when there is none, or the file is not UTF-8.
    """
    numbered = enumerate(read_text(path).splitlines(), start=1)
    lines = [(number, line.strip()) for number, line in numbered if line.strip()]
    if not lines:
        raise UserError(f"{path} is empty: expected a line per video; copy or download it again")
    return lines


def split_last(line: str) -> tuple[str, str]:
    """A line `<path> <label>` in its two parts; the path may hold blanks, and is empty where there is only one part."""
    *path, label = line.rsplit(maxsplit=1)
    return "".join(path), label
