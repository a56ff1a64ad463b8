"""The pages of model_zoo.md: per corpus what is here, what it costs, what it scored here, and what others report."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypedDict

from typing_extensions import NotRequired

from cefl_bench.functional.escaping import markdown_text
from cefl_bench.report.board import Pair, Row, Table
from cefl_bench.report.markdown import table_line
from cefl_bench.report.naming import amount, interval, percent, rank_text
from cefl_bench.report.notes import badge_text, notes
from cefl_bench.report.published import Published, grouped

HEAD = """# Model zoo

Made by `python tools/zoo.py` from the configs, the result files in `cefl_bench/report/measured/` and
`cefl_bench/report/published.csv`; do not edit.

- **Cost** is for one test video: parameters, and multiply-accumulates of one forward pass (FLOPs are twice the MACs).
- **Start** is where the initial weights come from.
- **Measured** comes from runs of this toolkit and nothing else; what was never run has no number. WAR and UAR in
  percent at the last epoch, over the test clips of all folds together, seeds averaged, with their 95 % interval; beside
  it the mean at the best test epoch, which is picked on the test set. Ranks are ranges: best rank = 1 + number of
  methods that are certainly better, whatever clips, people and trainings are drawn
  ([Comparing methods](docs/comparisons.md)). `python tools/report.py cefl_bench/report/measured` tells all of it.
- **Reported** numbers are those of the sources named. Most were picked at the best test epoch, each under a protocol of
  its own, so they are in tables of their own: one for each kind of input and of start. Where our sources do not say
  what a method's weights were trained on first, its start is unknown; that is not to say from scratch.
"""
MEASURED = ("measured WAR", "measured UAR", "rank", "best test epoch: WAR / UAR", "folds x seeds")
TRACKS = {
    "fair": "Fair track: from scratch, one protocol for all",
    "pretrained": "Pretrained track: the same protocol, from weights of other data",
    "paper": "Paper track: a method's own recipe",
}
"""Headings, in the order of the page."""


class Meta(TypedDict):
    """What the zoo tells of a corpus, from the METAINFO of its dataset."""

    key: str
    name: str
    classes: Sequence[str]
    num_folds: int
    num_clips: int | None
    note: NotRequired[str]


class ZooCost(TypedDict):
    """Of one test video."""

    params: int
    macs: int


class ZooRow(NamedTuple):
    """A config with its cost and its row of the leaderboard, None where nothing was measured."""

    config: str
    """`config_name`, as results have it."""
    call: str
    """The leaf as a link, and the option that lays another corpus over it; Markdown."""
    title: str
    track: str
    start: str
    """Where the initial weights come from."""
    cost: ZooCost
    scores: Row | None


class Section(NamedTuple):
    """A corpus: its configs, what the literature reports, and all measured tables."""

    meta: Meta
    rows: Sequence[ZooRow]
    published: Sequence[Published]
    tables: Sequence[Table] = ()


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
            "The networks are narrow versions of those of the same name above; each config says how. One schedule",
            "serves all, chosen by a rule that sees no test person. [The board](docs/board.md) has the rule, and tells",
            "in words what this table says and what not.",
        ]
    for track in dict.fromkeys([*TRACKS, *(row.track for row in section.rows)]):
        rows = sorted((row for row in section.rows if row.track == track), key=lambda row: row.cost["macs"])
        if rows:
            heading = TRACKS.get(track, f"{track} track")
            lines += [f"\n### {meta['name']}: {heading}\n", *_rows(rows, section.tables)]
    if section.published:
        lines += [f"\n### {meta['name']}: reported in the literature\n", *_reported(section.published)]
    return "\n".join(lines)


def _rows(rows: Sequence[ZooRow], tables: Sequence[Table]) -> list[str]:
    titles = {row.config: row.title for row in rows}
    here = [table for table in tables if any(row["method"] in titles for row in table["rows"])]
    table_of: dict[str, Table] = {}
    for table in here:
        table_of.update((row["method"], table) for row in table["rows"])
    columns = ["method", "config", "start", "parameters", "MACs", *(MEASURED if here else ())]
    lines = [table_line(columns), table_line(["---"] * 3 + ["--:"] * (len(columns) - 3))]
    for row in rows:
        badge = badge_text(row.scores, table_of[row.config]) if row.scores else ""
        cells = [markdown_text(row.title + badge), row.call, markdown_text(row.start)]
        cells += [f"{row.cost['params'] / 1e6:.2f} M", f"{row.cost['macs'] / 1e9:.2f} G"]
        if here:
            cells += _scores(row.scores, table_of[row.config]) if row.scores else [""] * len(MEASURED)
        lines.append(table_line(cells))
    for table in here:
        lines += _measured_with(table, titles)
    return lines


def _measured_with(table: Table, titles: Mapping[str, str]) -> list[str]:
    """How the numbers of a table came about, and what can be said of them."""
    devices: set[str] = set()
    for row in table["rows"]:
        devices.update(run["environment"]["device"] for run in row["runs"] if run["environment"])
    names = markdown_text(" and ".join(sorted(devices)))
    lines = [
        f"\nMeasured with `python tools/benchmark.py CONFIG.. --out D` on {names}, "
        f"protocol {markdown_text(table['protocol_id'])}.\n\n"
        "What can be told apart, in points of WAR with the 95 % interval of the difference:\n",
        *_told_apart(table, titles),
    ]
    remarks = [f"- {markdown_text(note)}" for note in notes(table)]
    return [*lines, "\nWhat to know of these runs:\n", *remarks] if remarks else lines


def _scores(row: Row, table: Table) -> list[str]:
    war, uar, best = row["headline"]["war"], row["headline"]["uar"], row["best_test"]
    return [
        f"**{percent(war['pooled'])}** {interval(war['interval'])}",
        f"**{percent(uar['pooled'])}** {interval(uar['interval'])}",
        rank_text(row["rank"]),
        f"{percent(best['war']['mean'])} / {percent(best['uar']['mean'])}" if best else "",
        amount(row, table),
    ]


def _told_apart(table: Table, titles: Mapping[str, str]) -> Iterator[str]:
    """A line per method, the best first: whom it beats for certain, and whom it cannot be told apart from."""
    named = {row["method"]: titles[row["method"]] + badge_text(row, table) for row in table["rows"]}
    for row in table["rows"]:
        beaten, level = [], []
        for pair in table["pairs"]:
            if row["method"] not in (pair["a"], pair["b"]) or not pair["clips"]:
                continue
            other = named[pair["b"] if pair["a"] == row["method"] else pair["a"]]
            if not pair["different"]:
                level.append(other)
            elif _winner(pair) == row["method"]:
                beaten.append(f"{other} ({_advantage(pair)})")
        words = [f"better than {', '.join(beaten)}"] if beaten else []
        words += [f"not told apart from {', '.join(level)}"] if level else []
        if words:
            yield f"- {named[row['method']]}: {'; '.join(words)}"


def _winner(pair: Pair) -> str:
    return pair["a"] if (pair["war_difference"] or 0) > 0 else pair["b"]


def _advantage(pair: Pair) -> str:
    """The difference of a pair as its better method sees it, with its interval."""
    difference, (low, high) = pair["war_difference"] or 0.0, pair["interval"] or (0.0, 0.0)
    if difference < 0:
        difference, low, high = -difference, -high, -low
    return f"{100 * difference:+.1f} {interval((low, high), '+.1f')}"


def _reported(rows: Sequence[Published]) -> list[str]:
    lines = []
    for heading, group in grouped(rows):
        lines += [f"{heading}:\n", "| method | start | UAR | WAR | source | note |", "|---|---|--:|--:|---|---|"]
        for row in group:
            cells = (row.method, row.pretraining, row.uar, row.war, row.source, row.note)
            lines.append(table_line([markdown_text(cell) for cell in cells]))
        lines.append("")
    return lines[:-1]


def _anchor(title: str) -> str:
    """The fragment that a Markdown page gives a heading."""
    return "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c == "-")
