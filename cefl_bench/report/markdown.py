"""leaderboard.md: the leaderboard for people who read text."""

from collections.abc import Sequence

from cefl_bench.functional.escaping import markdown_text
from cefl_bench.report.board import METRICS, Leaderboard, Pair, Row, Table
from cefl_bench.report.extra_metrics import extra_metrics
from cefl_bench.report.groups import group_lines, has_groups
from cefl_bench.report.naming import (
    EPOCH,
    NOTHING,
    amount,
    difference_text,
    interval,
    mean_and_spread,
    percent,
    rank_text,
    significant,
    start_text,
)
from cefl_bench.report.notes import cut, notes, title_with_badges
from cefl_bench.runs.audit import TimeCost

HEAD = """# Leaderboard

- **WAR** and **UAR** are of the last epoch, or of the one that the table names, in percent, over all test clips of all
  folds together, seeds averaged; in brackets their 95 % interval under other test clips (of other people, where it is
  known who is in a clip) and other trainings (where the runs show what they change).
- **mean** is over folds, of the mean over a fold's seeds; ± is the standard deviation of all runs.
- **Start** is where the initial weights came from.
- **Rank** is a range: best rank = 1 + number of methods certainly better. A method is certainly better when the
  largest of three p values, corrected for all pairs of the table (Holm), is below 0.05: that of other clips (McNemar's
  exact test), of other people (a t test clustered by subject, where subjects are known), and of other trainings (a t
  test over folds and seeds, corrected for the training clips that they share). Seeds do not enlarge the test set, nor
  do folds that share test clips. A method that was trained once is described and not ranked.
- The **best test epoch** is picked on the test set; its gap is what that choice adds to the mean.
- **External** predictions come from other code, whose protocol is unknown.
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
    if any(row["audit"] for row in table["rows"]):
        lines += ["", f"### {title}: temporal audit\n", *_audits(table)]
    if has_groups(table):
        lines += ["", f"### {title}: groups of people\n", *group_lines(table)]
    if table["pairs"]:
        lines += ["", f"### {title}: pairs\n", *_pairs(table)]
    return "\n".join(lines) + "\n"


def _row(row: Row, table: Table) -> str:
    war, uar, best, gap = row["headline"]["war"], row["headline"]["uar"], row["best_test"], row["gap"]
    cells = [
        rank_text(row["rank"]),
        markdown_text(title_with_badges(row, table)),
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


def _audits(table: Table) -> list[str]:
    lines = [
        "Differences to the frames as sampled, in points, with their 95 % interval; bold: certainly another WAR.\n",
        "| method | runs | frames | WAR | difference | UAR | difference | other prediction |",
        "|---|--:|---|--:|--:|--:|--:|--:|",
    ]
    for row in table["rows"]:
        if row["audit"]:
            for cost in row["audit"]["costs"]:
                named = [markdown_text(row["title"]), str(row["audit"]["runs"]), markdown_text(cost["change"])]
                lines.append(table_line([*named, *_cost(cost)]))
    return lines


def _cost(cost: TimeCost) -> list[str]:
    war = difference_text(cost["war_difference"], cost["war_interval"])
    return [
        percent(cost["war"]),
        f"**{war}**" if cost["different"] else war,
        percent(cost["uar"]),
        difference_text(cost["uar_difference"], cost["uar_interval"]),
        f"{cost['predictions_changed']} of {cost['predictions']}",
    ]


def _pairs(table: Table) -> list[str]:
    titles = {row["method"]: markdown_text(title_with_badges(row, table)) for row in table["rows"]}
    lines = [
        "| one | other | WAR, difference | UAR, difference | p of clips / people / trainings | Holm p | told apart | "
        "clips | runs of a fold, at least |",
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
    sources = " / ".join(_p(pair[source]) for source in ("clip_p", "subject_p", "training_p"))
    verdict = "yes" if pair["different"] else "no"
    return [*differences, sources, _p(pair["p_holm"]), "not judged" if pair["p_holm"] is None else verdict]


def _count(value: float | None, unit: float, letter: str) -> str:
    return "" if value is None else f"{value / unit:.2f} {letter}"


def _p(value: float | None) -> str:
    if value is None:
        return NOTHING
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"
