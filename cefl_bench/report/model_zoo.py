"""The pages of model_zoo.md: per corpus what is here, what it costs, what it scored here, and what others report."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cefl_bench.records import CountedCost
from cefl_bench.report.leaderboard_text import amount, interval, notes, rank_text
from cefl_bench.report.naming import percent
from cefl_bench.report.published import Published

HEAD = """# Model zoo

Made by `python tools/zoo.py` from the configs, the result files in `cefl_bench/report/measured/` and
`cefl_bench/report/published.csv`; do not edit.

- **Cost** is for one test video: parameters, and multiply-accumulates of one forward pass (FLOPs are twice the MACs).
- **Measured** comes from runs of this toolkit and nothing else; what was never run has no number. WAR and UAR in
  percent at the last epoch, over the test clips of all folds together, seeds averaged, with their 95 % interval under
  other test clips; beside it the mean at the best test epoch, which is picked on the test set. Ranks are ranges: nobody
  ranks above a method but who is certainly better. `python tools/report.py cefl_bench/report/measured` tells all of it.
- **Reported** numbers are those of the sources named. Most were picked at the best test epoch, each under a protocol of
  its own, so they are in a table of their own.
"""
MEASURED = ("measured WAR", "measured UAR", "rank", "best test epoch: WAR / UAR", "folds x seeds")


class Row(NamedTuple):
    """A config with its cost and its row of the leaderboard, None where nothing was measured."""

    config: str
    """`config_name`, as results have it."""
    call: str
    """The leaf as a link, and the option that lays another corpus over it."""
    title: str
    track: str
    cost: CountedCost
    scores: Mapping[str, Any] | None


class Section(NamedTuple):
    """A corpus: the METAINFO of its dataset, its configs, what the literature reports, and all measured tables."""

    meta: Mapping[str, Any]
    rows: Sequence[Row]
    published: Sequence[Published]
    tables: Sequence[Mapping[str, Any]] = ()


def zoo_page(sections: Sequence[Section]) -> str:
    """The whole of model_zoo.md."""
    links = ", ".join(f"[{section.meta['name']}](#{_anchor(section.meta['name'])})" for section in sections)
    return "\n".join([HEAD, f"Corpora: {links}", *map(_section, sections)]) + "\n"


def _section(section: Section) -> str:
    meta = section.meta
    clips = f", {meta['num_clips']:,} clips" if meta["num_clips"] else ""
    folds = f"{meta['num_folds']} folds" if meta["num_folds"] > 1 else "one fixed split"
    lines = [
        f"\n## {meta['name']}\n",
        f"{len(meta['classes'])} classes ({', '.join(meta['classes'])}), {folds}{clips}.",
    ]
    if "note" in meta:
        lines.append(meta["note"])
    if meta["key"] == "synthetic":
        lines += [
            "These faces are rendered: a score here says that the code works, and nothing about real faces.",
            "The networks are narrow versions of those of the same name above; each config says how. Their schedule",
            "was chosen with CEFLNet; others may need one of their own, as a run that ends at chance shows.",
        ]
    for track, title in (("fair", "Fair track: one protocol for all"), ("paper", "Paper track: a method's own recipe")):
        rows = sorted((row for row in section.rows if row.track == track), key=lambda row: row.cost["macs"])
        if rows:
            lines += [f"\n### {meta['name']}: {title}\n", *_rows(rows, section.tables)]
    if section.published:
        lines += [f"\n### {meta['name']}: reported in the literature\n", *_reported(section.published)]
    return "\n".join(lines)


def _rows(rows: Sequence[Row], tables: Sequence[Mapping[str, Any]]) -> list[str]:
    titles = {row.config: row.title for row in rows}
    here = [table for table in tables if any(row["method"] in titles for row in table["rows"])]
    table_of = {row["method"]: table for table in here for row in table["rows"]}
    columns = ["method", "config", "parameters", "MACs", *(MEASURED if here else ())]
    lines = [_line(columns), _line(["---"] * 2 + ["--:"] * (len(columns) - 2))]
    for row in rows:
        cells = [row.title, row.call]
        cells += [f"{row.cost['params'] / 1e6:.2f} M", f"{row.cost['macs'] / 1e9:.2f} G"]
        if here:
            cells += [""] * len(MEASURED) if row.scores is None else _scores(row.scores, table_of[row.config])
        lines.append(_line(cells))
    for table in here:
        devices = {run["environment"]["device"] for row in table["rows"] for run in row["runs"]}
        lines += [
            f"\nMeasured with `python tools/benchmark.py CONFIG.. --out D` on {' and '.join(sorted(devices))}, "
            f"protocol {table['protocol_id']}.\n\n"
            "What can be told apart, in points of WAR with the 95 % interval of the difference:\n",
            *_told_apart(table, titles),
        ]
        remarks = [f"- {note}" for note in notes(table)]
        lines += ["\nWhat to know of these runs:\n", *remarks] if remarks else []
    return lines


def _scores(row: Mapping[str, Any], table: Mapping[str, Any]) -> list[str]:
    last, best = row["last"], row["best_test"]
    numbers = [f"**{percent(last[f'{name}_pooled'])}** {interval(last[f'{name}_interval'])}" for name in ("war", "uar")]
    return [
        *numbers,
        rank_text(row["rank"]),
        f"{percent(best['war_mean'])} / {percent(best['uar_mean'])}",
        amount(row, table),
    ]


def _told_apart(table: Mapping[str, Any], titles: Mapping[str, str]) -> list[str]:
    """A line per method, the best first: whom it beats for certain, and whom it cannot be told apart from."""
    lines = []
    for row in table["rows"]:
        beats, level = [], []
        for pair in table["pairs"]:
            if row["method"] not in (pair["a"], pair["b"]) or not pair["clips"]:
                continue
            first = pair["a"] == row["method"]
            other = titles[pair["b"] if first else pair["a"]]
            difference = pair["war_difference"] * (1 if first else -1)
            if pair["different"] and difference > 0:
                ends = pair["interval"] if first else [-end for end in pair["interval"][::-1]]
                beats.append(f"{other} ({100 * difference:+.1f} {interval(ends, '+.1f')})")
            elif not pair["different"]:
                level.append(other)
        words = [f"better than {', '.join(beats)}"] if beats else []
        words += [f"not told apart from {', '.join(level)}"] if level else []
        if words:
            lines.append(f"- {titles[row['method']]}: {'; '.join(words)}")
    return lines


def _reported(rows: Sequence[Published]) -> list[str]:
    lines = ["| method | UAR | WAR | source | note |", "|---|--:|--:|---|---|"]
    return lines + [_line([row.method, row.uar, row.war, row.source, row.note]) for row in rows]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _anchor(title: str) -> str:
    """The fragment that a Markdown page gives a heading."""
    return "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c == "-")
