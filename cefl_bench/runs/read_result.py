"""How result.json is read: checked once, here, so that no report checks it again."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.files import check_kind, read_json
from cefl_bench.runs.result import BEST_TEST, HEADLINE, SCHEMA_VERSION, Result, Scores

MAX_DEPTH = 60
"""Levels of a config or protocol, which may hold anything else that JSON can."""
MAX_INTEGER = 10**18
EXPECTED, REMEDY = "the result.json that tools/train.py leaves", "take it away, or run that training again"
MAX_SHOWN_LENGTH = 40
"""Characters of a value in a message."""


def read_result(path: str | Path) -> Result:
    """Read the result.json of a run.

    Raises:
        UserError: naming the file and the field that is missing, of another kind than `Result` says, or in
            contradiction to another one.
    """
    return check_result(read_json(path, REMEDY), path)


def check_result(content: Any, path: str | Path) -> Result:
    """The content of the file `path` as a `Result`. Raises: UserError: as `read_result` does."""
    version = content.get("schema_version", SCHEMA_VERSION) if isinstance(content, dict) else SCHEMA_VERSION
    if version != SCHEMA_VERSION:
        shown = repr(version)[:MAX_SHOWN_LENGTH]
        raise UserError(
            f"{path}: schema_version is {shown}: expected {SCHEMA_VERSION}, which this version of cefl_bench reads"
        )
    result = check_kind(content, Result, path, EXPECTED, REMEDY)
    for wrong in _contradictions(result):
        raise UserError(f"{path} is not {EXPECTED} ({wrong}): {REMEDY}")
    return result


def _contradictions(result: Result) -> Iterator[str]:
    """What no kind of a field rules out: shapes that differ, scores that are not those of the confusion matrix."""
    metrics, num_classes = result["metrics"], len(result["classes"])
    if not any(which in metrics for which in HEADLINE):
        yield f"metrics has none of {', '.join(HEADLINE)}"
    if result["fold"] > result.get("num_folds", result["fold"]):
        yield f"fold is {result['fold']}, and num_folds {result['num_folds']}"
    for which in (*HEADLINE, BEST_TEST):
        if which in metrics:
            for wrong in _wrong_with(metrics[which], num_classes):
                yield f"metrics.{which}.{wrong}"
    for name, part in (("config", result["config"]), ("protocol", result["protocol"])):
        yield from _not_plain(part, name, 0)


def _wrong_with(scores: Scores, num_classes: int) -> Iterator[str]:
    matrix, support = scores["confusion_matrix"], np.array(scores["support"])
    if len(support) != num_classes or not support.sum():
        yield f"support is not the number of test clips of each of {num_classes} classes"
        return
    if [len(row) for row in matrix] != [num_classes] * num_classes:
        yield f"confusion_matrix is not of shape ({num_classes}, {num_classes})"
        return
    if len(scores["per_class"]) != num_classes:
        yield f"per_class is not the recall of each of {num_classes} classes"
    counts = np.array(matrix)
    if (counts.sum(axis=1) > support).any():
        yield "confusion_matrix has more clips in a row than support says"
    recall = np.diag(counts)[support > 0] / support[support > 0]
    found = {"uar": recall.mean(), "war": np.diag(counts).sum() / support.sum()}
    for name, stated in (("uar", scores["uar"]), ("war", scores["war"])):
        if not np.isclose(stated, found[name]):
            yield f"{name} is {stated}, and the confusion matrix gives {found[name]:.6g}"


def _not_plain(value: Any, where: str, depth: int) -> Iterator[str]:
    """Where a value is nested deeper, or a number larger, than any config is: writing it out would fail."""
    if depth > MAX_DEPTH:
        yield f"{where[:100]}.. is nested deeper than {MAX_DEPTH} levels"
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _not_plain(item, f"{where}.{key}", depth + 1)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _not_plain(item, f"{where}[{place}]", depth + 1)
    elif isinstance(value, int) and abs(value) > MAX_INTEGER:
        yield f"{where} is an integer of more than 18 digits"
