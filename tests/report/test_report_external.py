"""Predictions of other code in the tables of a report."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from helpers.run import run_tool
from helpers.simulated import SMALL, Corpus, answer, rows_of

from cefl_bench.errors import UserError
from cefl_bench.report.external import add_external
from cefl_bench.report.leaderboard import make_leaderboard
from cefl_bench.runs.predictions import read_predictions


def external_file(path: Path, fold: int = 1, war: float = 0.5, skip: int = 0, corpus: Corpus = SMALL) -> Path:
    names, label, _, hard = corpus.of(fold)
    pred = answer(label, hard, war, 99, fold).argmax(1)
    rows = "".join(f"{n},{t},{p}\n" for n, t, p in list(zip(names, label, pred, strict=True))[skip:])
    path.write_text("name,label,pred\n" + rows)
    return path


def test_predictions_of_other_code_enter_the_table(folder):
    file = external_file(folder.parent / "theirs.csv", skip=4)
    arguments = ("--add-external", "my_net", file, "--dataset", "dfew", "--fold", "1", "--source", "a paper")
    assert "added" in run_tool("report.py", folder, *arguments).stdout
    board = json.loads((folder / "report" / "leaderboard.json").read_text())
    row = rows_of(board["tables"][0])["my_net"]
    given = read_predictions(file)
    assert row["external"] and row["params"] is None and row["gap"] is None
    assert row["missing"] == ["10000", "10001", "10002", "10003"] and row["clips"] == 60
    assert row["headline"]["war"]["pooled"] == pytest.approx((given.pred == given.label).sum() / 60), (
        "missing ones are wrong"
    )
    page = (folder / "report" / "leaderboard.md").read_text(encoding="utf-8")
    assert "my_net (external)" in page and "external, protocol unknown; a paper" in page
    assert "my_net: 4 clips without a prediction, counted as wrong: 10000, 10001, 10002, 10003" in page
    with open(folder / "report" / "leaderboard.csv", newline="") as lines:
        assert {line["method"]: line["protocol_id"] for line in csv.DictReader(lines)}["my_net"] == "unknown"
    again = run_tool("report.py", folder, *arguments, check=False)
    assert again.returncode == 1 and "my_net is there already" in again.stderr


def test_a_file_per_fold_is_one_method(folder):
    files = [str(external_file(folder.parent / f"{fold}.csv", fold)) for fold in (1, 2)]
    add_external(folder, "my_net", files, "DFEW", [1, 2])
    board = make_leaderboard(folder)
    assert rows_of(board["tables"][0])["my_net"]["folds"] == [1, 2] and not board["left_out"]
    add_external(folder, "third", files[:1], "DFEW", [1, 3])
    assert make_leaderboard(folder)["left_out"] == ["external/third: no run of DFEW, fold 3, to compare it with"]


def test_an_external_file_that_contradicts_the_corpus_is_refused(folder):
    lines = external_file(folder.parent / "theirs.csv").read_text().splitlines()
    name, label, pred = lines[8].split(",")
    cases = (
        ("wrong", [*lines[:8], f"{name},{(int(label) + 1) % 7},{pred}", *lines[9:]], f"clip '{name}' has label"),
        ("foreign", [*lines, "clip_1.mp4,0,0"], "1 of 61 clips are in no run of dfew, fold 1, such as 'clip_1.mp4'"),
        ("classes", [*lines, "x,7,7"], "label runs from 0 to 7: expected 0..6"),
        ("ceflnet_dfew", lines, "name 'ceflnet_dfew' is that of another method"),
    )
    for called, content, message in cases:
        (folder.parent / "theirs.csv").write_text("\n".join(content) + "\n")
        place = add_external(folder, called, [str(folder.parent / "theirs.csv")], "dfew", [1])
        with pytest.raises(UserError) as error:
            make_leaderboard(folder)
        assert message in str(error.value) and called in str(error.value)
        shutil.rmtree(place)
    for name in ("../up", "", ".hidden", "a/b"):
        with pytest.raises(UserError, match="expected a name that can be a folder's"):
            add_external(folder, name, [], "dfew", [1])
    place = add_external(folder, "fine", [str(external_file(folder.parent / "theirs.csv"))], "dfew", [1])
    (place / "about.json").write_text('{"name": "fine"}')
    with pytest.raises(UserError, match=r"fine/about\.json is not of the form .*there is no dataset"):
        make_leaderboard(folder)
