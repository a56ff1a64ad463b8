"""Folds that share no source: clips of one film or recording are all on one side."""

import functools
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cefl_bench.errors import UserError
from cefl_bench.functional.folds import subject_folds
from cefl_bench.records import Entry
from cefl_bench.tables import filled, one_spelling, read_table

OFFICIAL, BY_SOURCE = "official", "by-source"


def add_sources(entries: Sequence[Entry], table: Path) -> None:
    """Tell each video's source, by a table `name,source`; zeros before a number that is a name do not count.

    Raises:
        UserError: naming the line, or the first video without a source.
    """
    source_of: dict[str, str] = {}
    for where, row in read_table(table, "name", "source"):
        key, source = _key(filled(where, row, "name")), one_spelling(filled(where, row, "source"))
        if source_of.setdefault(key, source) != source:
            raise UserError(f"{where}: {row['name']!r} is of {source!r} here and of {source_of[key]!r} before")
    missing = [entry["name"] for entry in entries if _key(entry["name"]) not in source_of]
    if missing:
        raise UserError(
            f"{table}: {len(missing)} videos have no source, such as {missing[0]!r}: expected a row name,source for "
            "every video of the corpus"
        )
    for entry in entries:
        entry["source"] = source_of[_key(entry["name"])]


def folds_by_source(entries: Sequence[Entry], meta: Mapping[str, Any]) -> list[int]:
    """The test fold of each video, 1..num_folds: whole sources, with about the same share of each class in each fold.

    Args:
        meta: `name` and `num_folds` of the corpus.

    It depends on names, labels and sources alone. It is that of `subject_folds`, with sources for people.

    Raises:
        UserError: when the corpus has a fixed split, or does not say the source of a video.
    """
    corpus, num_folds = meta["name"], meta["num_folds"]
    if num_folds < 2:
        raise UserError(f"folds is {BY_SOURCE!r}: {corpus} has a fixed split and no folds: leave it out")
    unknown = [entry["name"] for entry in entries if not entry.get("source")]
    if unknown:
        raise UserError(
            f"folds is {BY_SOURCE!r}: {corpus} does not say which source {unknown[0]!r} is from: give a table "
            "name,source of all its videos, with --sources FILE"
        )
    known = sorted((entry["name"], entry["label"], entry["source"]) for entry in entries)
    _, labels, sources = zip(*known, strict=True)
    fold_of = _folds(labels, sources, num_folds)
    return [fold_of[entry["source"]] for entry in entries]


def table_hash(table: Path) -> str:
    """Twelve hex digits that tell which source each name has, in whatever order."""
    rows = sorted(
        f"{_key(row['name'])}\t{one_spelling(row['source'])}" for _, row in read_table(table, "name", "source")
    )
    return hashlib.sha256("\n".join(rows).encode(errors="surrogateescape")).hexdigest()[:12]


@functools.lru_cache(maxsize=4)
def _folds(labels: tuple[int, ...], sources: tuple[str, ...], num_folds: int) -> dict[str, int]:
    """Kept, because both sides of a fold ask for it, and it takes seconds."""
    return subject_folds(labels, sources, num_folds, whose="source")


def _key(name: str) -> str:
    return name.lstrip("0") if name.isdecimal() else name
