"""The leaderboard as Markdown, as CSV and as LaTeX."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from typing import Any

from cefl_bench.report.naming import percent

NAMES = ("war", "uar")
EPOCH = {
    "last": "last epoch",
    "selected_by_val": "the epoch that is best on a held-out part of the training fold",
    "checkpoint": "checkpoints as they were given",
}
HEAD = """# Leaderboard

- **WAR** and **UAR** are of the last epoch, or of the one that the table names, in percent, over all test clips of all
  folds together, seeds averaged; in brackets their 95 % interval under other test clips (bootstrap by subject where
  subjects are known, else by clip).
- **mean** is over folds, of the mean over a fold's seeds; ± is the standard deviation of all runs.
- **Rank** is a range: nobody ranks above a method but who is certainly better. Two methods are told apart when
  McNemar's exact test, corrected for all pairs of the table (Holm), stays below 0.05 and the interval of their
  difference leaves out 0. Most seeds must find it, and the interval widens by what differed between them beyond the
  chance of single clips, which few seeds tell poorly and one not at all. Where folds share test clips, as across
  corpora, these are no further clips: an interval draws a clip with all its answers, and McNemar's test is made for
  each fold.
- The **best test epoch** is picked on the test set; its gap is what that choice adds to the mean.
- **External** predictions come from other code: nobody here knows their protocol.
"""


def markdown(leaderboard: Mapping[str, Any]) -> str:
    """leaderboard.md: per table the methods, what is missing, and every pair."""
    parts = [HEAD, *map(_markdown_table, leaderboard["tables"])]
    if leaderboard["left_out"]:
        parts.append("## Left out\n\n" + "\n".join(f"- {line}" for line in leaderboard["left_out"]) + "\n")
    return "\n".join(parts)


def csv_text(leaderboard: Mapping[str, Any]) -> str:
    """leaderboard.csv: a row per method and table, rates in 0..1, an empty cell where something is not known."""
    rows = [_csv_row(table, row) for table in leaderboard["tables"] for row in table["rows"]]
    text = StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def latex(leaderboard: Mapping[str, Any]) -> str:
    r"""leaderboard.tex: a `table` per table, for `\input`; needs the package booktabs."""
    return "\n".join(["% needs \\usepackage{booktabs}", *map(_latex_table, leaderboard["tables"])]) + "\n"


def rank_text(rank: Sequence[int]) -> str:
    """`2`, or `1-3` where a method cannot be told apart from others."""
    return str(rank[0]) if rank[0] == rank[1] else f"{rank[0]}-{rank[1]}"


def notes(table: Mapping[str, Any]) -> Iterator[str]:
    """A line for everything that a reader of the rows must know: folds and clips that are missing, external rows."""
    for fold in range(1, table["num_folds"] + 1):
        runs = [run for row in table["rows"] for run in row["runs"] if run["fold"] == fold and run["data_fingerprint"]]
        for split in ("train", "test"):
            if len({run["data_fingerprint"].get(split) for run in runs}) > 1:
                yield f"fold {fold}: not all runs saw the same {split} videos, their fingerprints differ"
        short = {(run["clips"], run["official"]) for run in runs if run.get("official") not in (None, run["clips"])}
        for clips, official in sorted(short):
            yield f"fold {fold}: {clips} test clips in some runs, and {official} in the official lists"
    if any(row["seeds"] for row in table["rows"]) and all(len(row["seeds"]) < 2 for row in table["rows"]):
        yield "one seed each: how much training again would change is in no interval and no rank"
    for row in table["rows"]:
        if row["folds_missing"]:
            folds = ", ".join(map(str, row["folds"]))
            yield (
                f"{row['method']}: {len(row['folds'])} of {table['num_folds']} folds (fold {folds}); it is compared on "
                "the clips of these alone, and stands below the rows with more"
            )
        if row["missing"]:
            more = ", .." if len(row["missing"]) > 5 else ""
            how = "counted as wrong" if row["external"] else "counted as wrong where listed, else not compared on"
            yield (
                f"{row['method']}: {len(row['missing'])} clips without an answer, {how}: "
                + ", ".join(row["missing"][:5])
                + more
            )
        if failed := [run for run in row["runs"] if run["at_chance"]]:
            names = [f"fold {run['fold']}" + ("" if run["seed"] is None else f" seed {run['seed']}") for run in failed]
            yield (
                f"{row['method']}: {len(failed)} of {len(row['runs'])} runs are at chance ({', '.join(names)}): they "
                "have learnt nothing, and count all the same"
            )
        if row["external"]:
            yield f"{row['method']}: external, protocol unknown" + (f"; {row['source']}" if row["source"] else "")
        elif row["runs_uneven"]:
            yield f"{row['method']}: not every fold was run with every seed"
        if lines := row.get("models_differ"):
            yield f"{row['method']}: its runs are not all of one model, and averaged all the same: {_short(lines[0])}"


def _markdown_table(table: Mapping[str, Any]) -> str:
    lines = [f"## {table['title']}\n", f"Protocol {table['protocol_id']}; {EPOCH[table['honest']]}.\n"]
    if table["differs_from_others"]:
        lines += ["Not to be compared with the other tables of this corpus:\n"]
        lines += [f"- {_cell(_short(line))}" for line in table["differs_from_others"]] + [""]
    lines += [
        "| rank | method | WAR | UAR | mean WAR | mean UAR | folds x seeds | parameters | MACs | "
        "*best test epoch: mean WAR / UAR* | *gap* |",
        "|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in table["rows"]:
        last, best = row["last"], row["best_test"]
        name = f"{row['method']} (external)" if row["external"] else row["method"]
        cells = [rank_text(row["rank"]), _cell(name)]
        cells += [f"**{percent(last['war_pooled'])}** {interval(last['war_interval'])}"]
        cells += [f"{percent(last['uar_pooled'])} {interval(last['uar_interval'])}"]
        cells += [_mean(last, "war"), _mean(last, "uar"), amount(row, table)]
        cells += [_count(row["params"], 1e6, "M"), _count(row["macs"], 1e9, "G")]
        shown = best["war_mean"] is not None
        cells += [f"*{percent(best['war_mean'])} / {percent(best['uar_mean'])}*" if shown else ""]
        cells += [f"*{100 * row['gap']['war']:+.1f} / {100 * row['gap']['uar']:+.1f}*" if shown else ""]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", *(f"- {_cell(note)}" for note in notes(table))]
    if table["pairs"]:
        lines += ["", f"### {table['title']}: pairs\n", *_pairs(table["pairs"])]
    return "\n".join(lines) + "\n"


def _pairs(pairs: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = [
        "| one | other | WAR, difference | UAR, difference | McNemar p | Holm p | told apart | clips | runs each |",
        "|---|---|--:|--:|--:|--:|---|--:|--:|",
    ]
    for pair in pairs:
        cells = [_cell(pair["a"]), _cell(pair["b"])]
        if pair["clips"]:
            for name, prefix in (("war", ""), ("uar", "uar_")):
                brackets = interval(pair[f"{prefix}interval"], "+.1f")
                cells.append(f"{100 * pair[f'{name}_difference']:+.1f} {brackets}")
            cells += [_p(pair["mcnemar_p"]), _p(pair["p_holm"]), "yes" if pair["different"] else "no"]
        else:
            cells += ["", "", "", "", "no clip in common"]
        lines.append(f"| {' | '.join([*cells, str(pair['clips']), str(pair['runs'])])} |")
    return lines


def _csv_row(table: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    cells = {name: table[name] for name in ("dataset", "track", "protocol_id")}
    if row["external"]:
        cells |= {"track": "unknown", "protocol_id": "unknown"}
    cells |= {"table": f"{table['track']} {table['protocol_id']}", "method": row["method"], "external": row["external"]}
    cells |= {"rank_best": row["rank"][0], "rank_worst": row["rank"][1]}
    for name, value in row["last"].items():
        ends = value or (None, None)
        new = {f"{name}_low": ends[0], f"{name}_high": ends[1]} if name.endswith("_interval") else {name: value}
        cells |= {f"last_{key}": number for key, number in new.items()}
    cells |= {f"best_test_{name}": value for name, value in row["best_test"].items()}
    cells |= {f"gap_{name}": value for name, value in row["gap"].items()}
    cells |= {"folds": " ".join(map(str, row["folds"])), "num_folds": table["num_folds"]}
    cells |= {"seeds": " ".join(map(str, row["seeds"])), "clips": row["clips"], "missing": len(row["missing"])}
    return cells | {name: row[name] for name in ("params", "macs", "flops", "train_seconds", "latency_ms")}


def _latex_table(table: Mapping[str, Any]) -> str:
    caption = (
        f"{table['title']}, protocol {table['protocol_id']}: {EPOCH[table['honest']]}, in percent, with 95 % intervals"
    )
    lines = [
        "\\begin{table}",
        f"\\caption{{{_tex(caption)}; in italics the mean at the best test epoch, which is picked on the test set.}}",
        "\\centering",
        "\\begin{tabular}{rlrrrrrr}",
        "\\toprule",
        "rank & method & WAR & UAR & mean WAR & mean UAR & folds $\\times$ seeds & best test WAR / UAR \\\\",
        "\\midrule",
    ]
    for row in table["rows"]:
        last, best = row["last"], row["best_test"]
        name = _tex(row["method"]) + (" (external)" if row["external"] else "")
        cells = [rank_text(row["rank"]).replace("-", "--"), name]
        cells += [f"{percent(last[f'{name}_pooled'])} {interval(last[f'{name}_interval'])}" for name in ("war", "uar")]
        cells += [_mean(last, name).replace("±", "$\\pm$") for name in ("war", "uar")]
        shown = best["war_mean"] is not None
        cells += [amount(row, table).replace(" x ", " $\\times$ ")]
        cells += [f"\\textit{{{percent(best['war_mean'])} / {percent(best['uar_mean'])}}}" if shown else "--"]
        lines.append(" & ".join(cells) + " \\\\")
    lines += ["\\bottomrule", "\\end{tabular}"]
    lines += [f"\\par {_tex(note)}." for note in notes(table)]
    return "\n".join([*lines, "\\end{table}", ""])


def interval(ends: Sequence[float] | None, form: str = ".1f") -> str:
    """`[41.2, 45.0]`, in percent; nothing where there is none."""
    return "" if ends is None else f"[{100 * ends[0]:{form}}, {100 * ends[1]:{form}}]"


def _mean(scores: Mapping[str, Any], name: str) -> str:
    spread = scores[f"{name}_std"]
    return percent(scores[f"{name}_mean"]) + ("" if spread is None else f" ± {100 * spread:.1f}")


def amount(row: Mapping[str, Any], table: Mapping[str, Any]) -> str:
    """How much a row rests on: folds x seeds."""
    folds = f"{len(row['folds'])} of {table['num_folds']}" if row["folds_missing"] else str(len(row["folds"]))
    return folds if row["external"] else f"{folds} x {len(row['seeds'])}"


def _count(value: float | None, unit: float, letter: str) -> str:
    return "" if value is None else f"{value / unit:.2f} {letter}"


def _p(value: float) -> str:
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"


def _short(line: str) -> str:
    """A difference of protocols, cut where the values are long; leaderboard.json has them in full."""
    return line if len(line) <= 200 else f"{line[:196]} .."


def _cell(text: str) -> str:
    """Text for Markdown, which would take some characters for a link, a formula or HTML."""
    escaped = re.sub(r"([\\`*\[\]$|])", r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;"))
    return " ".join(escaped.split())


def _tex(text: str) -> str:
    """Text for LaTeX: its special characters escaped."""
    special = {"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}"}
    special |= {character: f"\\{character}" for character in "&%$#_{}"}
    return "".join(special.get(character, character) for character in text)
