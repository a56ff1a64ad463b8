"""What a reader of a table must know beside its numbers: badges of a row, and lines below the table."""

from collections.abc import Iterator
from typing import NamedTuple

from cefl_bench.report.board import Row, RunLine, Table
from cefl_bench.report.not_judged import not_judged, trained_once

MAX_NAMED_CLIPS = 5
MAX_LINE_LENGTH = 200


class Badge(NamedTuple):
    """A few words beside the name of a method, and what they mean."""

    text: str
    meaning: str
    warning: bool = True


def badges(row: Row, table: Table) -> list[Badge]:
    """What sets a row apart: its rank is never shown without them."""
    found = []
    if row["external"]:
        found.append(Badge("external", "predictions that were made elsewhere", warning=False))
    if row["losses"]:
        meaning = "trained on this too, or in this way, and not on the plain cross-entropy alone"
        found.append(Badge(", ".join(row["losses"]), meaning, warning=False))
    missing = sum(run["missing"] for run in row["runs"])
    if missing:
        found.append(Badge(f"{missing:,} missing", "clips without a prediction; they count as wrong"))
    if row["runs_at_chance"]:
        text = f"{row['runs_at_chance']} of {len(row['runs'])} at chance"
        found.append(Badge(text, "runs that are no better than guessing; they count all the same"))
    if row["folds_missing"]:
        text = f"{len(row['folds'])} of {table['num_folds']} folds"
        found.append(Badge(text, "folds without a run: not in the same race"))
    if trained_once(row):
        found.append(Badge("trained once", "a single training: described and not ranked", warning=False))
    if row["official_counts"] is False:
        found.append(Badge("not all official clips", "its corpus has another number of clips than the official one"))
    return found


def badge_text(row: Row, table: Table) -> str:
    """The badges of a row in brackets, for tables of text; empty where there is none."""
    return "".join(f" ({badge.text})" for badge in badges(row, table))


def title_with_badges(row: Row, table: Table) -> str:
    """How a method is named wherever it is ranked, or said to be better or worse than another."""
    return row["title"] + badge_text(row, table)


def notes(table: Table) -> list[str]:
    """A line for everything that the numbers of a table do not tell."""
    lines: list[str] = []
    for fold in range(1, table["num_folds"] + 1):
        lines += _on_fold(table, fold)
    lines += not_judged(table)
    for row in table["rows"]:
        for note in (_on_folds, _on_missing_clips, _on_chance, _on_origin, _on_corpus, _on_models):
            lines += [f"{row['title']}: {line}" for line in note(row, table)]
    return lines


def cut(line: str) -> str:
    """A line, shortened where its values are long; leaderboard.json has them in full."""
    return line if len(line) <= MAX_LINE_LENGTH else f"{line[: MAX_LINE_LENGTH - 4]} .."


def _on_fold(table: Table, fold: int) -> Iterator[str]:
    """Whether the runs of a fold saw the same videos, and all of them."""
    runs: list[RunLine] = []
    for row in table["rows"]:
        runs += [run for run in row["runs"] if run["fold"] == fold and run["data_fingerprint"]]
    for split in ("train", "test"):
        if len({run["data_fingerprint"].get(split) for run in runs}) > 1:
            yield f"fold {fold}: not all runs saw the same {split} videos, their fingerprints differ"
    counts = {(run["clips"], run["official"]) for run in runs if run["official"] not in (None, run["clips"])}
    for clips, official in sorted(counts, key=str):
        yield f"fold {fold}: {clips} test clips in some runs, and {official} in the official lists"


def _on_folds(row: Row, table: Table) -> Iterator[str]:
    if row["folds_missing"]:
        folds = ", ".join(map(str, row["folds"]))
        yield (
            f"{len(row['folds'])} of {table['num_folds']} folds (fold {folds}); it is compared on the clips of these "
            "alone, and stands below the rows with more"
        )


def _on_missing_clips(row: Row, table: Table) -> Iterator[str]:
    names = row["missing"]
    if names:
        shown = ", ".join(names[:MAX_NAMED_CLIPS]) + (", .." if len(names) > MAX_NAMED_CLIPS else "")
        how = "counted as wrong" if row["external"] else "counted as wrong where listed, else not compared on"
        yield f"{len(names)} clips without a prediction, {how}: {shown}"


def _on_chance(row: Row, table: Table) -> Iterator[str]:
    failed = [run for run in row["runs"] if run["at_chance"]]
    if failed:
        names = [f"fold {run['fold']}" + ("" if run["seed"] is None else f" seed {run['seed']}") for run in failed]
        yield (
            f"{len(failed)} of {len(row['runs'])} runs are at chance ({', '.join(names)}): they are no better than "
            "guessing, and count all the same"
        )


def _on_origin(row: Row, table: Table) -> Iterator[str]:
    if row["external"]:
        yield "external, protocol unknown" + (f"; {row['source']}" if row["source"] else "")
    elif row["runs_uneven"]:
        yield "not every fold was run with every seed"


def _on_corpus(row: Row, table: Table) -> Iterator[str]:
    if row["official_counts"] is False:
        yield "its corpus has another number of clips than the official one"


def _on_models(row: Row, table: Table) -> Iterator[str]:
    if row["models_differ"]:
        yield f"its runs are not all of one model, and averaged all the same: {cut(row['models_differ'][0])}"
    starts = {run["start"] for run in row["runs"] if run["start"] is not None}
    if len(starts) > 1:
        yield f"its runs did not all start from the same weights: {', '.join(sorted(starts))}"
