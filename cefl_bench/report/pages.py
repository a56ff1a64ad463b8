"""Writes the report of a folder of runs: one leaderboard, as many pages."""

import json
from pathlib import Path

from cefl_bench.files import write_text
from cefl_bench.report.collect import REPORT
from cefl_bench.report.latex import latex
from cefl_bench.report.leaderboard import make_leaderboard
from cefl_bench.report.markdown import markdown
from cefl_bench.report.spreadsheet import csv_text


def write_report(folder: str | Path) -> tuple[Path, list[str]]:
    """Write `folder`/report/ anew; returns it, and a line on everything that was left out.

    Raises:
        UserError: naming the file with which something is wrong; the old report then stays as it was.
    """
    leaderboard = make_leaderboard(folder)
    from cefl_bench.report.figures import write_figures  # here, so that a mistake is told before matplotlib is loaded
    from cefl_bench.report.html import write_html

    target = Path(folder) / REPORT
    write_text(target / "leaderboard.json", json.dumps(leaderboard, indent=1, allow_nan=False) + "\n")
    for name, write in (("leaderboard.md", markdown), ("leaderboard.csv", csv_text), ("leaderboard.tex", latex)):
        write_text(target / name, write(leaderboard))
    write_html(leaderboard, target)
    write_figures(leaderboard, target)
    return target, leaderboard["left_out"]
