"""The pages of model_zoo.md: per corpus what is here, what it costs, what it scored here, and what others report."""

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any, NamedTuple

from cefl_bench.report.published import Published

HEAD = """# Model zoo

Made by `python tools/zoo.py` from the configs, the result files in `cefl_bench/report/measured/` and
`cefl_bench/report/published.csv`; do not edit.

- **Cost** is for one test video: parameters, and multiply-accumulates of one forward pass (FLOPs are twice the MACs).
- **Measured** comes from runs of this toolkit and nothing else; an empty cell was never run. UAR and WAR in percent, at
  the last epoch; beside it the best test epoch, which is picked on the test set.
- **Reported** numbers are those of the sources named. Most were picked at the best test epoch, each under a protocol of
  its own, so they are in a table of their own.
"""


class Row(NamedTuple):
    """A config with its cost and the `Result`s measured with it, one per fold and seed."""

    config: str
    title: str
    track: str
    cost: Mapping[str, Any]
    results: Sequence[Mapping[str, Any]]


class Section(NamedTuple):
    """A corpus: the METAINFO of its dataset, its configs, and what the literature reports."""

    meta: Mapping[str, Any]
    rows: Sequence[Row]
    published: Sequence[Published]


def zoo_page(sections: Sequence[Section]) -> str:
    """The whole of model_zoo.md."""
    links = ", ".join(f"[{section.meta['name']}](#{_anchor(section.meta['name'])})" for section in sections)
    return "\n".join([HEAD, f"Corpora: {links}", *map(_section, sections)])


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
            "The networks are narrow versions of those of the same name above; each config says how.",
        ]
    for track, title in (("fair", "Fair track: one protocol for all"), ("paper", "Paper track: a method's own recipe")):
        rows = sorted((row for row in section.rows if row.track == track), key=lambda row: row.cost["macs"])
        if rows:
            lines += [f"\n### {meta['name']}: {title}\n", *_rows(rows)]
    if section.published:
        lines += [f"\n### {meta['name']}: reported in the literature\n", *_reported(section.published)]
    return "\n".join(lines)


def _rows(rows: Sequence[Row]) -> list[str]:
    lines = [
        "| method | config | parameters | MACs | measured: UAR / WAR | best test epoch | runs |",
        "|---|---|--:|--:|--:|--:|---|",
    ]
    for row in rows:
        cells = [row.title, f"[{row.config}](configs/{row.config}.py)"]
        cells += [f"{row.cost['params'] / 1e6:.2f} M", f"{row.cost['macs'] / 1e9:.2f} G", *_scores(row.results)]
        lines.append(f"| {' | '.join(cells)} |")
    measured = [result for row in rows for result in row.results]
    if measured:
        devices = sorted({result["environment"]["device"] for result in measured})
        protocols = sorted({result["protocol_id"] for result in measured})
        lines += [
            f"\nMeasured with `python tools/train.py CONFIG --fold K --seed S` on {' and '.join(devices)}, "
            f"protocol {', '.join(protocols)}."
        ]
    return lines


def _scores(results: Sequence[Mapping[str, Any]]) -> list[str]:
    if not results:
        return [""] * 3
    scores = [
        " / ".join(f"{100 * mean(result['metrics'][which][name] for result in results):.1f}" for name in ("uar", "war"))
        for which in ("last", "best_test")
    ]
    folds, seeds = (sorted({result[name] for result in results}) for name in ("fold", "seed"))
    return [*scores, f"fold {', '.join(map(str, folds))}; seed {', '.join(map(str, seeds))}"]


def _reported(rows: Sequence[Published]) -> list[str]:
    lines = ["| method | UAR | WAR | source | note |", "|---|--:|--:|---|---|"]
    return lines + [f"| {row.method} | {row.uar} | {row.war} | {row.source} | {row.note} |" for row in rows]


def _anchor(title: str) -> str:
    """The fragment that a Markdown page gives a heading."""
    return "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c == "-")
