"""What a method recognises of each group of people, where predictions say of which group a clip is."""

from collections.abc import Sequence

import numpy as np

from cefl_bench.functional.escaping import markdown_text
from cefl_bench.functional.outcomes import Metric, Outcomes, rate_interval
from cefl_bench.report.board import GroupScores, Row, Table
from cefl_bench.report.clips import Predicted
from cefl_bench.report.naming import NOTHING, interval, percent

GROUPS_NOTE = (
    "Groups are compared with care: a group that shows other expressions, or fewer people, differs by that too. "
    "Intervals that overlap tell nothing apart; those of a few clips or people are wide."
)


def group_scores(predicted: Predicted) -> list[GroupScores]:
    """WAR and UAR of a method over the clips of each group, in the order of their names."""
    found: list[GroupScores] = []
    for group in sorted(set(predicted.clips.group.values())):
        outcomes = predicted.of_group(group)
        if outcomes is None:
            continue
        people = None if outcomes.subject is None else len(np.unique(outcomes.subject))
        found.append(
            {
                "group": group,
                "clips": len(np.unique(outcomes.clip)),
                "people": people,
                "war": float(outcomes.value("war")),
                "war_interval": _ends(outcomes, "war"),
                "uar": float(outcomes.value("uar")),
                "uar_interval": _ends(outcomes, "uar"),
            }
        )
    return found


def has_groups(table: Table) -> bool:
    """Whether any row of a table tells groups apart."""
    return any(row["groups"] for row in table["rows"])


def group_lines(table: Table) -> list[str]:
    """The groups of each method as a Markdown table, with what to keep in mind."""
    lines = ["| method | group | clips | people | WAR | UAR |", "|---|---|--:|--:|--:|--:|"]
    for row in table["rows"]:
        lines += [f"| {' | '.join(cells)} |" for cells in _cells(row)]
    return [*lines, "", f"- {GROUPS_NOTE}"]


def _cells(row: Row) -> Sequence[Sequence[str]]:
    cells = []
    for group in row["groups"]:
        people = NOTHING if group["people"] is None else str(group["people"])
        rates = [
            f"{percent(group['war'])} {interval(group['war_interval'])}",
            f"{percent(group['uar'])} {interval(group['uar_interval'])}",
        ]
        cells.append([markdown_text(row["title"]), markdown_text(group["group"]), str(group["clips"]), people, *rates])
    return cells


def _ends(outcomes: Outcomes, metric: Metric) -> list[float] | None:
    ends = rate_interval(outcomes, metric)
    return None if ends is None else [float(ends.low), float(ends.high)]
