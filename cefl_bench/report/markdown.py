"""leaderboard.md: the leaderboard for people who read text."""

from collections.abc import Sequence

from cefl_bench.functional.escaping import markdown_text
from cefl_bench.report.board import METRICS, Leaderboard, Pair, Row, Table
from cefl_bench.report.extra_metrics import extra_metrics
from cefl_bench.report.naming import (
    EPOCH,
    amount,
    interval,
    mean_and_spread,
    percent,
    rank_text,
    significant,
    start_text,
)
from cefl_bench.report.notes import badge_text, cut, notes

HEAD = """# Leaderboard

- **WAR** and **UAR** are of the last epoch, or of the one that the table names, in percent, over all test clips of all
  folds together, seeds averaged; in brackets their 95 % interval under other test clips (bootstrap by subject where
  subjects are known, else by clip).
- **mean** is over folds, of the mean over a fold's seeds; ± is the standard deviation of all runs.
- **Start** is where the initial weights came from.
- **Rank** is a range: nobody ranks above a method but who is certainly better. Two methods are told apart when
  McNemar's exact test, corrected for all pairs of the table (Holm), stays below 0.05 and the interval of their
  difference leaves out 0. Most seeds must find it, and the interval widens by what differed between them beyond the
  chance of single clips, which few seeds tell poorly and one not at all. Where folds share test clips, as across
  corpora, these are no further clips: an interval draws a clip with all its answers, and McNemar's test is made for
  each fold.
- The **best test epoch** is picked on the test set; its gap is what that choice adds to the mean.
- **External** predictions come from other code: nobody here knows their protocol.
"""


def markdown(leaderboard: Leaderboard) -> str:
    """leaderboard.md: per table the methods, what is missing, and every pair."""
    parts = [HEAD, *(_table(table) for table in leaderboard["tables"])]
    if leaderboard["left_out"]:
        lines = [f"- {markdown_text(line)}" for line in leaderboard["left_out"]]
        parts.append("\n".join(["## Left out\n", *lines, ""]))
    return "\n".join(parts)


def table_line(cells: Sequence[str]) -> str:
    """A row of a Markdown table, of cells that are safe already."""
    return f"| {' | '.join(cells)} |"


def _table(table: Table) -> str:
    title = markdown_text(table["title"])
    lines = [f"## {title}\n", f"Protocol {markdown_text(table['protocol_id'])}; {EPOCH[table['headline']]}.\n"]
    if table["differs_from_others"]:
        lines.append("Not to be compared with the other tables of this corpus:\n")
        lines += [f"- {markdown_text(cut(line))}" for line in table["differs_from_others"]]
        lines.append("")
    lines += [
        "| rank | method | start | WAR | UAR | mean WAR | mean UAR | folds x seeds | parameters | MACs | "
        "*best test epoch: mean WAR / UAR* | *gap* |",
        "|--:|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [_row(row, table) for row in table["rows"]]
    lines += ["", *(f"- {markdown_text(note)}" for note in notes(table))]
    if extra_metrics(table):
        lines += ["", f"### {title}: other metrics\n", *_extra(table)]
    if table["pairs"]:
        lines += ["", f"### {title}: pairs\n", *_pairs(table)]
    return "\n".join(lines) + "\n"


def _row(row: Row, table: Table) -> str:
    war, uar, best, gap = row["headline"]["war"], row["headline"]["uar"], row["best_test"], row["gap"]
    cells = [
        rank_text(row["rank"]),
        markdown_text(row["title"] + badge_text(row, table)),
        markdown_text(start_text(row)),
        f"**{percent(war['pooled'])}** {interval(war['interval'])}",
        f"{percent(uar['pooled'])} {interval(uar['interval'])}",
        mean_and_spread(war),
        mean_and_spread(uar),
        amount(row, table),
        _count(row["params"], 1e6, "M"),
        _count(row["macs"], 1e9, "G"),
        f"*{percent(best['war']['mean'])} / {percent(best['uar']['mean'])}*" if best else "",
        f"*{100 * gap['war']:+.1f} / {100 * gap['uar']:+.1f}*" if gap else "",
    ]
    return table_line(cells)


def _extra(table: Table) -> list[str]:
    metrics = extra_metrics(table)
    names = [f"{markdown_text(metric.name)} ({metric.direction})" for metric in metrics]
    lines = [table_line(["method", *names]), table_line(["---", *["--:"] * len(names)])]
    for row in table["rows"]:
        cells = [markdown_text(row["title"])]
        for metric in metrics:
            extra = row["extra"].get(metric.name)
            if extra is None:
                cells.append("")
                continue
            shown = significant(extra["mean"])
            spread = "" if extra["std"] is None else f" ± {significant(extra['std'], 2)}"
            cells.append((f"**{shown}**" if extra["mean"] == metric.best else shown) + spread)
        lines.append(table_line(cells))
    return lines


def _pairs(table: Table) -> list[str]:
    titles = {row["method"]: markdown_text(row["title"]) for row in table["rows"]}
    lines = [
        "| one | other | WAR, difference | UAR, difference | McNemar p | Holm p | told apart | clips | runs each |",
        "|---|---|--:|--:|--:|--:|---|--:|--:|",
    ]
    for pair in table["pairs"]:
        counts = [str(pair["clips"]), str(pair["runs"])]
        lines.append(table_line([titles[pair["a"]], titles[pair["b"]], *_found(pair), *counts]))
    return lines


def _found(pair: Pair) -> list[str]:
    if not pair["clips"]:
        return ["", "", "", "", "no clip in common"]
    differences = []
    for metric in METRICS:
        value, ends = pair["war_difference"], pair["interval"]
        if metric == "uar":
            value, ends = pair["uar_difference"], pair["uar_interval"]
        differences.append(f"{100 * (value or 0):+.1f} {interval(ends, '+.1f')}")
    return [*differences, _p(pair["mcnemar_p"]), _p(pair["p_holm"]), "yes" if pair["different"] else "no"]


def _count(value: float | None, unit: float, letter: str) -> str:
    return "" if value is None else f"{value / unit:.2f} {letter}"


def _p(value: float | None) -> str:
    if value is None:
        return ""
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"
