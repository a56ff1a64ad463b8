"""The log of a run, to which several hooks add lines."""

from pathlib import Path

from cefl_bench.runs.folder import LOG


def add_to_log(folder: str | Path, line: str) -> None:
    """Add a line to the `train.log` of a run folder."""
    with open(Path(folder) / LOG, "a", encoding="utf-8") as log:
        log.write(line + "\n")
