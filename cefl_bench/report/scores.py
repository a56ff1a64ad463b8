"""The scores of a predictions.csv, as numbers and as a table for people."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.files import check_writable, write_json
from cefl_bench.functional.escaping import one_line
from cefl_bench.functional.recall import recall_scores
from cefl_bench.functional.text_width import first_columns, padded, text_width
from cefl_bench.report.naming import NOTHING
from cefl_bench.runs.prediction_table import ScoresAre
from cefl_bench.runs.predictions import read_predictions

MIN_NAME_WIDTH = 5
"""Columns of the names of classes, at least; those of the columns are cut to it."""


class FileScores(TypedDict):
    """What `tools/score.py --json` writes: rates in 0..1, K classes."""

    uar: float
    war: float
    f1_macro: float
    f1_weighted: float
    per_class: list[float | None]
    """(K,) recalls, None for a class without clips."""
    confusion_matrix: list[list[int]]
    """(K, K) rows true, columns predicted; unanswered clips are in no column."""
    support: list[int]
    unanswered: int
    clips: int
    classes: list[str]


def score_file(
    path: str | Path,
    scores_are: ScoresAre | None = None,
    classes: Sequence[str] | None = None,
    json_path: str | None = None,
) -> FileScores:
    """Score a predictions.csv; also written to `json_path` where given."""
    check_writable("--json", json_path)
    if classes is not None and (len(set(classes)) < len(classes) or not all(classes)):
        raise UserError(f"--classes {','.join(classes)!r}: expected the name of each class once")
    predictions = read_predictions(path, scores_are, num_classes=None if classes is None else len(classes))
    found = recall_scores(predictions.label, predictions.pred, predictions.num_classes)
    scores: FileScores = {
        "uar": found["uar"],
        "war": found["war"],
        "f1_macro": found["f1_macro"],
        "f1_weighted": found["f1_weighted"],
        "per_class": [None if np.isnan(recall) else float(recall) for recall in found["per_class"]],
        "confusion_matrix": found["confusion_matrix"].tolist(),
        "support": found["support"].tolist(),
        "unanswered": found["unanswered"],
        "clips": len(predictions.name),
        "classes": list(classes or map(str, range(predictions.num_classes))),
    }
    write_json(json_path, scores)
    return scores


def scores_table(scores: FileScores) -> str:
    """The table that `tools/score.py` prints: averages first, then a row per true class with where its clips went."""
    classes = [one_line(name) for name in scores["classes"]]
    width = max(MIN_NAME_WIDTH, *map(text_width, classes))
    unanswered = f" ({scores['unanswered']} unanswered, counted as wrong)" if scores["unanswered"] else ""
    heads = [padded(first_columns(name, MIN_NAME_WIDTH), MIN_NAME_WIDTH, right=True) for name in classes]
    lines = [
        f"{scores['clips']} clips{unanswered}",
        f"UAR {scores['uar']:.4f}   WAR {scores['war']:.4f}   "
        f"F1 macro {scores['f1_macro']:.4f}   F1 weighted {scores['f1_weighted']:.4f}",
        "",
        f"{padded('true', width)}  recall  clips   predicted as {' '.join(heads)}",
    ]
    for row, name in enumerate(classes):
        recall = scores["per_class"][row]
        shown = f"     {NOTHING}" if recall is None else f"{recall:6.3f}"
        counts = " ".join(f"{count:5d}" for count in scores["confusion_matrix"][row])
        lines.append(f"{padded(name, width)}  {shown}  {scores['support'][row]:5d}                {counts}")
    return "\n".join(lines)
