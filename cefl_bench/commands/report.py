"""Compares the runs of a folder, and takes in predictions of other code first."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cefl_bench.datasets.base import VideoDataset
from cefl_bench.errors import UserError
from cefl_bench.registry import DATASETS, registered
from cefl_bench.report.collect import EXTERNAL
from cefl_bench.report.external import add_external
from cefl_bench.report.pages import write_report
from cefl_bench.runs.prediction_table import ScoresAre


@dataclass
class NewExternal:
    """Predictions of other code, as the command line names them."""

    name: str
    files: Sequence[str]
    dataset: str
    folds: Sequence[int]
    scores_are: ScoresAre | None = None
    source: str = ""
    classes: Sequence[str] = ()


def report_with(folder: str | Path, new: NewExternal) -> tuple[Path, Path, list[str]]:
    """Take predictions in and write the report; returns where they are, the report, and a line on what was left out.

    Raises:
        UserError: when they cannot be read, or contradict what is there; the folder then is as it was.
    """
    folder = Path(folder)
    existed = [place for place in (folder, folder / EXTERNAL) if place.exists()]
    added = None
    try:
        added = _add(folder, new)
        target, left_out = write_report(folder)
    except BaseException:
        if added is not None:
            shutil.rmtree(added, ignore_errors=True)
        for place in (folder / EXTERNAL, folder):
            if place not in existed and place.is_dir() and not any(place.iterdir()):
                place.rmdir()
        raise
    return added, target, left_out


def _add(folder: Path, new: NewExternal) -> Path:
    """Take predictions in, with what the toolkit knows of their corpus."""
    meta = _corpus_called(new.dataset)
    classes = list(new.classes or (meta["classes"] if meta else ()))
    if meta and new.classes and len(new.classes) != len(meta["classes"]):
        raise UserError(
            f"--classes has {len(new.classes)} names: expected the {len(meta['classes'])} of {meta['name']}"
        )
    return add_external(
        folder,
        new.name,
        new.files,
        meta["name"] if meta else new.dataset,
        new.folds,
        new.scores_are,
        new.source,
        classes,
        meta["num_folds"] if meta else None,
    )


def _corpus_called(dataset: str) -> dict[str, Any] | None:
    """The METAINFO of the corpus of that name or key; None for a corpus of one's own."""
    for cls in registered(DATASETS, VideoDataset).values():
        meta = getattr(cls, "METAINFO", None) or {}
        if dataset.lower() in (meta.get("key"), meta.get("name", "").lower()) and meta["classes"]:
            return meta
    return None
