"""leaderboard.md, .csv and .tex, cell by cell, of a leaderboard in which no two numbers are the same."""

import csv
import re
from dataclasses import replace
from io import StringIO

import pytest
from helpers.boards import SIX, board, table
from matplotlib import get_data_path
from matplotlib._afm import AFM

from cefl_bench.report.latex import METHOD_MM, latex
from cefl_bench.report.markdown import markdown
from cefl_bench.report.notes import badges, notes
from cefl_bench.report.spreadsheet import csv_text

LONG = "frames: " + "x" * 300
UGLY = "100 % of {x}~y^2 \\ & #1 $ <b> | _z_"


def rate(pooled, mean, std, low=None, high=None):
    interval = None if low is None else [low, high]
    return dict(pooled=pooled, mean=mean, std=std, interval=interval)


@pytest.fixture
def told():
    """A table of CEFLNet and predictions of other code, whose numbers are set."""
    given = table(SIX[:1], folds=(1, 2), seeds=(0, 1, 2), external=("net_x",))
    given |= dict(title="A_B, fair track", dataset="A_B", protocol_id="abc", pairs=[])
    given["rows"].sort(key=lambda row: row["external"])
    ours, theirs = given["rows"]
    ours |= dict(rank=[1, 2], params=13_210_000, macs=4_320_000_000, flops=8_640_000_000, train_seconds=1205.0)
    ours |= dict(latency_ms=12.5, start="ImageNet", gap=dict(war=0.04, uar=0.02), title="CEFL_Net")
    ours["headline"] = dict(war=rate(0.603, 0.6, 0.012, 0.561, 0.643), uar=rate(0.504, 0.5, 0.021, 0.451, 0.552))
    ours["best_test"] = dict(war=rate(0.643, 0.64, 0.013), uar=rate(0.523, 0.52, 0.022))
    theirs |= dict(rank=None, folds=[2], folds_missing=1, missing=[f"c{n}" for n in range(6)], source=UGLY)
    theirs["headline"] = dict(war=rate(0.313, 0.31, None), uar=rate(0.224, 0.22, None))
    theirs["runs"] = theirs["runs"][1:]
    theirs["runs"][0] |= dict(missing=6)
    return given


PAIR = dict(
    a="ceflnet_dfew",
    b="net_x",
    war_difference=0.05,
    interval=[0.012, 0.093],
    uar_difference=-0.02,
    uar_interval=[-0.061, 0.024],
    clip_p=0.00004,
    subject_p=None,
    training_p=0.0041,
    p_holm=0.0123,
    different=True,
    clips=300,
    runs=3,
    folds=[1],
)
NOTHING = dict.fromkeys(PAIR) | dict(a="net_x", b="ceflnet_dfew", different=False, clips=0, runs=0)


def test_rows_of_markdown(told):
    page = markdown(board(told)).splitlines()
    numbers = "**60.3** [56.1, 64.3] | 50.4 [45.1, 55.2] | 60.0 ± 1.2 | 50.0 ± 2.1 | 2 x 3 | 13.21 M | 4.32 G"
    assert f"| 1-2 | CEFL_Net | ImageNet | {numbers} | *64.0 / 52.0* | *+4.0 / +2.0* |" in page
    marks = "(external) (6 missing) (1 of 2 folds) (trained once)"
    assert f"| – | net_x {marks} | – | **31.3**  | 22.4  | 31.0 | 22.0 | 1 of 2 |  |  |  |  |" in page
    assert "- net_x: 6 clips without a prediction, counted as wrong: c0, c1, c2, c3, c4, .." in page


def test_pairs_of_markdown(told):
    told["pairs"] = [PAIR, PAIR | dict(different=False, clip_p=0.0321, subject_p=0.2), NOTHING]
    told["pairs"] += [PAIR | dict(different=False, training_p=None, p_holm=None)]
    page = markdown(board(told)).splitlines()
    net_x = "net_x (external) (6 missing) (1 of 2 folds) (trained once)"
    cells = f"| CEFL_Net | {net_x} | +5.0 [+1.2, +9.3] | -2.0 [-6.1, +2.4] |"
    assert page[-4:] == [
        f"{cells} < 0.0001 / – / 0.0041 | 0.0123 | yes | 300 | 3 |",
        f"{cells} 0.0321 / 0.2000 / 0.0041 | 0.0123 | no | 300 | 3 |",
        f"| {net_x} | CEFL_Net |  |  |  |  | no clip in common | 0 | 0 |",
        f"{cells} < 0.0001 / – / – | – | not judged | 300 | 3 |",
    ]


def test_differences_and_what_was_left_out_are_told(told):
    told |= dict(differs_from_others=[LONG], headline="selected_by_val")
    page = markdown(board(told) | {"left_out": ["x/y: bad"]})
    (line,) = [line for line in page.splitlines() if "frames: " in line]
    assert line.endswith("x ..") and len(line) < 210
    assert "Protocol abc; the epoch that is best on a held-out part of the training fold." in page
    assert page.endswith("## Left out\n\n- x/y: bad\n")


def test_cells_of_csv(told):
    first, other = csv.DictReader(StringIO(csv_text(board(told))))
    numbers = dict(rank_best=1, rank_worst=2, num_folds=2, missing=0, params=13_210_000, latency_ms=12.5, runs=6)
    numbers |= dict(macs=4_320_000_000, flops=8_640_000_000, train_seconds=1205, gap_war=0.04, gap_uar=0.02)
    numbers |= dict(war_pooled=0.603, war_mean=0.6, war_std=0.012, war_low=0.561, war_high=0.643, runs_at_chance=0)
    numbers |= dict(uar_pooled=0.504, uar_mean=0.5, uar_std=0.021, uar_low=0.451, uar_high=0.552)
    numbers |= dict(best_test_war_pooled=0.643, best_test_war_mean=0.64, best_test_war_std=0.013, clips=200)
    numbers |= dict(best_test_uar_pooled=0.523, best_test_uar_mean=0.52, best_test_uar_std=0.022)
    assert {name: float(first[name]) for name in numbers} == numbers
    words = dict(dataset="A_B", track="fair", protocol_id="abc", table="fair abc", method="ceflnet_dfew")
    words |= dict(title="CEFL_Net", external="False", start="ImageNet", folds="1 2", seeds="0 1 2")
    words |= dict(official_counts="True")
    assert first == words | {name: first[name] for name in numbers}
    assert (other["track"], other["protocol_id"], other["table"]) == ("unknown", "unknown", "fair abc")
    assert other["missing"] == "6"
    unknown = r"(war|uar)_(std|low|high)|best_test|gap|params|macs|flops|seeds|train|latency|start|official"
    empty = [name for name in other if re.match(unknown, name)]
    assert len(empty) == 22 and {other[name] for name in empty} == {""}


def test_rows_and_special_characters_of_latex(told):
    text = latex(board(told))
    numbers = "$60.3_{\\,56.1}^{\\,64.3}$ & $50.4_{\\,45.1}^{\\,55.2}$ \\\\"
    assert f"\n1--2 & \\raggedright CEFL\\_Net & ImageNet & {numbers}\n" in text
    marks = "{\\scriptsize (external) (6 missing) (1 of 2 folds) (trained once)}"
    assert f"\n– & \\raggedright net\\_x {marks} & – & 31.3 & 22.4 \\\\\n" in text
    assert "\\caption{A\\_B, fair track, protocol abc: last epoch, in percent over all test clips, with 95 \\% " in text
    source = "100 \\% of \\{x\\}\\textasciitilde{}y\\textasciicircum{}2 \\textbackslash{} \\& \\#1 \\$"
    assert (
        f"net\\_x: external, protocol unknown; {source} \\textless{{}}b\\textgreater{{}} \\textbar{{}} \\_z\\_." in text
    )


def test_a_latex_table_fits_a_column(told):
    """Widths in Times at 8 points, as \\footnotesize of a two-column class; a column has 85 mm."""
    for row, name in zip(told["rows"], ("R(2+1)D-18 with an aggregation", "ConvNeXt-Tiny frame mean"), strict=True):
        row |= dict(title=name, start="Kinetics-400", rank=[10, 12])
        row["headline"] = dict(war=rate(0.603, 0.6, 0.1, 0.561, 0.643), uar=rate(0.504, 0.5, 0.2, 0.451, 0.552))
    with open(f"{get_data_path()}/fonts/afm/ptmr8a.afm", "rb") as file:
        times = AFM(file)

    def millimetres(cell: str) -> float:
        number = re.fullmatch(r"\$(.*)_\{\\,(.*)\}\^\{\\,(.*)\}\$", cell)
        parts = [(cell, 8.0)] if number is None else [(number[1], 8.0), (number[2], 6.0), ("i", 6.0)]
        return sum(times.get_str_bbox_and_descent(text)[2] / 1000 * size for text, size in parts) / 72 * 25.4

    for line in latex(board(told)).splitlines():
        if line.count(" & ") == 4:
            rank, _, *others = line.removesuffix(" \\\\").split(" & ")
            gaps = 4 * 2 * 3 / 72 * 25.4
            assert METHOD_MM + sum(map(millimetres, [rank, *others])) + gaps <= 85, line


RUN = table(SIX[:1], folds=(1,))["rows"][0]["runs"][0]


@pytest.mark.parametrize(
    ("known", "note"),
    [
        (
            dict(runs=[RUN, RUN | dict(data_fingerprint={"train": "train1", "test": "c"})]),
            "fold 1: not all runs saw the same test",
        ),
        (dict(runs=[RUN, RUN | dict(fold=2, data_fingerprint={"train": "c", "test": "d"})]), None),
        (dict(runs_uneven=True), "CEFLNet: not every fold was run with every seed"),
        (
            dict(missing=["x"]),
            "CEFLNet: 1 clips without a prediction, counted as wrong where listed, else not compared",
        ),
        (dict(folds_missing=1), "CEFLNet: 2 of 2 folds (fold 1, 2); it is compared on the clips of these"),
        (dict(external=True, source="a paper"), "CEFLNet: external, protocol unknown; a paper"),
        (dict(official_counts=False), "CEFLNet: its corpus has another number of clips than the official one"),
        (
            dict(runs=[RUN, RUN | dict(start="ImageNet")]),
            "CEFLNet: its runs did not all start from the same weights: ImageNet, scratch",
        ),
    ],
    ids=["other videos", "another fold", "seeds", "missing", "folds", "external", "corpus", "starts"],
)
def test_what_a_reader_must_know_is_said(known, note):
    given = table(SIX[:1], folds=(1, 2), seeds=(0, 1), subjects=20)
    given["rows"][0] |= known
    lines = [line for line in notes(given) if "one training of a fold" not in line]
    assert len(lines) == (note is not None) and all(line.startswith(note) for line in lines)


@pytest.mark.parametrize(
    ("shape", "note"),
    [
        (dict(subjects=20, seeds=(0, 1)), None),
        (dict(subjects=None, seeds=(0, 1)), "all methods: who is in each clip is unknown; what other people would"),
        (dict(subjects=9, seeds=(0, 1)), "18 people: intervals are rough with fewer than about 20"),
        (dict(subjects=1, seeds=(0, 1), folds=(1,)), "all clips of a row are of one person: nothing can be said of"),
        (dict(subjects=20, seeds=(0,)), "all methods: one training of a fold; what training again would change is"),
        (dict(subjects=20, seeds=(0,), folds=(1,)), "all methods: a single training; it is described and not ranked"),
    ],
    ids=["all known", "nobody known", "few people", "one person", "one seed", "trained once"],
)
def test_a_source_of_luck_that_nobody_can_judge_is_named(shape, note):
    lines = notes(table(SIX[:2], **{"folds": (1, 2)} | shape))
    assert len(lines) == (note is not None) and all(line.startswith(note) for line in lines)


def test_whom_a_note_is_of_is_said():
    given = table(SIX[:2], folds=(1, 2), seeds=(0, 1), subjects=20)
    first, second = given["rows"]
    first["runs"] = first["runs"][:1]
    second["subjects"] = None
    assert notes(given) == [
        f"{second['title']}: who is in each clip is unknown; what other people would change is in no interval and no "
        "rank",
        f"{first['title']}: a single training; it is described and not ranked, and its intervals are of other clips "
        "alone",
    ]


@pytest.mark.parametrize(
    ("known", "text"),
    [
        (dict(runs_at_chance=1), "1 of 4 at chance"),
        (dict(official_counts=False), "not all official clips"),
        (dict(folds_missing=1, folds=[1]), "1 of 2 folds"),
        (dict(external=True), "external"),
        (dict(runs=[RUN]), "trained once"),
        (dict(losses=["label smoothing 0.1", "EC-STFL x 10"]), "label smoothing 0.1, EC-STFL x 10"),
    ],
)
def test_a_rank_is_never_shown_without_what_sets_its_row_apart(known, text):
    given = table(SIX[:1], folds=(1, 2), seeds=(0, 1))
    given["rows"][0] |= known
    assert [badge.text for badge in badges(given["rows"][0], given)] == [text]
    (line,) = [line for line in markdown(board(given)).splitlines() if line.startswith("| 1 |")]
    (row,) = [line for line in latex(board(given)).splitlines() if line.startswith("1 & ")]
    assert text in line and text in row


def test_metrics_that_a_contributor_added_have_a_table_with_the_best_in_bold():
    extra = {"calibration/ece": 0.12, "top/3": 0.875}
    one = replace(SIX[0], extra=extra, lower_is_better=("calibration/ece",))
    given = table((one, replace(SIX[1], extra={"calibration/ece": 0.25})), folds=(1, 2), seeds=(0, 1))
    page = markdown(board(given)).splitlines()
    start = page.index("### DFEW, fair track: other metrics")
    assert page[start + 2] == "| method | calibration/ece (lower is better) | top/3 (higher is better) |"
    lines = set(page[start + 4 : start + 6])
    assert lines == {
        "| CEFLNet | **0.125** ± 0.0058 | **0.88** ± 0.0058 |",
        "| Former-DFER | 0.255 ± 0.0058 |  |",
    }
    rows = {row["title"]: row for row in csv.DictReader(StringIO(csv_text(board(given))))}
    assert float(rows["CEFLNet"]["calibration/ece_mean"]) == pytest.approx(0.125)
    assert rows["Former-DFER"]["top/3_mean"] == ""
