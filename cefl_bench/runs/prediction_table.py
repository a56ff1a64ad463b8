"""The cells of a CSV of predictions: which column is what, and each cell a number or an error that names its line."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NoReturn

import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.tables import read_cells

ScoresAre = Literal["logits", "probabilities"]
NAMES = {
    "name": ("name", "clip", "clip_name", "video", "video_name", "video_id", "file", "file_name", "filename", "id"),
    "label": ("label", "true", "true_label", "target", "gt", "ground_truth", "y_true"),
    "pred": ("pred", "prediction", "predicted", "predicted_label", "pred_label", "y_pred"),
    "subject": ("subject", "subject_id", "person", "speaker", "actor"),
    "group": ("group",),
}
"""What columns are called, most exact first; capital letters and blanks do not matter."""
SCORES: dict[str, ScoresAre | None] = {
    "score": None,
    "logit": "logits",
    "prob": "probabilities",
    "probability": "probabilities",
}
"""Beginnings of the names of score columns, and what they say of the scores. `scores_0` and `logits0` are known too."""
MAX_CLASSES = 1000
SHOWN_LENGTH = 40
"""Characters of a cell in a message."""
EXPECTED = "name,label,pred or name,label,score_0,score_1,.."


@dataclass
class PredictionTable:
    """The rows of a CSV of predictions, n of them, as text."""

    path: Path
    lines: list[int]
    """(n,) where each row ends in the file, counted from 1."""
    cells: list[list[str]]
    column: dict[str, int] = field(default_factory=dict)
    """Where `name`, `label`, `pred`, `subject` and `group` stand, those that are there."""
    score_columns: list[int] = field(default_factory=list)
    """Where the scores of class 0, 1, .. stand."""
    scores_are: ScoresAre | None = None
    """What the names of the columns say of the scores."""

    def text(self, column: str) -> list[str]:
        """(n,) cells of a column."""
        return [row[self.column[column]] for row in self.cells]

    def wrong(self, row: int, what: str) -> NoReturn:
        """Raises: UserError: naming the file and the line."""
        raise UserError(f"{self.path}, line {self.lines[row]}: {what}")

    def classes(self, column: str, low: int, empty: int | None = None) -> np.ndarray:
        """(n,) int64 classes of a column, from `low` on; `empty` stands for an empty cell."""
        values = []
        for row, text in enumerate(self.text(column)):
            if not text and empty is not None:
                values.append(empty)
                continue
            value = _number(text)
            if value is None or not value.is_integer():
                self.wrong(row, f"{column} is {_shown(text)}: expected a whole number, as classes count from 0")
            if not low <= value < MAX_CLASSES:
                self.wrong(row, f"{column} is {_shown(text)}: expected {low}..{MAX_CLASSES - 1}")
            values.append(int(value))
        return np.array(values, dtype=np.int64)

    def scores(self) -> np.ndarray:
        """(n, K) float64; NaN for a class that has none, as in the rows of unanswered clips."""
        values = np.empty((len(self.cells), len(self.score_columns)))
        for row, cells in enumerate(self.cells):
            for k, column in enumerate(self.score_columns):
                value = _number(cells[column])
                if value is None:
                    hint = " with a point" if "," in cells[column] else ""
                    self.wrong(row, f"score_{k} is {_shown(cells[column])}: expected a number{hint}")
                values[row, k] = value
        return values


def read_prediction_table(path: str | Path) -> PredictionTable:
    """Read a CSV of predictions: separated by commas, semicolons or tabs, in UTF-8, with a header.

    Raises:
        UserError: naming the file, the line and what was expected.
    """
    path = Path(path)
    read = read_cells(path)
    header = read.header
    table = PredictionTable(path, [line for line, _ in read.rows], [cells for _, cells in read.rows])
    table.column = {what: place for what in NAMES if (place := _place_of(what, header, path)) is not None}
    table.score_columns, table.scores_are = _score_columns(header, path)
    if not {"name", "label"} <= set(table.column) or not (table.score_columns or "pred" in table.column):
        raise UserError(f"{path}: columns are {_shown(','.join(header))}: expected {EXPECTED}")
    for row, found in enumerate(table.cells):
        if not found[table.column["name"]]:
            table.wrong(row, "name is empty: expected the name of the clip")
    if not table.cells:
        raise UserError(f"{path}: holds no prediction: expected a row per test clip")
    return table


def _place_of(what: str, header: Sequence[str], path: Path) -> int | None:
    """Where the column is that is called by the first of its names which the header has; None where there is none."""
    called = [re.sub(r"[\s-]+", "_", column).lower() for column in header]
    for name in NAMES[what]:
        if called.count(name) > 1:
            raise UserError(f"{path}: {called.count(name)} columns are called {name}: expected one")
        if name in called:
            return called.index(name)
    return None


def _score_columns(header: Sequence[str], path: Path) -> tuple[list[int], ScoresAre | None]:
    """Where the scores of class 0, 1, .. stand, and what their names say of them."""
    found: dict[str, dict[int, int]] = {}
    for place, column in enumerate(header):
        match = re.fullmatch(r"(score|logit|prob|probability)(?:s|ies)?[_ ]?(\d{1,4})", column.lower())
        if match is None:
            continue
        of_kind = found.setdefault(match[1], {})
        if int(match[2]) in of_kind:
            raise UserError(f"{path}: two columns are the {match[1]} of class {match[2]}: expected one of each class")
        of_kind[int(match[2])] = place
    if not found:
        return [], None
    if len(found) > 1:
        raise UserError(f"{path}: columns of {' and of '.join(found)} stand side by side: expected one kind of scores")
    ((kind, of_class),) = found.items()
    if sorted(of_class) != list(range(len(of_class))):
        names = ",".join(f"{kind}_{k}" for k in of_class)
        wanted = ",".join(f"{kind}_{k}" for k in range(len(of_class)))
        raise UserError(f"{path}: score columns are {_shown(names)}: expected {_shown(wanted)}")
    return [of_class[k] for k in range(len(of_class))], SCORES[kind]


def _number(text: str) -> float | None:
    """A number as CSV files have them; None for anything else that Python would take, such as `1_000`."""
    if not re.fullmatch(r"[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|inf|infinity|nan)", text, re.A | re.I):
        return None
    return float(text)


def _shown(text: str) -> str:
    return repr(text if len(text) <= SHOWN_LENGTH else f"{text[: SHOWN_LENGTH - 3]}...")
