"""The part of a training fold that is held out to validate on."""

from collections.abc import Sequence

from cefl_bench.functional.folds import held_out
from cefl_bench.records import Entry


def part_of_training(entries: Sequence[Entry], share: float, val: bool, by_source: bool) -> list[Entry]:
    """The held-out part of the training videos (`val`), or the rest of them: whole subjects, or whole sources."""
    groups = []
    for entry in entries:
        whose = entry.get("source") if by_source else entry.get("subject")
        groups.append(f"subject {whose}" if whose else entry["name"])
    held = held_out([entry["label"] for entry in entries], groups, share)
    return [entry for entry, out in zip(entries, held, strict=True) if out == val]
