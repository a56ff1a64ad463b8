"""predictions.csv: the scores of every test clip, ours or anybody's."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.files import atomic_path
from cefl_bench.functional.recall import UNANSWERED, confusion_matrix, predicted_class
from cefl_bench.functional.softmax import softmax
from cefl_bench.runs.folder import PREDICTIONS, RESULT
from cefl_bench.runs.prediction_table import PredictionTable, ScoresAre, read_prediction_table
from cefl_bench.runs.result import Result, headline
from cefl_bench.tables import csv_cell, one_spelling

SUM_TOLERANCE = 1e-2
"""How far the sum of probabilities may be from 1, which rounding to two or three digits moves it."""
NEGATIVE_TOLERANCE = 1e-6


@dataclass
class Predictions:
    """The predictions of n clips. `scores` (n, K) is None where the file gave only the predicted class."""

    name: list[str]
    label: np.ndarray
    pred: np.ndarray
    scores: np.ndarray | None
    num_classes: int
    subject: list[str] | None = None
    """Who is in each clip; None where the file does not say it of every clip."""
    group: list[str] | None = None
    """The group of people of each clip, empty where it is unknown; None where the file says it of none."""


def write_predictions(
    path: str | Path,
    names: Sequence[str],
    labels: np.ndarray,
    scores: np.ndarray,
    subjects: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
) -> None:
    """Write `name,label,score_0..score_{K-1}`; scores as they are (logits in our runs), NaN for an unanswered clip.

    Columns `subject` and `group` stand after the label where they are known of any clip.
    """
    known = {}
    for column, values in (("subject", subjects), ("group", groups)):
        if values is not None and any(values):
            known[column] = values
    with atomic_path(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        scores_header = [f"score_{k}" for k in range(scores.shape[1])]
        writer.writerow(["name", "label", *known, *scores_header])
        for place, (name, label, row) in enumerate(zip(names, labels, scores, strict=True)):
            who = [csv_cell(values[place]) for values in known.values()]
            writer.writerow([csv_cell(name), int(label), *who, *(f"{score:.9g}" for score in row)])


def read_predictions(
    path: str | Path, scores_are: ScoresAre | None = None, num_classes: int | None = None
) -> Predictions:
    """Read a CSV with columns `name,label,pred` or `name,label,score_0..`; labels and predictions count from 0.

    Columns may have other usual names (`prediction_table.NAMES`). Several rows of one name (crops, clips of one video)
    become one: their scores are averaged as probabilities, which logits become by a softmax first. A row whose scores
    are NaN, or whose `pred` is -1 or empty, is unanswered: the mean leaves it out, and a name is unanswered where all
    its rows are.

    Args:
        scores_are: `logits` or `probabilities`. None: as the names of the columns say, else logits, and an error where
            they look like probabilities.
        num_classes: K; from the score columns, else the highest label or prediction, where not given.

    Raises:
        UserError: naming the file, the line and what was expected.
    """
    table = read_prediction_table(path)
    label = table.classes("label", low=0)
    given = table.classes("pred", low=UNANSWERED, empty=UNANSWERED) if "pred" in table.column else None
    if table.score_columns:
        scores = _probabilities(table, scores_are)
        row_of_name, place = _group_by_name(table, label)
        if given is not None:
            _check_agreement(table, given, scores, place)
        scores = _mean_by_place(scores, place)
        names, label, pred = list(row_of_name), label[list(row_of_name.values())], predicted_class(scores)
    else:
        assert given is not None, "the table has scores or `pred`"
        names, scores, pred = table.text("name"), None, given
        _check_unique(table)
    known = num_classes or len(table.score_columns) or int(max(label.max(), pred.max())) + 1
    for what, values, low in (("label", label, 0), ("pred", pred, UNANSWERED)):
        if values.min() < low or values.max() >= known:
            raise UserError(f"{path}: {what} runs from {values.min()} to {values.max()}: expected {low}..{known - 1}")
    return Predictions(names, label, pred, scores, known, _subjects(table, names), _groups(table, names))


def predictions_of(folder: Path, result: Result) -> Predictions:
    """The predictions beside a result, which must give its numbers. Raises: UserError: where they do not."""
    path, num_classes = folder / PREDICTIONS, len(result["classes"])
    predictions = read_predictions(path, "logits", num_classes)
    found = confusion_matrix(predictions.label, predictions.pred, num_classes)
    support = np.bincount(predictions.label, minlength=num_classes)
    scores = result["metrics"][headline(result)]
    if not (np.array_equal(found, scores["confusion_matrix"]) and np.array_equal(support, scores["support"])):
        raise UserError(
            f"{path} does not give the confusion matrix of {folder / RESULT}: expected the two files of one run"
        )
    return predictions


def _probabilities(table: PredictionTable, scores_are: ScoresAre | None) -> np.ndarray:
    """(n, K) probabilities from the scores of a table; NaN for unanswered rows."""
    scores = table.scores()
    answered = ~np.isnan(scores).any(axis=1)
    negative = (scores < -NEGATIVE_TOLERANCE).any(axis=1)
    with np.errstate(invalid="ignore", over="ignore"):
        off = answered & (negative | ~(np.abs(scores.sum(axis=1) - 1) <= SUM_TOLERANCE))
    kind = scores_are or table.scores_are
    if kind == "probabilities":
        if off.any():
            row = int(off.argmax())
            table.wrong(
                row,
                f"scores sum to {scores[row].sum():.4g}: probabilities are never negative and sum to 1; use "
                "--scores logits",
            )
        return scores
    if kind is None and answered.any() and not off.any() and scores.shape[1] > 1:
        raise UserError(
            f"{table.path}: in every row the scores are not negative and sum to 1, as probabilities do: say what they "
            "are with --scores probabilities, or --scores logits"
        )
    return _softmax(scores, table)


def _softmax(scores: np.ndarray, table: PredictionTable) -> np.ndarray:
    """(n, K) logits -> probabilities. An infinite logit takes all: half precision overflows to it."""
    lowest = np.isneginf(scores).all(axis=1)
    if lowest.any():
        table.wrong(int(lowest.argmax()), "all scores are -inf: expected at least one class that can be predicted")
    infinite = np.isposinf(scores)
    finite = np.where(infinite.any(axis=1, keepdims=True), np.where(infinite, 0.0, -np.inf), scores)
    finite = np.where(np.isnan(scores), np.nan, finite)
    with np.errstate(invalid="ignore", over="ignore"):
        return softmax(finite, axis=1)


def _group_by_name(table: PredictionTable, label: np.ndarray) -> tuple[dict[str, int], np.ndarray]:
    """The first row of each name, in their order, and (n,) the place in it of the name of each row."""
    first: dict[str, int] = {}
    for row, name in enumerate(table.text("name")):
        begin = first.setdefault(name, row)
        if label[row] != label[begin]:
            table.wrong(
                row,
                f"name {name!r} has label {label[row]} here and {label[begin]} on line {table.lines[begin]}: "
                "expected one label per name",
            )
    order = {name: place for place, name in enumerate(first)}
    return first, np.array([order[name] for name in table.text("name")])


def _mean_by_place(values: np.ndarray, place: np.ndarray) -> np.ndarray:
    """(n, K) rows and (n,) the place of each -> (m, K) mean of the answered rows of each place; NaN where none is."""
    answered = ~np.isnan(values).any(axis=1)
    counts = np.bincount(place[answered], minlength=place.max() + 1)
    total = np.zeros((len(counts), values.shape[1]))
    np.add.at(total, place[answered], values[answered])
    with np.errstate(invalid="ignore"):
        return total / counts[:, None]


def _check_agreement(table: PredictionTable, given: np.ndarray, scores: np.ndarray, place: np.ndarray) -> None:
    """Refuse a column `pred` that names another class than the scores beside it: of the row, or of all rows of a name.

    An empty cell says nothing.
    """
    stated = np.array([bool(text) for text in table.text("pred")])
    of_row = stated & ~_is_highest(scores, given)
    of_name = stated & ~_is_highest(_mean_by_place(scores, place)[place], given)
    if of_row.any() and of_name.any():
        row = int(of_row.argmax())
        table.wrong(
            row,
            f"pred is {given[row]}, and the highest score is that of class {predicted_class(scores[[row]])[0]}: "
            "expected the two to agree; take one of them out of the file",
        )


def _is_highest(scores: np.ndarray, given: np.ndarray) -> np.ndarray:
    """(n,) whether the score of the given class is the highest of its row, or both say that there is no prediction."""
    unanswered = np.isnan(scores).any(axis=1)
    inside = (given >= 0) & (given < scores.shape[1])
    own = np.take_along_axis(scores, np.where(inside, given, 0)[:, None], axis=1)[:, 0]
    with np.errstate(invalid="ignore"):
        highest = inside & (own >= scores.max(axis=1))
    return np.where(unanswered, given == UNANSWERED, highest)


def _check_unique(table: PredictionTable) -> None:
    first: dict[str, int] = {}
    for row, name in enumerate(table.text("name")):
        if name in first:
            table.wrong(
                row,
                f"name {name!r} stands on several lines, first on line {table.lines[first[name]]}: only scores can "
                "be averaged, not `pred`",
            )
        first[name] = row


def _subjects(table: PredictionTable, names: Sequence[str]) -> list[str] | None:
    """Who is in each clip of `names`, where the file says it of all."""
    if "subject" not in table.column:
        return None
    of_clip = dict(zip(table.text("name"), map(one_spelling, table.text("subject")), strict=True))
    return [of_clip[name] for name in names] if all(of_clip.values()) else None


def _groups(table: PredictionTable, names: Sequence[str]) -> list[str] | None:
    """The group of each clip of `names`, where the file says it of any.

    Raises:
        UserError: when it gives one clip several.
    """
    if "group" not in table.column:
        return None
    of_clip: dict[str, str] = {}
    for row, (name, group) in enumerate(zip(table.text("name"), map(one_spelling, table.text("group")), strict=True)):
        if of_clip.setdefault(name, group) != group:
            table.wrong(row, f"group is {group[:40]!r}, and {of_clip[name][:40]!r} for {name!r} before: expected one")
    return [of_clip[name] for name in names] if any(of_clip.values()) else None
