"""Reads a folder of runs: `<config>/fold<K>_seed<S>/` with `result.json` and `predictions.csv`, checked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.functional.recall import confusion_matrix
from cefl_bench.runs.predictions import Predictions, read_predictions
from cefl_bench.runs.result import SCHEMA_VERSION

OTHER_FOLDERS = ("external", "report", "speed")
"""Folders of the benchmark that hold no runs."""
ACROSS = " -> "
"""In the name of a dataset: trained on one corpus, tested on another."""
KINDS = {
    str: ("config_name", "command", "method", "dataset", "track", "protocol_id"),
    int: ("fold", "seed"),
    list: ("classes", "history"),
    dict: ("protocol", "metrics", "clips", "cost", "time", "environment", "data_fingerprint"),
}
"""The fields that a report needs of a `Result`, by what they are."""


@dataclass
class Run:
    """A method's answers on the test clips of one fold; `result` is empty for predictions of other code."""

    method: str
    fold: int
    seed: int | None
    predictions: Predictions
    result: Mapping[str, Any]
    folder: Path
    source: str = ""

    @property
    def external(self) -> bool:
        return not self.result


def read_runs(folder: str | Path) -> tuple[list[Run], list[str]]:
    """All finished trainings below `folder`, and a line each on what lies there and was left out.

    Raises:
        UserError: naming the file that is damaged, is of something else, or does not belong to its neighbour.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder: expected the one that runs were written to, as --out or --work-dir")
    runs: dict[tuple, Run] = {}
    left_out = [
        f"{path.relative_to(folder)}: expected CONFIG/foldK_seedS/result.json"
        for path in sorted(
            [*folder.glob("result.json"), *folder.glob("*/result.json"), *folder.glob("*/*/result.json")]
        )
        if not path.parent.match("*/fold*_seed*") and path.relative_to(folder).parts[0] not in OTHER_FOLDERS
    ]
    for place in sorted(folder.glob("*/fold*_seed*")):
        if place.parent.name in OTHER_FOLDERS or not place.is_dir():
            continue
        if not (place / "result.json").exists():
            left_out.append(f"{place.relative_to(folder)}: not finished, there is no result.json")
            continue
        result = read_result(place / "result.json")
        if reason := _no_training(result):
            left_out.append(f"{place.relative_to(folder)}: {reason}")
            continue
        run = Run(result["config_name"], result["fold"], result["seed"], answers_of(place, result), result, place)
        key = (run.method, result["protocol_id"], run.fold, run.seed)
        if key in runs:
            raise UserError(
                f"{place} and {runs[key].folder} are both {run.method}, fold {run.fold}, seed {run.seed}: expected "
                "one run of each; take one of them away"
            )
        runs[key] = run
    return list(runs.values()), left_out


def _no_training(result: Mapping[str, Any]) -> str:
    """Why a result cannot stand for a whole training of its protocol; empty where it can."""
    if honest(result) != "checkpoint":
        return ""
    if ACROSS not in result["dataset"]:
        return "a test of a checkpoint, not a training"
    epoch, epochs = result["metrics"]["checkpoint"].get("epoch"), result["protocol"].get("schedule", {}).get("epochs")
    if result["protocol"].get("selection") == "last" and epoch != epochs:
        return f"a test of a checkpoint of epoch {epoch}, and its protocol has {epochs} epochs"
    return ""


def honest(result: Mapping[str, Any]) -> str:
    """Which metrics of a result were not picked on the test set; predictions.csv holds the answers of that epoch."""
    for which in ("selected_by_val", "last", "checkpoint"):
        if which in result["metrics"]:
            return which
    raise KeyError("metrics.last")


def read_json(path: Path) -> Any:
    """The content of a JSON file. Raises: UserError: naming it where it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} cannot be read as JSON ({error}): take it away, or run that training again") from None


def read_result(path: Path) -> dict[str, Any]:
    """A `Result`, with every field that a report needs. Raises: UserError: naming the file."""
    result = read_json(path)
    needed = [name for names in KINDS.values() for name in names]
    missing = [name for name in needed if not isinstance(result, dict) or name not in result]
    if missing:
        raise UserError(f"{path} has no {', '.join(missing)}: expected the result.json that tools/train.py leaves")
    if result.get("schema_version") != SCHEMA_VERSION:
        raise UserError(
            f"{path}: schema_version is {result.get('schema_version')!r}: expected {SCHEMA_VERSION}, which this "
            "version of cefl_bench reads"
        )
    try:
        for kind, names in KINDS.items():
            if wrong := [name for name in names if not isinstance(result[name], kind)]:
                raise TypeError(f"{wrong[0]} is {result[wrong[0]]!r}")
        classes = len(result["classes"])
        for which in {honest(result), "best_test"} & {*result["metrics"]}:
            scores = result["metrics"][which]
            float(scores["war"]), float(scores["uar"])
            shapes = np.shape(scores["confusion_matrix"]), np.shape(scores["support"])
            if shapes != ((classes, classes), (classes,)):
                raise ValueError(f"{which} has a confusion matrix of shape {shapes[0]} for {classes} classes")
            if not np.allclose((scores["uar"], scores["war"]), _recalls(scores)):
                raise ValueError(f"the UAR and WAR of {which} are not those of its confusion matrix")
        float(result["time"]["train_seconds"]), result["cost"]["params"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{path} is not a result of a run ({type(error).__name__}: {error}): take it away") from None
    return result


def _recalls(scores: Mapping[str, Any]) -> tuple[float, float]:
    """UAR and WAR, from the confusion matrix and the clips per class."""
    right, support = np.diag(scores["confusion_matrix"]), np.array(scores["support"])
    return (right[support > 0] / support[support > 0]).mean(), right.sum() / support.sum()


def answers_of(folder: Path, result: Mapping[str, Any]) -> Predictions:
    """The predictions beside a result, which must give its numbers. Raises: UserError: where they do not."""
    path, classes = folder / "predictions.csv", len(result["classes"])
    answers = read_predictions(path, num_classes=classes)
    found = confusion_matrix(answers.label, answers.pred, classes)
    scores, support = result["metrics"][honest(result)], np.bincount(answers.label, minlength=classes)
    if not (np.array_equal(found, scores["confusion_matrix"]) and np.array_equal(support, scores["support"])):
        raise UserError(
            f"{path} does not give the confusion matrix of {folder / 'result.json'}: expected the two files of one run"
        )
    return answers
