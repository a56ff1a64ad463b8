"""What intervals and ranks of a table cannot tell: sources of luck that its runs do not show."""

from collections.abc import Callable, Sequence

from cefl_bench.report.board import Row, Table

MIN_SUBJECTS = 20
"""With fewer people, what differs between them is known too poorly for more than a rough interval."""


def not_judged(table: Table) -> list[str]:
    """A line for each source of luck that intervals and ranks leave out, or know too little of."""
    rows = table["rows"]
    lines = _on_people(rows)
    once = _names(rows, trained_once)
    if once:
        lines.append(
            f"{once}: a single training; it is described and not ranked, and its intervals are of other "
            f"{_drawn(rows)} alone"
        )
    single = _names(rows, lambda row: not trained_once(row) and _fewest_seeds(row) == 1)
    if single:
        lines.append(
            f"{single}: one training of a fold; what training again would change is judged by the spread over folds "
            "alone, so that only large leads are certain"
        )
    return lines


def trained_once(row: Row) -> bool:
    """Whether it is unknown what training a method again would change."""
    return len(row["runs"]) == 1


def _on_people(rows: Sequence[Row]) -> list[str]:
    unknown = _names(rows, lambda row: row["subjects"] is None)
    lines = []
    if unknown:
        lines.append(
            f"{unknown}: who is in each clip is unknown; what other people would change is in no interval and no rank"
        )
    counts = sorted({row["subjects"] for row in rows if row["subjects"] is not None})
    if counts and counts[0] == 1:
        lines.append("all clips of a row are of one person: nothing can be said of other people")
    elif counts and counts[0] < MIN_SUBJECTS:
        lines.append(f"{counts[0]} people: intervals are rough with fewer than about {MIN_SUBJECTS}")
    return lines


def _drawn(rows: Sequence[Row]) -> str:
    return "clips" if any(row["subjects"] is None for row in rows) else "people"


def _fewest_seeds(row: Row) -> int:
    return min(sum(run["fold"] == fold for run in row["runs"]) for fold in row["folds"])


def _names(rows: Sequence[Row], chosen: Callable[[Row], bool]) -> str:
    """The methods that a note is of: `all methods`, or their titles."""
    titles = [row["title"] for row in rows if chosen(row)]
    return "all methods" if titles and len(titles) == len(rows) else ", ".join(titles)
