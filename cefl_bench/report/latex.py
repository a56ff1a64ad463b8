"""leaderboard.tex: a table for a paper, narrow enough for one column of two."""

from cefl_bench.functional.escaping import latex_text
from cefl_bench.report.board import Leaderboard, Numbers, Row, Table
from cefl_bench.report.naming import EPOCH, percent, rank_text, start_text
from cefl_bench.report.notes import badge_text, cut, notes

METHOD_MM = 27
"""Width of the column of names, which wrap: what the others leave of a column of 85 mm."""
HEAD = "\\# & method & start & WAR & UAR \\\\"


def latex(leaderboard: Leaderboard) -> str:
    r"""leaderboard.tex: a `table` per table, for `\input`; needs the package booktabs."""
    return "\n".join(["% needs \\usepackage{booktabs}", *map(_table, leaderboard["tables"])]) + "\n"


def _table(table: Table) -> str:
    amounts = {(len(row["folds"]), len(row["seeds"])) for row in table["rows"]}
    over = ""
    if len(amounts) == 1:
        folds, seeds = amounts.pop()
        over = f", {folds} {'fold' if folds == 1 else 'folds'} with {seeds} {'seed' if seeds == 1 else 'seeds'}"
    caption = (
        f"{table['title']}, protocol {table['protocol_id']}: {EPOCH[table['headline']]}{over}, in percent over all "
        "test clips, with 95 % intervals. Start: the initial weights"
    )
    lines = [
        "\\begin{table}",
        f"\\caption{{{latex_text(caption)}.}}",
        "\\centering\\footnotesize\\setlength{\\tabcolsep}{3pt}",
        f"\\begin{{tabular}}{{@{{}}rp{{{METHOD_MM}mm}}lrr@{{}}}}",
        "\\toprule",
        HEAD,
        "\\midrule",
        *(_row(row, table) for row in table["rows"]),
        "\\bottomrule",
        "\\end{tabular}",
    ]
    lines += [f"\\par\\raggedright\\scriptsize {latex_text(cut(note))}." for note in notes(table)]
    return "\n".join([*lines, "\\end{table}", ""])


def _row(row: Row, table: Table) -> str:
    name = f"\\raggedright {latex_text(row['title'])}"
    marks = badge_text(row, table)
    if marks:
        name += f" {{\\scriptsize {latex_text(marks)}}}"
    cells = [
        rank_text(row["rank"]).replace("-", "--"),
        name,
        latex_text(start_text(row)),
        _rate(row["headline"]["war"]),
        _rate(row["headline"]["uar"]),
    ]
    return " & ".join(cells) + " \\\\"


def _rate(numbers: Numbers) -> str:
    """The number with the ends of its interval below and above."""
    shown, ends = percent(numbers["pooled"]), numbers["interval"]
    return shown if ends is None else f"${shown}_{{\\,{percent(ends[0])}}}^{{\\,{percent(ends[1])}}}$"
