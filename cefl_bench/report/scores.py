"""The scores of a predictions.csv, as numbers and as a table for people."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.files import write_text
from cefl_bench.functional.recall import recall_scores
from cefl_bench.runs.predictions import read_predictions


def score_file(
    path: str | Path, scores_are: str = "logits", classes: Sequence[str] | None = None, json_path: str | None = None
) -> dict[str, Any]:
    """Score a predictions.csv; `recall_scores` plus `classes` and `clips`, and written to `json_path` where given."""
    predictions = read_predictions(path, scores_are, num_classes=None if classes is None else len(classes))
    scores = recall_scores(predictions.label, predictions.pred, predictions.num_classes)
    scores |= {"clips": len(predictions.name), "classes": list(classes or map(str, range(predictions.num_classes)))}
    scores["per_class"] = [None if np.isnan(recall) else float(recall) for recall in scores["per_class"]]
    scores |= {name: scores[name].tolist() for name in ("confusion_matrix", "support")}
    if json_path is not None:
        try:
            write_text(json_path, json.dumps(scores, indent=2) + "\n")
        except OSError as error:
            raise UserError(f"--json {json_path!r} cannot be written ({error.strerror})") from None
    return scores


def scores_table(scores: dict[str, Any]) -> str:
    """The table that `tools/score.py` prints: averages first, then a row per true class with where its clips went."""
    classes, width = scores["classes"], max(5, *map(len, scores["classes"]))
    unanswered = f" ({scores['unanswered']} unanswered, counted as wrong)" if scores["unanswered"] else ""
    lines = [
        f"{scores['clips']} clips{unanswered}",
        f"UAR {scores['uar']:.4f}   WAR {scores['war']:.4f}   "
        f"F1 macro {scores['f1_macro']:.4f}   F1 weighted {scores['f1_weighted']:.4f}",
        "",
        f"{'true':{width}}  recall  clips   predicted as " + " ".join(f"{name[:5]:>5}" for name in classes),
    ]
    for row, name in enumerate(classes):
        recall = scores["per_class"][row]
        shown = "     -" if recall is None else f"{recall:6.3f}"
        counts = " ".join(f"{count:5d}" for count in scores["confusion_matrix"][row])
        lines.append(f"{name:{width}}  {shown}  {scores['support'][row]:5d}                {counts}")
    return "\n".join(lines)
