"""Groups of people in a report: from a corpus's list or anybody's file to recall with intervals, counted by hand."""

import csv
import json

import numpy as np
import pytest
from helpers.simulated import SMALL, TWO, Corpus, rows_of, simulate

from cefl_bench.errors import UserError
from cefl_bench.functional.outcomes import Outcomes, rate_interval
from cefl_bench.report.external import add_external
from cefl_bench.report.html import write_html
from cefl_bench.report.leaderboard import make_leaderboard
from cefl_bench.report.markdown import markdown
from cefl_bench.runs.predictions import read_predictions, write_predictions

PEOPLE = Corpus(folds=(1, 2), clips=60, subjects=6)


def add_groups(folder, group_of):
    """Give the clips of every run a group; `group_of` takes the place of a clip in its file."""
    for file in folder.glob("*/fold*/predictions.csv"):
        with open(file, newline="") as lines:
            rows = list(csv.DictReader(lines))
        scores = np.array([[float(row[f"score_{k}"]) for k in range(7)] for row in rows])
        groups = [group_of(place) for place in range(len(rows))]
        subjects = [row.get("subject", "") for row in rows]
        write_predictions(
            file, [row["name"] for row in rows], np.array([int(row["label"]) for row in rows]), scores, subjects, groups
        )


def old_or_young(place):
    """Of the six people of a fold, two are old; of one clip nobody knows."""
    return "" if place == 5 else "old" if place % 6 < 2 else "young <b>"


@pytest.fixture
def grouped(tmp_path):
    folder = simulate(tmp_path / "runs", TWO, PEOPLE)
    add_groups(folder, old_or_young)
    return folder


def test_each_group_is_counted_as_by_hand(grouped):
    (table,) = make_leaderboard(grouped)["tables"]
    groups = {found["group"]: found for found in rows_of(table)["ceflnet_dfew"]["groups"]}
    assert list(groups) == ["old", "young <b>"]
    for group, found in groups.items():
        right, label, who = [], [], []
        for fold in (1, 2):
            folders = [grouped / "ceflnet_dfew" / f"fold{fold}_seed{seed}" for seed in (0, 1)]
            runs = [read_predictions(folder / "predictions.csv") for folder in folders]
            kept = np.array([old_or_young(place) == group for place in range(60)])
            right.append(np.stack([(run.pred == run.label)[kept] for run in runs]).astype(np.int8))
            label.append(runs[0].label[kept])
            who += [name for name, is_kept in zip(runs[0].subject, kept, strict=True) if is_kept]
        labels = np.concatenate(label)
        means = np.concatenate([values.mean(axis=0) for values in right])
        assert found["war"] == pytest.approx(means.mean()) and found["clips"] == len(labels)
        assert found["uar"] == pytest.approx(np.mean([means[labels == k].mean() for k in np.unique(labels)]))
        assert found["people"] == len(set(who)) == (4 if group == "old" else 8)
        outcomes = Outcomes(right, labels, np.arange(len(labels)), np.unique(who, return_inverse=True)[1])
        assert found["war_interval"] == pytest.approx([float(end) for end in rate_interval(outcomes, "war")])
        assert found["war_interval"][0] < found["war"] < found["war_interval"][1]


def test_the_pages_show_them_and_what_to_keep_in_mind(grouped, tmp_path):
    board = make_leaderboard(grouped)
    old = rows_of(board["tables"][0])["ceflnet_dfew"]["groups"][0]
    low, high = old["war_interval"]
    text = markdown(board)
    assert f"| old | {old['clips']} | 4 | {100 * old['war']:.1f} [{100 * low:.1f}, {100 * high:.1f}] |" in text
    assert "groups of people" in text and "<b>" not in text
    page = write_html(board, tmp_path / "report").read_text(encoding="utf-8")
    for shown in ("Groups of people", "young &lt;b&gt;", f"[{100 * low:.1f}, {100 * high:.1f}]", "compared with care"):
        assert shown in page
    assert json.loads(json.dumps(board)) == board


def test_without_groups_nothing_is_said_of_them(tmp_path):
    board = make_leaderboard(simulate(tmp_path / "runs", TWO[:1], SMALL, [0]))
    assert rows_of(board["tables"][0])["ceflnet_dfew"]["groups"] == []
    page = write_html(board, tmp_path / "report").read_text(encoding="utf-8")
    assert "roups of people" not in markdown(board) + page


def test_a_file_of_other_code_brings_the_groups_of_all_methods(tmp_path):
    folder = simulate(tmp_path / "runs", TWO[:1], SMALL, [0])
    names, label, *_ = SMALL.of(1)
    rows = [
        f"{name},{true},{true},{'a' if place < 20 else 'b'}"
        for place, (name, true) in enumerate(zip(names, label, strict=True))
    ]
    (tmp_path / "theirs.csv").write_text("name,label,pred,Group\n" + "\n".join(rows) + "\n")
    add_external(folder, "my_net", [str(tmp_path / "theirs.csv")], "DFEW", [1])
    found = rows_of(make_leaderboard(folder)["tables"][0])
    for method in ("my_net", "ceflnet_dfew"):
        assert [(one["group"], one["clips"], one["people"]) for one in found[method]["groups"]] == [
            ("a", 20, None),
            ("b", 40, None),
        ]
    assert [one["war"] for one in found["my_net"]["groups"]] == [1, 1]


def test_a_clip_of_two_groups_is_named(grouped, tmp_path):
    file = grouped / "c3d_dfew" / "fold1_seed0" / "predictions.csv"
    file.write_text(file.read_text().replace(",old,", ",ancient,", 1))
    with pytest.raises(UserError, match=r"clip '1\d{4}' is of group '.*', and of '.*' in another run"):
        make_leaderboard(grouped)
    (tmp_path / "twice.csv").write_text("name,label,group,score_0,score_1\na,0,x,2,1\na,0,y,3,1\n")
    with pytest.raises(UserError, match="line 3: group is 'y', and 'x' for 'a' before: expected one"):
        read_predictions(tmp_path / "twice.csv")
