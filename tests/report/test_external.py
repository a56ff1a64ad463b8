"""Predictions of other code without a run of one's own, and what is left behind when they cannot be taken in."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.boards import predictions_file
from helpers.run import run_tool
from helpers.simulated import CLASSES, SMALL, Corpus, Method, simulate

from cefl_bench.commands.report import NewExternal, report_with
from cefl_bench.errors import UserError
from cefl_bench.report.external import add_external
from cefl_bench.report.leaderboard import make_leaderboard
from cefl_bench.report.markdown import markdown
from cefl_bench.report.pages import write_report


@pytest.fixture
def files(tmp_path) -> list[Path]:
    """Predictions of folds 1 and 2: two clips in three are right."""
    return [predictions_file(tmp_path / f"set_{fold}.csv", SMALL, fold) for fold in (1, 2)]


def with_rows(file: Path, change) -> Path:
    """A copy of a file whose rows `change` makes anew."""
    header, *rows = file.read_text().splitlines()
    new = file.with_name(f"other_{file.name}")
    new.write_text("\n".join([header, *map(change, rows)]) + "\n")
    return new


def all_right(row: str) -> str:
    name, label, _ = row.split(",")
    return f"{name},{label},{label}"


@pytest.mark.parametrize(("corpus", "told"), [("dfew", "DFEW has 5 folds"), ("ferv39k", "FERV39k has 1 fold$")])
def test_a_fold_that_the_corpus_does_not_have_is_refused(corpus, told, files, tmp_path):
    with pytest.raises(UserError, match=f"--fold 6: {told}"):
        report_with(tmp_path / "new", NewExternal("one", [str(files[0])], corpus, [6]))
    assert not (tmp_path / "new").exists()


def test_two_published_files_are_compared_with_one_another(files, tmp_path):
    """No run of one's own: the folder is made, and the report is in it."""
    right = with_rows(files[0], all_right)
    common = ("--dataset", "dfew", "--fold", "1")
    folder = tmp_path / "new"
    add_external(folder, "one", [str(files[0])], "dfew", [1])
    arguments = ("--add-external", "other", right, *common, "--source", "https://example.org/a_b")
    assert "added" in run_tool("report.py", folder, *arguments).stdout
    (table,) = json.loads((folder / "report" / "leaderboard.json").read_text())["tables"]
    assert (table["dataset"], table["track"], table["headline"]) == ("DFEW", "unknown", "external")
    assert table["classes"] == list(CLASSES), "the toolkit knows the corpus"
    first, second = table["rows"]
    assert (first["method"], first["headline"]["war"]["pooled"]) == ("other", 1) and first["external"]
    assert second["headline"]["war"]["pooled"] == pytest.approx(2 / 3) and second["folds_missing"] == 4
    (pair,) = table["pairs"]
    assert pair["clips"] == 60 and pair["war_difference"] == pytest.approx(1 / 3)
    page = (folder / "report" / "leaderboard.md").read_text(encoding="utf-8")
    assert "## DFEW, predictions of other code" in page and "https://example.org/a_b" in page
    assert {path.name for path in (folder / "report").iterdir()} >= {"report.html", "leaderboard.tex", "figures"}


def test_a_file_per_fold_keeps_its_fold_and_one_for_all_needs_runs(files, tmp_path):
    folder = tmp_path / "new"
    add_external(folder, "apart", [str(file) for file in files], "my corpus", [1, 2])
    both = tmp_path / "both.csv"
    both.write_text(files[0].read_text() + files[1].read_text().partition("\n")[2])
    add_external(folder, "together", [str(both)], "my corpus", [1, 2])
    board = make_leaderboard(folder)
    (table,) = board["tables"]
    (row,) = table["rows"]
    assert (row["method"], row["folds"], row["clips"]) == ("apart", [1, 2], 120)
    assert table["classes"] == [str(k) for k in range(7)], "nobody knows their names"
    assert board["left_out"] == [
        "external/together: which clip is of which fold is not known without a run of my corpus: give one file per fold"
    ]
    simulate(folder, [Method("c3d_dfew", 0.5)], Corpus(folds=(1, 2), clips=60, name="My Corpus"), seeds=(0,))
    (table,) = make_leaderboard(folder)["tables"]
    assert {row["method"]: row["clips"] for row in table["rows"]} == {"c3d_dfew": 120, "apart": 120, "together": 120}


def test_a_clip_that_one_file_lacks_is_counted_as_wrong_and_said(files, tmp_path):
    folder = tmp_path / "new"
    add_external(folder, "whole", [str(with_rows(files[0], all_right))], "dfew", [1])
    lines = files[0].read_text().splitlines()
    files[0].write_text("\n".join([lines[0], *map(all_right, lines[4:])]) + "\n")
    add_external(folder, "part", [str(files[0])], "dfew", [1])
    board = make_leaderboard(folder)
    rows = {row["method"]: row for row in board["tables"][0]["rows"]}
    assert rows["part"]["headline"]["war"]["pooled"] == pytest.approx(57 / 60) and len(rows["part"]["missing"]) == 3
    assert "part: 3 clips without a prediction, counted as wrong: 10000, 10001, 10002" in markdown(board)


def test_subjects_in_the_files_reach_the_interval(files, tmp_path):
    header, *rows = files[0].read_text().splitlines()
    files[0].write_text("\n".join([f"{header},subject", *(f"{row},s{k % 9}" for k, row in enumerate(rows))]) + "\n")
    add_external(tmp_path / "new", "one", [str(files[0])], "dfew", [1])
    assert make_leaderboard(tmp_path / "new")["tables"][0]["rows"][0]["clustered_by"] == "subject"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda row: f"clip_{row}",
            "no clip of fold 1 is in the predictions beside it: 'clip_10000' here, '10000' there",
        ),
        (lambda row: re.sub(r",(\d)", lambda m: f",{(int(m[1]) + 1) % 7}", row), "clip '10000' has label"),
        (lambda row: row.replace(",", ",x", 1), "label is 'x"),
        (lambda row: row + ",1", "4 cells below 3 columns"),
        (lambda row: row.rpartition(",")[0] + ",7", "pred runs from 7 to 7: expected -1..6"),
    ],
    ids=["names", "labels", "words", "cells", "classes"],
)
@pytest.mark.parametrize("beside", ["predictions", "nothing"])
def test_nothing_is_left_behind_when_it_fails(files, tmp_path, change, message, beside):
    folder = tmp_path / "new"
    if beside == "predictions":
        add_external(folder, "first", [str(files[0])], "DFEW", [1], classes=CLASSES)
    elif "clip" in message:
        pytest.skip("nothing contradicts it")
    before = sorted(tmp_path.rglob("*"))
    bad = with_rows(files[0], change)
    with pytest.raises(UserError) as error:
        report_with(folder, NewExternal("second", [str(bad)], "dfew", [1]))
    assert message in str(error.value) and "\n" not in str(error.value)
    bad.unlink()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_failure_beside_runs_leaves_the_runs_and_the_old_report(files, tmp_path):
    folder = simulate(tmp_path / "runs", [Method("c3d_dfew", 0.5)], SMALL, seeds=(0,))
    write_report(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    bad = with_rows(files[0], lambda row: f"clip_{row}")
    with pytest.raises(UserError, match="60 of 60 clips are in no run of DFEW, fold 1, such as 'clip_10000': expected"):
        report_with(folder, NewExternal("second", [str(bad)], "DFEW", [1]))
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert not (folder / "external").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(folds=[1, 1]), "--fold 1 1: expected each fold once"),
        (dict(folds=[0]), "--fold 0: expected each fold once, counted from 1"),
        (dict(folds=[1, 2, 3]), "2 files for 3 folds: expected one for all, or one for each"),
        (dict(name="../up"), "expected a name that can be a folder's"),
        (dict(name="a\nb"), "expected a name that can be a folder's"),
        (dict(name="x" * 300), "expected a name that can be a folder's"),
        (dict(classes=["happy", "sad"]), "--classes has 2 names: expected the 7 of DFEW"),
        (dict(dataset="mine", classes=["happy", "sad"]), "label runs from 0 to 6: expected 0..1"),
    ],
)
def test_what_the_command_line_gets_wrong_is_said_before_anything_is_written(files, tmp_path, changes, message):
    given = dict(name="net", files=[str(file) for file in files], dataset="dfew", folds=[1, 2]) | changes
    with pytest.raises(UserError) as error:
        report_with(tmp_path / "new", NewExternal(**given))
    assert message in str(error.value) and not (tmp_path / "new").exists()


def test_class_names_of_ones_own_corpus_are_shown(files, tmp_path):
    names = [f"{name}!" for name in CLASSES]
    _, folder, _ = report_with(tmp_path / "new", NewExternal("net", [str(files[0])], "mine", [1], classes=names))
    assert json.loads((folder / "leaderboard.json").read_text())["tables"][0]["classes"] == names


def test_older_folders_with_one_file_are_read(files, tmp_path):
    folder = tmp_path / "new" / "external" / "net"
    folder.mkdir(parents=True)
    shutil.copy(files[0], folder / "predictions.csv")
    (folder / "about.json").write_text('{"name": "net", "dataset": "dfew", "folds": [1], "source": ""}')
    (table,) = make_leaderboard(tmp_path / "new")["tables"]
    assert table["rows"][0]["clips"] == 60 and np.sum(table["rows"][0]["confusion"]) == 60
