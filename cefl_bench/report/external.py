"""Predictions of other code: `external/<name>/` with `predictions.csv` and `about.json`, beside the runs."""

import csv
import json
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from cefl_bench.errors import UserError
from cefl_bench.files import write_text
from cefl_bench.functional.recall import UNANSWERED
from cefl_bench.report.runs import ACROSS, Run, read_json
from cefl_bench.runs.predictions import Predictions, read_predictions


def add_external(
    folder: str | Path,
    name: str,
    files: Sequence[str],
    dataset: str,
    folds: Sequence[int],
    scores_are: str = "logits",
    source: str = "",
) -> Path:
    """Take predictions of other code in: a file for all its folds, or one per fold.

    Raises:
        UserError: when a file is no predictions.csv, or the name is taken.
    """
    if not name or Path(name).name != name or name.startswith("."):
        raise UserError(f"--add-external {name!r}: expected a name that can be a folder's, such as my_net")
    target = Path(folder) / "external" / name
    if target.exists():
        raise UserError(f"{target} is there already: take it away, or give another name than {name!r}")
    tables = []
    for file in files:
        read_predictions(file, scores_are)  # says what is wrong with it
        tables.append(list(csv.reader(StringIO(Path(file).read_text(encoding="utf-8-sig")))))
    if other := [file for file, table in zip(files, tables, strict=True) if table[0] != tables[0][0]]:
        raise UserError(f"{other[0]} has other columns than {files[0]}: expected files of one method")
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows([tables[0][0], *(row for table in tables for row in table[1:])])
    write_text(target / "predictions.csv", text.getvalue())
    about = {"name": name, "dataset": dataset, "folds": list(folds), "source": source, "scores": scores_are}
    write_text(target / "about.json", json.dumps(about, indent=2) + "\n")
    return target


def read_external(folder: Path, groups: Sequence[Sequence[Run]], left_out: list[str]) -> list[list[Run]]:
    """The external predictions that enter each table, given the runs of the tables; notes what enters none.

    They are scored over the clips that the runs of that fold have: one without an answer counts as wrong.

    Raises:
        UserError: naming the file, and the clip whose label contradicts the runs, or which no run has.
    """
    entering: list[list[Run]] = [[] for _ in groups]
    taken = {run.method for runs in groups for run in runs}
    for place in sorted(path for path in folder.glob("*") if path.is_dir()):
        about = _about(place / "about.json")
        name = about["name"]
        if name in taken:
            raise UserError(f"{place / 'about.json'}: name {name!r} is that of another method: give another one")
        taken.add(name)
        scored: set[int] = set()
        for runs, table in zip(groups, entering, strict=True):
            if any(_same_corpus(run.result, about["dataset"]) for run in runs):
                new = _runs(place, about, runs)
                scored |= {run.fold for run in new}
                table += new
        if without := sorted({*about["folds"]} - scored):
            folds = ", ".join(map(str, without))
            left_out.append(f"external/{place.name}: no run of {about['dataset']}, fold {folds}, to compare it with")
    return entering


def _about(path: Path) -> dict[str, Any]:
    about = read_json(path)
    try:
        folds = about["folds"]
        known = {"folds": [int(fold) for fold in folds], "scores": about.get("scores", "logits")}
        known |= {"name": about["name"], "dataset": about["dataset"], "source": about.get("source", "")}
        texts = (known["name"], known["dataset"], known["source"])
        if not folds or isinstance(folds, str) or not known["name"] or not all(isinstance(text, str) for text in texts):
            raise ValueError
        return known
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UserError(f'{path}: expected {{"name": .., "dataset": .., "folds": [..], "source": ..}}') from None


def _runs(place: Path, about: Mapping[str, Any], runs: Sequence[Run]) -> list[Run]:
    """A run per fold that the table has, over all clips that its runs have."""
    path = place / "predictions.csv"
    given = read_predictions(path, about["scores"], num_classes=len(runs[0].result["classes"]))
    official: dict[int, dict[str, int]] = {}
    for run in runs:
        of_fold = official.setdefault(run.fold, {})
        of_fold |= zip(run.predictions.name, run.predictions.label.tolist(), strict=True)
    folds = [fold for fold in sorted({*about["folds"]}) if fold in official]
    if folds == sorted({*about["folds"]}):
        known = set().union(*(official[fold] for fold in folds))
        if foreign := [name for name in given.name if name not in known]:
            raise UserError(
                f"{path}: {len(foreign)} of {len(given.name)} clips are in no run of {about['dataset']}, fold "
                f"{', '.join(map(str, folds))}, such as {foreign[0]!r}: expected names such as {min(known)!r}"
            )
    return [_scored(path, about, given, fold, official[fold], runs[0]) for fold in folds]


def _scored(
    path: Path, about: Mapping[str, Any], given: Predictions, fold: int, official: Mapping[str, int], example: Run
) -> Run:
    answer = {
        name: (label, pred)
        for name, label, pred in zip(given.name, given.label.tolist(), given.pred.tolist(), strict=True)
    }
    classes = example.result["classes"]
    for name, label in official.items():
        if name in answer and answer[name][0] != label:
            raise UserError(
                f"{path}: clip {name!r} has label {answer[name][0]} ({classes[answer[name][0]]}) and in the runs of "
                f"fold {fold} {label} ({classes[label]}): expected the official labels, counted from 0"
            )
    pred = [answer[name][1] if name in answer else UNANSWERED for name in official]
    label = np.array(list(official.values()))
    predictions = Predictions(list(official), label, np.array(pred), None, len(classes))
    return Run(about["name"], fold, None, predictions, {}, path.parent, about["source"])


def _same_corpus(result: Mapping[str, Any], dataset: str) -> bool:
    """Whether a result is of a corpus, which is called by its name or by its key in config names."""
    key = result["config_name"][len(result["method"]) + 1 :].split("_")[0]
    return dataset.lower() in (result["dataset"].lower(), *([] if ACROSS in result["dataset"] else [key.lower()]))
