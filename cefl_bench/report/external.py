"""Predictions of other code: `external/<name>/` with `predictions.csv` and `about.json`, beside the runs."""

from collections.abc import Sequence
from pathlib import Path

from cefl_bench.report.runs import Run


def read_external(folder: Path, groups: Sequence[Sequence[Run]], left_out: list[str]) -> list[list[Run]]:
    """The external predictions that enter each table."""
    return [[] for _ in groups]
