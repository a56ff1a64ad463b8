"""leaderboard.md, .csv and .tex, cell by cell, of a leaderboard in which no two numbers are the same."""

import csv
import re
from io import StringIO

import pytest

from cefl_bench.report.leaderboard_text import csv_text, latex, markdown, notes

LONG = "frames: " + "x" * 300


def scores(war: float, uar: float):
    return dict(
        uar_mean=uar, uar_std=0.021, war_mean=war, war_std=0.012, uar_pooled=uar + 0.004, war_pooled=war + 0.003
    )


def row(method: str, **known):
    last = scores(0.6, 0.5) | {"uar_interval": [0.451, 0.552], "war_interval": [0.561, 0.643]}
    run = dict(fold=1, seed=0, data_fingerprint={"train": "a", "test": "b"}, at_chance=False, clips=50, official=50)
    return (
        dict(
            method=method,
            external=False,
            rank=[1, 2],
            params=13_210_000,
            macs=4_320_000_000,
            flops=8_640_000_000,
            train_seconds=1205.0,
            latency_ms=12.5,
            folds=[1, 2],
            folds_missing=0,
            seeds=[0, 1, 2],
            runs_uneven=False,
            missing=[],
            source="",
            clips=100,
            runs=[run],
            last=last,
            best_test=scores(0.64, 0.52),
            gap=dict(war=0.04, uar=0.02),
        )
        | known
    )


def told(*rows, **known):
    table = dict(title="A_B, fair track", dataset="A_B", track="fair", protocol_id="abc", honest="last", num_folds=2)
    table |= dict(differs_from_others=[], rows=list(rows), pairs=[]) | known
    return {"left_out": [], "tables": [table]}


UNKNOWN = dict.fromkeys(scores(0, 0))
OTHER = row(
    "net_x",
    external=True,
    rank=[2, 2],
    params=None,
    macs=None,
    folds=[2],
    folds_missing=1,
    seeds=[],
    missing=[f"c{n}" for n in range(6)],
    source="100 % of {x}~y^2 \\ & #1 $",
    last=scores(0.31, 0.22) | {"war_std": None, "uar_std": None, "uar_interval": None, "war_interval": None},
    best_test=UNKNOWN,
    gap=dict(war=None, uar=None),
)
PAIR = dict(
    a="one",
    b="two",
    war_difference=0.05,
    interval=[0.012, 0.093],
    uar_difference=-0.02,
    uar_interval=[-0.061, 0.024],
    mcnemar_p=0.00004,
    p_holm=0.0123,
    different=True,
    clips=300,
    runs=3,
)
NOTHING = dict.fromkeys(PAIR) | dict(a="two", b="three", different=False, clips=0, runs=0)


def test_rows_of_markdown():
    page = markdown(told(row("ceflnet"), OTHER)).splitlines()
    best, gap = "*64.0 / 52.0*", "*+4.0 / +2.0*"
    numbers = "**60.3** [56.1, 64.3] | 50.4 [45.1, 55.2] | 60.0 ± 1.2 | 50.0 ± 2.1 | 2 x 3 | 13.21 M | 4.32 G"
    assert f"| 1-2 | ceflnet | {numbers} | {best} | {gap} |" in page
    assert "| 2 | net_x (external) | **31.3**  | 22.4  | 31.0 | 22.0 | 1 of 2 |  |  |  |  |" in page
    assert "- net_x: 6 clips without an answer, counted as wrong: c0, c1, c2, c3, c4, .." in page


def test_pairs_of_markdown():
    page = markdown(told(row("a"), pairs=[PAIR, PAIR | dict(different=False, mcnemar_p=0.0321), NOTHING])).splitlines()
    cells = "| one | two | +5.0 [+1.2, +9.3] | -2.0 [-6.1, +2.4] |"
    assert page[-3:] == [
        f"{cells} < 0.0001 | 0.0123 | yes | 300 | 3 |",
        f"{cells} 0.0321 | 0.0123 | no | 300 | 3 |",
        "| two | three |  |  |  |  | no clip in common | 0 | 0 |",
    ]


def test_differences_and_what_was_left_out_are_told():
    page = markdown(told(row("a"), differs_from_others=[LONG], honest="selected_by_val") | {"left_out": ["x/y: bad"]})
    (line,) = [line for line in page.splitlines() if "frames: " in line]
    assert line.endswith("x ..") and len(line) < 210
    assert "Protocol abc; the epoch that is best on a held-out part of the training fold." in page
    assert page.endswith("## Left out\n\n- x/y: bad\n")


def test_cells_of_csv():
    first, other = csv.DictReader(StringIO(csv_text(told(row("ceflnet"), OTHER))))
    numbers = dict(rank_best=1, rank_worst=2, num_folds=2, clips=100, missing=0, params=13_210_000, latency_ms=12.5)
    numbers |= dict(macs=4_320_000_000, flops=8_640_000_000, train_seconds=1205, gap_war=0.04, gap_uar=0.02)
    numbers |= {f"last_{name}": value for name, value in scores(0.6, 0.5).items()}
    numbers |= dict(last_uar_interval_low=0.451, last_uar_interval_high=0.552)
    numbers |= dict(last_war_interval_low=0.561, last_war_interval_high=0.643)
    numbers |= {f"best_test_{name}": value for name, value in scores(0.64, 0.52).items()}
    assert {name: float(first[name]) for name in numbers} == numbers
    words = dict(dataset="A_B", track="fair", protocol_id="abc", table="fair abc", method="ceflnet", external="False")
    assert first == {name: str(value) for name, value in (words | dict(folds="1 2", seeds="0 1 2")).items()} | {
        name: first[name] for name in numbers
    }
    assert (other["track"], other["protocol_id"], other["table"], other["missing"]) == ("unknown",) * 2 + (
        "fair abc",
        "6",
    )
    empty = [name for name in other if re.match(r"last_.*(std|low|high)|best_test|gap|params|macs|seeds", name)]
    assert len(empty) == 17 and {other[name] for name in empty} == {""}


def test_rows_and_special_characters_of_latex():
    text = latex(told(row("cefl_net"), OTHER))
    numbers = "60.3 [56.1, 64.3] & 50.4 [45.1, 55.2] & 60.0 $\\pm$ 1.2 & 50.0 $\\pm$ 2.1 & 2 $\\times$ 3"
    assert f"\n1--2 & cefl\\_net & {numbers} & \\textit{{64.0 / 52.0}} \\\\\n" in text
    assert "\n2 & net\\_x (external) & 31.3  & 22.4  & 31.0 & 22.0 & 1 of 2 & -- \\\\\n" in text
    assert "\\caption{A\\_B, fair track, protocol abc: last epoch, in percent, with 95 \\% intervals;" in text
    source = "100 \\% of \\{x\\}\\textasciitilde{}y\\textasciicircum{}2 \\textbackslash{} \\& \\#1 \\$"
    assert f"\\par net\\_x: external, protocol unknown; {source}.\n" in text


RUN = row("a")["runs"][0]


@pytest.mark.parametrize(
    ("known", "note"),
    [
        (
            dict(runs=[RUN, RUN | dict(data_fingerprint={"train": "a", "test": "c"})]),
            "fold 1: not all runs saw the same test",
        ),
        (dict(runs=[RUN, RUN | dict(fold=2, data_fingerprint={"train": "c", "test": "d"})]), None),
        (dict(runs_uneven=True), "a: not every fold was run with every seed"),
        (dict(missing=["x"]), "a: 1 clips without an answer, counted as wrong where listed, else not compared on: x"),
        (dict(folds=[2], folds_missing=1), "a: 1 of 2 folds (fold 2); it is compared on the clips of these alone"),
        (dict(external=True, source="a paper"), "a: external, protocol unknown; a paper"),
        (dict(seeds=[0]), "one seed each"),
    ],
    ids=["other videos", "another fold", "seeds", "missing", "folds", "external", "one seed"],
)
def test_what_a_reader_must_know_is_said(known, note):
    (table,) = told(row("a", **known))["tables"]
    lines = list(notes(table))
    assert len(lines) == (note is not None) and all(line.startswith(note) for line in lines)
