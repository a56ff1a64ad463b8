"""Predictions of other code, beside the runs: `external/<name>/` with about.json and a CSV for each fold or for all."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Annotated, TypedDict

import numpy as np
from msgspec import Meta
from typing_extensions import NotRequired

from cefl_bench.errors import UserError
from cefl_bench.files import atomic_path, check_kind, read_json, write_json
from cefl_bench.functional.escaping import one_line
from cefl_bench.functional.recall import UNANSWERED
from cefl_bench.report.collect import Run
from cefl_bench.runs.folder import PREDICTIONS
from cefl_bench.runs.prediction_table import ScoresAre
from cefl_bench.runs.predictions import Predictions, read_predictions
from cefl_bench.runs.result import Fold, Name, Text

ABOUT = "about.json"
MAX_NAME_LENGTH = 100


class About(TypedDict):
    """about.json: what the predictions do not say themselves."""

    name: Name
    dataset: Name
    """The corpus, by its name."""
    folds: Annotated[list[Fold], Meta(min_length=1)]
    source: NotRequired[Text]
    """Where they come from: a paper, a URL."""
    scores: NotRequired[ScoresAre | None]
    """None: as the names of the columns say."""
    classes: NotRequired[list[Name]]
    """Of the corpus, in the order of the labels; numbers where they are not known."""
    num_folds: NotRequired[Fold]


@dataclass
class Group:
    """The runs that share a table, and the external predictions that enter it."""

    runs: list[Run]
    dataset: str
    classes: list[str]
    num_folds: int
    external: list[Run] = field(default_factory=list)

    def official(self) -> dict[int, dict[str, int]]:
        """The test clips of each fold with their labels: all that any of its runs has."""
        clips: dict[int, dict[str, int]] = {}
        for run in self.runs:
            clips.setdefault(run.fold, {}).update(
                zip(run.predictions.name, run.predictions.label.tolist(), strict=True)
            )
        return clips


@dataclass
class External:
    """Predictions of other code, as they were read."""

    place: Path
    about: About
    of_fold: dict[int, Predictions]
    """Empty where one file has several folds; it is then `together`."""
    together: Predictions | None


def add_external(
    folder: str | Path,
    name: str,
    files: Sequence[str],
    dataset: str,
    folds: Sequence[int],
    scores_are: ScoresAre | None = None,
    source: str = "",
    classes: Sequence[str] = (),
    num_folds: int | None = None,
) -> Path:
    """Take predictions of other code in: a file for all its folds, or one per fold, in their order.

    Raises:
        UserError: when a file is no predictions.csv, or the name is taken; nothing is written then.
    """
    if not name or Path(name).name != name or name.startswith(".") or name != one_line(name)[:MAX_NAME_LENGTH]:
        raise UserError(f"--add-external {name!r}: expected a name that can be a folder's, such as my_net")
    target = Path(folder) / "external" / name
    if target.exists():
        raise UserError(f"{target} is there already: take it away, or give another name than {name!r}")
    if len(set(folds)) < len(folds) or not all(1 <= fold <= 1000 for fold in folds):
        raise UserError(f"--fold {' '.join(map(str, folds))}: expected each fold once, counted from 1")
    if num_folds and max(folds) > num_folds:
        raise UserError(f"--fold {max(folds)}: {dataset} has {num_folds} fold{'s' if num_folds > 1 else ''}")
    if len(files) not in (1, len(folds)):
        raise UserError(
            f"{len(files)} files for {len(folds)} folds: expected one for all, or one for each in its order"
        )
    for file in files:
        read_predictions(file, scores_are, len(classes) or None)  # says what is wrong with it
    about = About(name=name, dataset=dataset, folds=list(folds), source=source, scores=scores_are)
    if classes:
        about["classes"] = list(classes)
    if num_folds:
        about["num_folds"] = num_folds
    names = [PREDICTIONS] if len(files) == 1 else [_file_of_fold(fold) for fold in folds]
    for file, new in zip(files, names, strict=True):
        with atomic_path(target / new) as temporary:
            shutil.copyfile(file, temporary)
    write_json(target / ABOUT, about)  # last: with it the predictions count
    return target


def read_external(folder: Path, groups: Sequence[Group], left_out: list[str]) -> list[Group]:
    """Let the external predictions in `folder` enter the tables of their corpus; new groups for those that have none.

    They are scored over the clips that the runs of that fold have; where there are no runs, over those that any of the
    external predictions of that fold has. A clip without a prediction counts as wrong. Notes what enters no table.

    Raises:
        UserError: naming the file, and the clip whose label is another one elsewhere, or which nobody else has.
    """
    taken: set[str] = set()
    for group in groups:
        taken |= {run.method for run in group.runs}
    without: dict[str, list[External]] = {}
    for place in sorted(path for path in folder.glob("*") if path.is_dir()):
        about = _read_about(place / ABOUT)
        name, corpus = about["name"], _key(about["dataset"])
        if name in taken:
            raise UserError(f"{place / ABOUT}: name {name!r} is that of another method: give another one")
        taken.add(name)
        entered = [group for group in groups if _key(group.dataset) == corpus]
        for group in entered:
            external = _read_predictions(place, about, len(group.classes))
            group.external += _enter(external, group.official(), group.classes)
        if not entered:
            without.setdefault(corpus, []).append(
                _read_predictions(place, about, len(about.get("classes", ())) or None)
            )
            continue
        scored: set[int] = set()
        for group in entered:
            scored |= {run.fold for run in group.external if run.method == name}
        missing = ", ".join(str(fold) for fold in sorted({*about["folds"]} - scored))
        if missing:
            left_out.append(f"external/{place.name}: no run of {about['dataset']}, fold {missing}, to compare it with")
    made = [_group_alone(externals, left_out) for externals in without.values()]
    return [group for group in made if group.external]


def _group_alone(externals: Sequence[External], left_out: list[str]) -> Group:
    """External predictions of a corpus that no run is of: they are compared with one another."""
    usable = []
    for external in externals:
        if external.together is None:
            usable.append(external)
            continue
        left_out.append(
            f"external/{external.place.name}: which clip is of which fold is not known without a run of "
            f"{external.about['dataset']}: give one file per fold"
        )
    clips: dict[int, dict[str, int]] = {}
    for external in usable:
        for fold, predictions in external.of_fold.items():
            _check_labels(external, fold, predictions, clips.get(fold, {}), None)
            _check_shared(external, fold, predictions, clips.get(fold, {}))
            clips.setdefault(fold, {}).update(zip(predictions.name, predictions.label.tolist(), strict=True))
    abouts = [external.about for external in externals]
    stated = [about for about in abouts if "classes" in about]
    of_folds = chain.from_iterable(external.of_fold.values() for external in usable)
    highest = max((given.num_classes for given in of_folds), default=0)
    classes = stated[0]["classes"] if stated else [str(k) for k in range(highest)]
    num_folds = max([len(clips), *(about.get("num_folds", 1) for about in abouts)])
    group = Group([], (stated or abouts)[0]["dataset"], classes, num_folds)
    for external in usable:
        group.external += _enter(external, clips, classes)
    return group


def _read_about(path: Path) -> About:
    example = 'of the form {"name": .., "dataset": .., "folds": [..], "source": ..}'
    remedy = "take the folder away, or set it right"
    return check_kind(read_json(path, remedy), About, path, example, remedy)


def _read_predictions(place: Path, about: About, num_classes: int | None) -> External:
    """The predictions of a folder: of each fold where they are apart, or of its only fold; else all together."""
    scores_are, folds = about.get("scores"), sorted({*about["folds"]})
    apart = {fold: place / _file_of_fold(fold) for fold in folds}
    if any(path.exists() for path in apart.values()):
        of_fold = {fold: read_predictions(path, scores_are, num_classes) for fold, path in apart.items()}
        return External(place, about, of_fold, None)
    given = read_predictions(place / PREDICTIONS, scores_are, num_classes)
    return External(place, about, {folds[0]: given}, None) if len(folds) == 1 else External(place, about, {}, given)


def _enter(external: External, official: Mapping[int, Mapping[str, int]], classes: Sequence[str]) -> list[Run]:
    """A run per fold that the table has, over all clips that it has of the fold."""
    wanted = sorted({*external.about["folds"]})
    folds = [fold for fold in wanted if fold in official]
    if external.together is not None and folds == wanted:
        everything: dict[str, int] = {}
        for fold in folds:
            everything.update(official[fold])
        _check_known(external, ", ".join(map(str, folds)), external.together, everything)
    runs = []
    for fold in folds:
        given = external.of_fold.get(fold, external.together)
        assert given is not None, "predictions are of each fold, or together"
        if external.together is None:
            _check_known(external, str(fold), given, official[fold])
        _check_labels(external, fold, given, official[fold], classes)
        runs.append(_run(external, fold, given, official[fold], len(classes)))
    return runs


def _run(external: External, fold: int, given: Predictions, official: Mapping[str, int], num_classes: int) -> Run:
    pred = dict(zip(given.name, given.pred.tolist(), strict=True))
    who = dict(zip(given.name, given.subject, strict=True)) if given.subject else {}
    groups = dict(zip(given.name, given.group, strict=True)) if given.group else {}
    predictions = Predictions(
        list(official),
        np.array(list(official.values())),
        np.array([pred.get(name, UNANSWERED) for name in official]),
        None,
        num_classes,
        [who[name] for name in official] if all(name in who for name in official) else None,
        [groups.get(name, "") for name in official] if groups else None,
    )
    about = external.about
    return Run(about["name"], fold, None, predictions, None, external.place, about.get("source", ""))


def _check_known(external: External, folds: str, given: Predictions, official: Mapping[str, int]) -> None:
    foreign = [name for name in given.name if name not in official]
    if foreign:
        raise UserError(
            f"{external.place}: {len(foreign)} of {len(given.name)} clips are in no run of "
            f"{external.about['dataset']}, fold {folds}, such as {foreign[0]!r}: expected names such as "
            f"{min(official)!r}"
        )


def _check_shared(external: External, fold: int, given: Predictions, others: Mapping[str, int]) -> None:
    if others and not any(name in others for name in given.name):
        raise UserError(
            f"{external.place}: no clip of fold {fold} is in the predictions beside it: {given.name[0]!r} here, "
            f"{next(iter(others))!r} there: expected the same names for the same clips"
        )


def _check_labels(
    external: External, fold: int, given: Predictions, official: Mapping[str, int], classes: Sequence[str] | None
) -> None:
    for name, label in zip(given.name, given.label.tolist(), strict=True):
        known = official.get(name, label)
        if known != label:
            here, there = (f"{k} ({classes[k]})" if classes else str(k) for k in (label, known))
            where = f"the runs of fold {fold}" if classes else f"other predictions of fold {fold}"
            raise UserError(
                f"{external.place}: clip {name!r} has label {here} and in {where} {there}: expected the official "
                "labels, counted from 0"
            )


def _file_of_fold(fold: int) -> str:
    return f"fold{fold}.csv"


def _key(dataset: str) -> str:
    """A corpus by its letters and digits alone: `CREMA-D` and `cremad` are one."""
    return "".join(character for character in dataset.lower() if character.isalnum() or character == ">")
