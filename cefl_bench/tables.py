"""Tables in CSV files, as people and spreadsheets write them. The one door to CSV files that a user gives."""

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cefl_bench.errors import UserError

SEPARATORS = (",", ";", "\t")
"""What spreadsheets put between cells, by their language."""
SHOWN_LENGTH = 60
"""Letters of a cell, or of a header, in a message."""
FORMULA = ("=", "+", "@", "-", "\t", "\r")
"""What a cell starts with that a spreadsheet takes for a formula."""


@dataclass
class Table:
    """A header, and the rows that are not blank, each with the line of the file that it ends in."""

    path: Path
    header: list[str]
    rows: list[tuple[int, list[str]]]

    def where(self, line: int) -> str:
        """For messages: file and line."""
        return f"{self.path}, line {line}"


def read_cells(path: Path) -> Table:
    """Read a CSV: cells between commas, semicolons or tabs, without blanks around them; UTF-8 with a mark or without.

    Raises:
        UserError: naming the file, and the line whose cells are not as many as the header's.
    """
    text = read_text(path)
    mark, _, rest = text.partition("\n")
    if mark.strip().lower().startswith("sep="):  # a first line that tells Excel the separator
        text, skipped = rest, 1
    else:
        skipped = 0
    first = text.partition("\n")[0]
    separator = max(SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
    rows = []
    try:
        for row in reader:
            cells = [from_csv_cell(cell.strip()) for cell in row]
            if any(cells):
                rows.append((reader.line_num + skipped, cells))
    except csv.Error as error:
        raise UserError(f"{path}, line {reader.line_num + skipped}: not CSV ({error}): correct it") from None
    if not rows:
        raise UserError(f"{path} is empty: expected a header and a row per line")
    table = Table(path, rows[0][1], rows[1:])
    for line, cells in table.rows:
        _check_length(table, line, cells)
    return table


def read_table(path: Path, *columns: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The rows of a CSV by the names of its columns, each with where it stands (`file, line n`).

    Capital letters in the header do not matter: a column `Name` is `name`.

    Raises:
        UserError: when one of `columns` is missing, or two have one name, or `read_cells` refuses.
    """
    table = read_cells(path)
    names = [name.lower() for name in table.header]
    if missing := [column for column in columns if column not in names]:
        raise UserError(
            f"{path}: no column {', '.join(missing)}: expected the header {','.join(columns)} in line 1, and found "
            f"{_shown(','.join(table.header))}"
        )
    for name, times in Counter(names).items():
        if name and times > 1:
            raise UserError(f"{path}: two columns are called {name!r}: expected each name once")
    for line, cells in table.rows:
        yield table.where(line), dict(zip(names, cells, strict=True))


def filled(where: str, row: Mapping[str, str], column: str) -> str:
    """The cell of a column in a row from `read_table`.

    Raises:
        UserError: where it is empty.
    """
    if not row[column]:
        raise UserError(f"{where}: {column} is empty: expected one in every row")
    return row[column]


def one_spelling(name: str) -> str:
    """The name of a person, a film or a group, however its accents are stored (as NFC here) and its blanks are set."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def csv_cell(text: str) -> str:
    """Text for a cell of a CSV file: with an apostrophe before it where a spreadsheet would run it as a formula.

    Numbers, and names such as `-a1_B`, which some videos have, stay as they are. `from_csv_cell` takes it back.
    """
    if text.startswith("'") and text.lstrip("'").startswith(FORMULA):
        return f"'{text}"
    return f"'{text}" if _is_formula(text) else text


def from_csv_cell(cell: str) -> str:
    """The text that `csv_cell` was given."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(FORMULA) else cell


def _is_formula(text: str) -> bool:
    return text.startswith(FORMULA) and not re.fullmatch(r"[+-]?\d[\d.,eE+-]*|-[\w.-]*", text)


def read_text(path: Path) -> str:
    """The text of a file in UTF-8.

    Raises:
        UserError: naming the file, when it cannot be read or is in another encoding.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        reason = f"{error.reason} at byte {error.start}"
        raise UserError(f"{path} is not a UTF-8 text file ({reason}): save it as UTF-8") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})") from None


def _check_length(table: Table, line: int, cells: list[str]) -> None:
    expected, found = len(table.header), len(cells)
    if found > expected:
        extra = _shown(", ".join(cells[expected:]))
        raise UserError(
            f"{table.where(line)}: {found} cells below {expected} columns, {extra} left over: quote a cell that holds "
            "the separator, and write decimals with a point"
        )
    if found < expected:
        raise UserError(
            f"{table.where(line)}: {found} cells below {expected} columns, none for {table.header[found]!r}: expected "
            "a cell for each column, also where it is empty"
        )


def _shown(text: str) -> str:
    return repr(text if len(text) <= SHOWN_LENGTH else f"{text[: SHOWN_LENGTH - 3]}...")
