"""What a report does not take on trust: numbers beside their clips, runs of one row, names and files of others."""

import json
from pathlib import Path

import pytest
from helpers.simulated import SMALL, Corpus, Method, simulate

from cefl_bench.errors import UserError
from cefl_bench.report.external import add_external
from cefl_bench.report.leaderboard import make_leaderboard
from cefl_bench.report.markdown import markdown
from cefl_bench.report.pages import write_report

TWO = (Method("ceflnet_dfew", 0.62), Method("c3d_dfew", 0.3))


@pytest.fixture
def folder(tmp_path) -> Path:
    return simulate(tmp_path / "runs", TWO, SMALL, seeds=(0,))


def change(file: Path, **changes) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def of_other_code(folder: Path, name: str = "my_net", source: str = "") -> Path:
    names, label, *_ = SMALL.of(1)
    file = folder.parent / "theirs.csv"
    file.write_text("name,label,pred\n" + "".join(f"{n},{t},0\n" for n, t in zip(names, label, strict=True)))
    return add_external(folder, name, [str(file)], "dfew", [1], source=source)


@pytest.mark.parametrize("which", ["last", "best_test"])
@pytest.mark.parametrize("name", ["uar", "war"])
def test_a_score_must_be_that_of_its_confusion_matrix(folder, which, name):
    file = folder / "c3d_dfew" / "fold1_seed0" / "result.json"
    metrics = json.loads(file.read_text())["metrics"]
    metrics[which][name] += 0.01
    change(file, metrics=metrics)
    with pytest.raises(
        UserError, match=rf"fold1_seed0.*metrics\.{which}\.{name} is .*, and the confusion matrix gives"
    ):
        make_leaderboard(folder)


def test_an_unanswered_clip_more_or_less_is_no_file_of_the_run(folder):
    file = folder / "c3d_dfew" / "fold1_seed0" / "predictions.csv"
    file.write_text(file.read_text() + "another,0," + ",".join(["nan"] * 7) + "\n")
    with pytest.raises(UserError, match=r"fold1_seed0/predictions\.csv does not give"):
        make_leaderboard(folder)


def test_runs_of_two_models_in_one_row_are_said(folder):
    assert "not all of one model" not in markdown(make_leaderboard(folder))
    for fold, width in ((1, 64), (2, 32)):
        file = folder / "c3d_dfew" / f"fold{fold}_seed0" / "result.json"
        change(file, config={"model": {"backbone": {"width": width}}})
    page = markdown(make_leaderboard(folder))
    assert "c3d: its runs are not all of one model, and averaged all the same: model.backbone.width: 64" in page


def test_fewer_test_clips_than_the_official_lists_have_are_said(folder):
    assert "official lists" not in markdown(make_leaderboard(folder))
    for name in ("ceflnet_dfew", "c3d_dfew"):
        file = folder / name / "fold2_seed0" / "result.json"
        change(file, clips=json.loads(file.read_text())["clips"] | {"official": 2341})
    assert "fold 2: 60 test clips in some runs, and 2341 in the official lists" in markdown(make_leaderboard(folder))


def test_the_checkpoint_of_a_training_that_was_not_over_is_left_out(folder):
    for fold, epoch in ((1, 20), (2, 3)):
        file = folder / "c3d_dfew" / f"fold{fold}_seed0" / "result.json"
        last = json.loads(file.read_text())["metrics"]["last"]
        change(file, dataset="DFEW -> AFEW", metrics={"checkpoint": last | {"epoch": epoch}})
    board = make_leaderboard(folder)
    reason = "a test of a checkpoint of epoch 3, and its protocol has 20 epochs"
    assert board["left_out"] == [f"c3d_dfew/fold2_seed0: {reason}"]
    assert [row["folds"] for row in board["tables"][1]["rows"]] == [[1]]


@pytest.mark.parametrize(
    ("methods", "corpus"),
    [
        ((Method("a_dfew", 0.6, folds=(1,)), Method("b_dfew", 0.5, folds=(2,))), SMALL),
        (TWO, Corpus(folds=(1,), clips=60, subjects=1)),
    ],
    ids=["no clip in common", "one person"],
)
def test_pairs_that_nothing_can_be_said_of_have_a_report_too(methods, corpus, tmp_path):
    target, _ = write_report(simulate(tmp_path, methods, corpus, seeds=(0,)))
    assert (target / "report.html").exists()


def test_names_and_sources_of_others_are_text_in_every_page(folder):
    names = ("<img src=x onerror=f()>", "[x](javascript:f)", "a$\\frac$b", "`x`", "a|b")
    for name in names:
        of_other_code(folder, name, source=f"{name} &copy;\n\n# title")
    target, _ = write_report(folder)
    page = (target / "leaderboard.md").read_text(encoding="utf-8")
    assert not [name for name in names if name in page]
    assert "\n# title" not in page and page.count("&amp;copy;") == len(names)
    assert (target / "figures").is_dir()


@pytest.mark.parametrize("wrong", [{"folds": []}, {"folds": "12"}, {"name": ""}, {"name": 3}, {"source": {"a": 1}}])
def test_an_about_file_that_says_something_else_is_refused(folder, wrong):
    change(of_other_code(folder) / "about.json", **wrong)
    with pytest.raises(UserError, match=r"about.json is not of the form"):
        make_leaderboard(folder)


def test_figures_of_a_table_that_is_no_more_go(folder):
    target, _ = write_report(folder)
    before = {path.name for path in (target / "figures").iterdir()}
    for file in folder.glob("*/*/result.json"):
        change(file, protocol_id="0123456789ab")
    write_report(folder)
    after = {path.name for path in (target / "figures").iterdir()}
    assert len(after) == len(before) and not after & before
