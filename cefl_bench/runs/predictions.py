"""predictions.csv: the scores of every test clip, ours or anybody's."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import softmax

from cefl_bench.errors import UserError
from cefl_bench.files import atomic_path
from cefl_bench.functional.recall import UNANSWERED, predicted_class


@dataclass
class Predictions:
    """n clips with their answers. `scores` (n, K) is None where the file gave only the predicted class."""

    name: list[str]
    label: np.ndarray
    pred: np.ndarray
    scores: np.ndarray | None
    num_classes: int
    subject: list[str] | None = None
    """Who is in each clip; None where the file does not say it of every clip."""


def write_predictions(
    path: str | Path,
    names: Sequence[str],
    labels: np.ndarray,
    scores: np.ndarray,
    subjects: Sequence[str] | None = None,
) -> None:
    """Write `name,label,score_0..score_{K-1}`; scores as they are (logits in our runs), NaN for an unanswered clip.

    A column `subject` stands after the label where any clip's subject is known.
    """
    known = subjects if subjects is not None and any(subjects) else None
    with atomic_path(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        scores_header = [f"score_{k}" for k in range(scores.shape[1])]
        writer.writerow(["name", "label", *([] if known is None else ["subject"]), *scores_header])
        for place, (name, label, row) in enumerate(zip(names, labels, scores, strict=True)):
            who = [] if known is None else [known[place]]
            writer.writerow([name, int(label), *who, *(f"{score:.9g}" for score in row)])


def read_predictions(path: str | Path, scores_are: str = "logits", num_classes: int | None = None) -> Predictions:
    """Read a CSV with columns `name,label,pred` or `name,label,score_0..`; labels and predictions count from 0.

    Several rows of one name (crops, clips of one video) become one: their scores are averaged as probabilities, which
    logits become by a softmax first. A row whose scores are NaN, or whose `pred` is -1 or empty, is unanswered.

    Args:
        scores_are: `logits` or `probabilities`.
        num_classes: K; from the score columns, else the highest label or prediction, where not given.

    Raises:
        UserError: naming the file, the line and what was expected.
    """
    table = _Table(Path(path))
    label = table.numbers("label", int)
    if table.score_columns:
        scores = np.stack([table.numbers(column, float) for column in table.score_columns], axis=1)
        names, label, scores = _average_by_name(table, label, _probabilities(scores, scores_are, table))
        pred = predicted_class(scores)
    else:
        names, scores, pred = table.names, None, table.numbers("pred", int, empty=UNANSWERED)
        if len(set(names)) < len(names):
            again = next(name for line, name in enumerate(names) if name in names[:line])
            raise UserError(f"{path}: name {again!r} stands on several lines: only scores can be averaged, not `pred`")
    known = num_classes or len(table.score_columns) or int(max(label.max(), pred.max())) + 1
    for what, values, low in (("label", label, 0), ("pred", pred, UNANSWERED)):
        if values.min() < low or values.max() >= known:
            raise UserError(f"{path}: {what} runs from {values.min()} to {values.max()}: expected {low}..{known - 1}")
    return Predictions(names, label, pred, scores, known, table.subjects(names))


class _Table:
    """The rows of a predictions.csv, checked for the columns we need."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with open(path, newline="", encoding="utf-8-sig") as file:
                reader = csv.DictReader(file)
                header = list(reader.fieldnames or [])
                self.rows = list(reader)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise UserError(f"{path}: cannot be read as a CSV file ({error})") from None
        self.score_columns = [column for column in header if column.startswith("score_")]
        wanted = [f"score_{k}" for k in range(len(self.score_columns))]
        if not {"name", "label"} <= set(header) or not (self.score_columns or "pred" in header):
            found = ",".join(header) or "none"
            raise UserError(f"{path}: columns are {found}: expected name,label,pred or name,label,score_0,score_1,..")
        if self.score_columns != wanted:
            raise UserError(f"{path}: score columns are {','.join(self.score_columns)}: expected {','.join(wanted)}")
        if not self.rows:
            raise UserError(f"{path}: holds no prediction: expected a row per test clip")
        self.names = [row["name"] for row in self.rows]

    def subjects(self, names: list[str]) -> list[str] | None:
        """Who is in each clip of `names`, where the file says it of all."""
        of_clip = {row["name"]: row.get("subject") or "" for row in self.rows}
        return [of_clip[name] for name in names] if all(of_clip.values()) else None

    def numbers(self, column: str, kind: type, empty: float | None = None) -> np.ndarray:
        """(n,) values of a column; `empty` stands for an empty cell."""
        return np.array([self._number(line, row[column], column, kind, empty) for line, row in enumerate(self.rows, 2)])

    def _number(self, line: int, text: str | None, column: str, kind: type, empty: float | None) -> float:
        if not text and empty is not None:
            return empty
        try:
            return kind(text)
        except (TypeError, ValueError):
            raise UserError(
                f"{self.path}, line {line}: {column} is {text!r}: expected a {'whole ' if kind is int else ''}number"
            ) from None


def _probabilities(scores: np.ndarray, scores_are: str, table: _Table) -> np.ndarray:
    if scores_are == "logits":
        return softmax(scores, axis=1)
    answered = ~np.isnan(scores).any(axis=1)
    off = answered & ((scores < -1e-6).any(axis=1) | (np.abs(scores.sum(axis=1) - 1) > 1e-2))
    if off.any():
        line = int(off.argmax()) + 2
        raise UserError(
            f"{table.path}, line {line}: scores sum to {scores[line - 2].sum():.4g}: probabilities are never "
            "negative and sum to 1; use --scores logits"
        )
    return scores


def _average_by_name(
    table: _Table, label: np.ndarray, probabilities: np.ndarray
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Average the rows of each name, in the order of first appearance."""
    first: dict[str, int] = {}
    for row, name in enumerate(table.names):
        first.setdefault(name, row)
        if label[row] != label[first[name]]:
            raise UserError(
                f"{table.path}, line {row + 2}: name {name!r} has label {label[row]} here and {label[first[name]]} on "
                f"line {first[name] + 2}: expected one label per name"
            )
    order = {name: place for place, name in enumerate(first)}
    place = np.array([order[name] for name in table.names])
    total = np.zeros((len(first), probabilities.shape[1]))
    np.add.at(total, place, probabilities)
    return list(first), label[list(first.values())], total / np.bincount(place)[:, None]
