"""Rows of a leaderboard, from folders of runs that are uneven, incomplete, of other code or not in their place."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.simulated import CLASSES, SMALL, Corpus, Method, scores_of, simulate

from cefl_bench.errors import UserError
from cefl_bench.functional.recall import recall_scores
from cefl_bench.report.external import add_external
from cefl_bench.report.leaderboard import make_leaderboard
from cefl_bench.runs.predictions import read_predictions, write_predictions

TWO = (Method("ceflnet_dfew", 0.62), Method("c3d_dfew", 0.3))


@pytest.fixture
def folder(tmp_path) -> Path:
    return simulate(tmp_path / "runs", TWO, SMALL)


def rows_of(folder: Path) -> dict[str, dict]:
    (table,) = make_leaderboard(folder)["tables"]
    return {row["method"]: row for row in table["rows"]}


def change(run: Path, **changes) -> None:
    file = run / "result.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def metrics_of(run: Path) -> dict[str, dict]:
    return json.loads((run / "result.json").read_text())["metrics"]


def predicted(run: Path, names: list[str], label: np.ndarray, pred: np.ndarray, **best) -> None:
    """Let a run have predicted `pred`, at its last and its best test epoch."""
    write_predictions(run / "predictions.csv", names, label, np.eye(len(CLASSES))[pred])
    last = scores_of(label, pred, epoch=20)
    change(run, metrics={"last": last, "best_test": last | best})


def of_other_code(folder: Path, name: str, folds=(1,), dataset="dfew", given=None, scores_are=None) -> Path:
    """Predictions of fold after fold, all of class 0 where they are not given."""
    clips = [clip for fold in given or folds for clip in zip(*SMALL.of(fold)[:2], strict=True)]
    file = folder.parent / "theirs.csv"
    file.write_text("name,label,pred\n" + "".join(f"{clip},{label},0\n" for clip, label in clips))
    return add_external(folder, name, [str(file)], dataset, folds, scores_are)


def test_a_fold_counts_as_much_as_another_however_many_seeds_it_has(folder):
    shutil.rmtree(folder / "c3d_dfew" / "fold1_seed1")
    for run in (folder / "c3d_dfew").iterdir():
        given = read_predictions(run / "predictions.csv", "logits")
        predicted(run, given.name, given.label, np.where(given.label == 6, 0, given.pred))  # a class is never hit
    rows, runs = rows_of(folder), [[(1, 0)], [(2, 0), (2, 1)]]
    assert [rows[method]["runs_uneven"] for method in ("c3d_dfew", "ceflnet_dfew")] == [True, False]
    row = rows["c3d_dfew"]
    folds = [[metrics_of(folder / "c3d_dfew" / f"fold{fold}_seed{seed}") for fold, seed in of] for of in runs]
    for name in ("uar", "war"):
        for which in ("last", "best_test"):
            expected = np.mean([np.mean([metrics[which][name] for metrics in of]) for of in folds])
            assert row["headline" if which == "last" else which][name]["mean"] == pytest.approx(expected)
    matrix = sum(np.mean([metrics["best_test"]["confusion_matrix"] for metrics in of], axis=0) for of in folds)
    support = matrix.sum(axis=1)
    recall = matrix.diagonal()[support > 0] / support[support > 0]
    assert row["best_test"]["uar"]["pooled"] == pytest.approx(recall.mean()) and len(recall) == 6 and recall[-1] == 0
    assert row["best_test"]["war"]["pooled"] == pytest.approx(np.trace(matrix) / 120)


def test_rows_stand_in_the_order_of_the_headline_war(tmp_path):
    folder = simulate(tmp_path, TWO, Corpus(folds=(1,), clips=60), seeds=(0,))
    names, label, *_ = SMALL.of(1)
    common, rare = np.isin(label, (0, 2, 3)), np.isin(label, (1, 4, 6)) | ((label == 0) & (np.arange(60) % 2 == 0))
    perfect = recall_scores(label, label, len(CLASSES))["confusion_matrix"].tolist()
    best = {"uar": 1.0, "war": 1.0, "confusion_matrix": perfect}
    for method, hit, flattered in (("c3d_dfew", common, {}), ("ceflnet_dfew", rare, best)):
        predicted(folder / method / "fold1_seed0", names, label, np.where(hit, label, (label + 1) % 7), **flattered)
    first, second = rows_of(folder).values()
    assert (first["method"], second["method"]) == ("c3d_dfew", "ceflnet_dfew")
    assert first["headline"]["war"]["pooled"] > second["headline"]["war"]["pooled"]
    assert first["headline"]["uar"]["pooled"] < second["headline"]["uar"]["pooled"]
    assert first["best_test"]["war"]["mean"] < second["best_test"]["war"]["mean"]


def test_clips_that_a_run_does_not_have_are_named_and_compared_on_by_nobody(folder):
    run = folder / "c3d_dfew" / "fold1_seed1"
    names, label, *_ = SMALL.of(1)
    predicted(run, names[3:], label[3:], label[3:])
    row = rows_of(folder)["c3d_dfew"]
    assert row["missing"] == names[:3] and row["clips"] == 117
    assert [run["missing"] for run in row["runs"]] == [0, 3, 0, 0]
    assert make_leaderboard(folder)["tables"][0]["pairs"][0]["clips"] == 117


def test_who_always_says_the_commonest_class_is_at_chance_whatever_the_war(folder):
    of_other_code(folder, "constant")
    run = folder / "c3d_dfew" / "fold1_seed0"
    names, label, *_ = SMALL.of(1)
    for other in folder.glob("*_dfew/fold1_*"):
        few = np.minimum(label, 1)
        predicted(other, names, few, np.ones(60, dtype=int) if other == run else few)
    (folder / "external" / "constant" / "predictions.csv").write_text(
        "name,label,pred\n" + "".join(f"{name},{min(true, 1)},1\n" for name, true in zip(names, label, strict=True))
    )
    rows = rows_of(folder)
    assert [run["at_chance"] for run in rows["c3d_dfew"]["runs"][:2]] == [True, False]
    assert [run["at_chance"] for run in rows["constant"]["runs"]] == [True]
    assert rows["constant"]["headline"]["war"]["mean"] > 0.6 and rows["constant"]["headline"]["uar"]["mean"] == 0.5
    assert sum(map(sum, rows["constant"]["confusion"])) == 60


def test_a_row_that_knows_not_all_its_best_epochs_shows_none(folder):
    run = folder / "c3d_dfew" / "fold1_seed1"
    change(run, metrics={"last": metrics_of(run)["last"]})
    row = rows_of(folder)["c3d_dfew"]
    assert row["best_test"] is None and row["gap"] is None


def test_results_of_older_versions_have_the_folds_that_are_there(folder):
    for file in folder.glob("*/*/result.json"):
        result = json.loads(file.read_text())
        del result["num_folds"]
        file.write_text(json.dumps(result))
    assert [row["folds_missing"] for row in rows_of(folder).values()] == [0, 0]


def test_another_track_or_protocol_or_corpus_is_another_table(folder):
    for name, other in (
        ("id", {"protocol_id": "x"}),  # the same config and folds, and no duplicate
        ("track", {"track": "paper", "config_name": "longer_dfew"}),
        ("corpus", {"dataset": "MAFW", "config_name": "c3d_mafw"}),
    ):
        for run in shutil.copytree(folder / "c3d_dfew", folder / name).iterdir():
            change(run, **other)
    board = make_leaderboard(folder)
    tables = {(table["dataset"], table["track"], table["protocol_id"]): table for table in board["tables"]}
    assert len(tables) == len(board["tables"]) == 4
    for (corpus, *_), table in tables.items():
        assert len(table["differs_from_others"]) == (0 if corpus == "MAFW" else 2)


def test_what_is_no_run_is_passed_over_and_told_where_somebody_may_look_for_it(folder):
    (folder / "c3d_dfew" / "fold1_seed0.log").write_text("")
    for place in ("report/fold1_seed0", "speed/fold1_seed0", "external/old/run", "c3d_dfew/again"):
        shutil.copytree(folder / "c3d_dfew" / "fold1_seed0", folder / place)
    shutil.rmtree(folder / "external")
    board = make_leaderboard(folder)
    assert board["left_out"] == ["c3d_dfew/again/result.json: expected CONFIG/foldK_seedS/result.json"]
    assert len(board["tables"][0]["rows"]) == 2


def test_predictions_of_two_folds_in_two_files_are_all_there(folder):
    files = []
    for fold in (1, 2):
        names, label, *_ = SMALL.of(fold)
        files.append(folder.parent / f"{fold}.csv")
        files[-1].write_text("name,label,pred\n" + "".join(f"{n},{t},{t}\n" for n, t in zip(names, label, strict=True)))
    add_external(folder, "perfect", [str(file) for file in files], "Dfew", [1, 2])
    row = rows_of(folder)["perfect"]
    assert (row["clips"], row["missing"], row["headline"]["war"]["pooled"]) == (120, [], 1)
    files[1].write_text("name,label,pred\n20000,zero,0\n")
    with pytest.raises(UserError, match="line 2: label is 'zero'"):
        add_external(folder, "damaged", [str(file) for file in files], "dfew", [1, 2])
    assert [place.name for place in (folder / "external").iterdir()] == ["perfect"]


def test_predictions_of_a_fold_that_no_run_has_are_left_out_and_the_others_scored(folder):
    of_other_code(folder, "three", (1, 3))
    board = make_leaderboard(folder)
    assert board["left_out"] == ["external/three: no run of dfew, fold 3, to compare it with"]
    rows = {row["method"]: row for row in board["tables"][0]["rows"]}
    assert rows["three"]["folds"] == [1] and rows["three"]["clips"] == 60 and not rows["three"]["missing"]


def test_two_predictions_of_one_name_are_refused(folder):
    of_other_code(folder, "mine")
    shutil.copytree(folder / "external" / "mine", folder / "external" / "mine_2")
    with pytest.raises(UserError, match=r"mine_2/about\.json: name 'mine' is that of another method"):
        make_leaderboard(folder)


def test_scores_are_read_as_what_their_file_says_they_are(folder):
    names, label, *_ = SMALL.of(1)
    place = of_other_code(folder, "probable", scores_are="probabilities")
    crops = np.zeros((3, 7))
    crops[:, :2] = [[1, 0], [0.2505, 0.7495], [0.2505, 0.7495]]  # as logits, class 1 would be ahead
    scores = np.tile(crops, (60, 1))
    write_predictions(place / "predictions.csv", np.repeat(names, 3), np.repeat(label, 3), scores)
    assert read_predictions(place / "predictions.csv", "logits").pred.tolist() == [1] * 60
    assert rows_of(folder)["probable"]["confusion"][0][0] == (label == 0).sum()


def test_predictions_on_one_corpus_do_not_enter_a_table_across_corpora(folder):
    of_other_code(folder, "mine")
    for run in (folder / "c3d_dfew").iterdir():
        change(run, dataset="DFEW -> AFEW")
    tables = make_leaderboard(folder)["tables"]
    assert {t["dataset"]: "mine" in [row["method"] for row in t["rows"]] for t in tables} == {
        "DFEW": True,
        "DFEW -> AFEW": False,
    }


def test_speed_files_may_hold_loaders_too(folder):
    (folder / "speed").mkdir()
    cost = {"params": 11_000_000, "macs": 4_000_000_000}
    model = {"config": "c3d_dfew.py", "device_name": "CPU", "latency": {"median_ms": 12.5}, "cost": cost}
    (folder / "speed" / "all.json").write_text(json.dumps([{"loader": "packed"}, model]))
    assert rows_of(folder)["c3d_dfew"]["latency_ms"] == 12.5


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ({"dropout": 0.5}, []),
        ({"label_smoothing": 0.1, "class_weights": "balanced"}, ["label smoothing 0.1", "balanced class weights"]),
        ({"ial_weight": "<b>", "class_weights": 3}, ["class weights of its own", "IAL x ?"]),
        ("a head", []),
    ],
    ids=str,
)
def test_a_row_says_what_its_loss_is(head, words, folder):
    for run in (folder / "c3d_dfew").iterdir():
        change(run, config={"model": {"head": head}})
    assert rows_of(folder)["c3d_dfew"]["losses"] == words
    assert rows_of(folder)["ceflnet_dfew"]["losses"] == []
