"""tools/report.py on folders of simulated runs: what its tables say, and what it refuses."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.run import run_tool
from helpers.simulated import METHODS, SMALL, TWO, Corpus, Method, rows_of, scores_of, simulate
from scipy import stats
from sklearn.metrics import balanced_accuracy_score, confusion_matrix

from cefl_bench.errors import UserError
from cefl_bench.report.html import write_html
from cefl_bench.report.latex import latex
from cefl_bench.report.leaderboard import make_leaderboard
from cefl_bench.report.markdown import markdown
from cefl_bench.report.spreadsheet import csv_text
from cefl_bench.report.summary import summary
from cefl_bench.runs.predictions import read_predictions, write_predictions


def test_a_run_that_has_learnt_nothing_is_named(tmp_path):
    simulate(tmp_path, [Method("ceflnet_dfew", 0.5), Method("c3d_dfew", 0.14, folds=[2])], Corpus(folds=(1, 2)), [3])
    leaderboard = make_leaderboard(tmp_path)
    note = "c3d: 1 of 1 runs are at chance (fold 2 seed 3): they are no better than guessing"
    assert "c3d: a single training; it is described and not ranked" in markdown(leaderboard)
    assert note in markdown(leaderboard) and "ceflnet: 1 of" not in markdown(leaderboard)
    page = write_html(leaderboard, tmp_path / "report").read_text(encoding="utf-8")
    assert note in page and page.count("1 of 1 at chance") == 2
    told = [summary(tmp_path / name / "fold2_seed3") for name in ("c3d_dfew", "ceflnet_dfew")]
    assert ["at chance" in text for text in told] == [True, False]
    assert ["nothing was learnt" in text for text in told] == [True, False]


def test_every_number_is_that_of_the_files(made):
    (table,) = make_leaderboard(made)["tables"]
    row = rows_of(table)["ceflnet_dfew"]
    files = [made / "ceflnet_dfew" / f"fold{fold}_seed{seed}" for seed in (0, 1) for fold in (1, 2)]
    results = [json.loads((file / "result.json").read_text())["metrics"] for file in files]
    answers = [read_predictions(file / "predictions.csv") for file in files]
    for name in ("uar", "war"):
        for which in ("last", "best_test"):
            values = [metrics[which][name] for metrics in results]
            shown = row["headline" if which == "last" else which][name]
            assert shown["mean"] == pytest.approx(np.mean(values))
            assert shown["std"] == pytest.approx(np.std(values, ddof=1))
        low, high = row["headline"][name]["interval"]
        assert low < row["headline"][name]["pooled"] < high
        assert row["gap"][name] == pytest.approx(row["best_test"][name]["mean"] - row["headline"][name]["mean"])
    seeds = [
        [np.concatenate([getattr(a, what) for a in answers[k : k + 2]]) for what in ("label", "pred")] for k in (0, 2)
    ]
    assert row["headline"]["war"]["pooled"] == pytest.approx(np.mean([np.mean(label == pred) for label, pred in seeds]))
    assert row["headline"]["uar"]["pooled"] == pytest.approx(
        np.mean([balanced_accuracy_score(*seed) for seed in seeds])
    )
    assert row["confusion"] == sum(confusion_matrix(*seed, labels=range(7)) for seed in seeds).tolist()
    assert row["support"] == np.bincount(seeds[0][0], minlength=7).tolist(), "both seeds have the same clips"
    best = sum(np.array(metrics["best_test"]["confusion_matrix"]) for metrics in results)
    assert row["best_test"]["war"]["pooled"] == pytest.approx(np.trace(best) / 240)
    assert (row["params"], row["flops"], row["train_seconds"]) == (11_000_000, 8_000_000_000, 1205)
    assert [(run["fold"], run["seed"], run["clips"]) for run in row["runs"]] == [
        (1, 0, 60),
        (1, 1, 60),
        (2, 0, 60),
        (2, 1, 60),
    ]
    assert [row["rank"] for row in table["rows"]] == [[1, 1], [2, 2]] and table["rows"][0] is row


def test_the_tool_writes_all_pages(folder):
    done = run_tool("report.py", folder)
    assert {path.name for path in (folder / "report").iterdir()} >= {
        f"leaderboard.{x}" for x in ("md", "csv", "tex", "json")
    }
    board = json.loads((folder / "report" / "leaderboard.json").read_text())
    first = board["tables"][0]["rows"][0]
    with open(folder / "report" / "leaderboard.csv", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["method"] for line in lines] == ["ceflnet_dfew", "c3d_dfew"]
    assert float(lines[0]["war_pooled"]) == first["headline"]["war"]["pooled"] and lines[0]["rank_worst"] == "1"
    page = (folder / "report" / "leaderboard.md").read_text(encoding="utf-8")
    assert (
        f"**{100 * first['headline']['war']['pooled']:.1f}** [" in page and "*best test epoch: mean WAR / UAR*" in page
    )
    assert "2 of 5 folds (fold 1, 2)" in page and "left out" not in done.stdout
    tex = (folder / "report" / "leaderboard.tex").read_text(encoding="utf-8")
    assert (
        "ceflnet {\\scriptsize (2 of 5 folds)} & " in tex
        and tex.count("\\begin{tabular}") == tex.count("\\end{tabular}") == 1
    )
    assert all(line.count(" & ") == 4 for line in tex.splitlines() if line.endswith("\\\\"))
    again = make_leaderboard(folder)
    assert not again["left_out"], "its own pages are not taken for runs"
    assert csv_text(again) == (folder / "report" / "leaderboard.csv").read_text(), "the same files, the same intervals"


def test_other_protocols_and_tracks_have_tables_of_their_own(tmp_path):
    longer = Method("ceflnet_long_dfew", 0.7, protocol=dict(schedule=dict(epochs=40)))
    board = make_leaderboard(simulate(tmp_path, (*METHODS[:2], METHODS[4], longer), SMALL, seeds=(0,)))
    members = [[row["method"] for row in table["rows"]] for table in board["tables"]]
    assert sorted(map(sorted, members)) == [
        ["ceflnet_dfew", "former_dfer_dfew"],
        ["ceflnet_dfew_paper"],
        ["ceflnet_long_dfew"],
    ]
    assert len({table["protocol_id"] for table in board["tables"]}) == 3 == len({t["title"] for t in board["tables"]})
    for table in board["tables"]:
        assert len(table["differs_from_others"]) >= 2
        assert all("schedule.epochs: " in line or "track: " in line for line in table["differs_from_others"])
    assert "schedule.epochs: 20 != 40" in markdown(board)


def test_missing_folds_and_unfinished_runs_are_said(folder):
    for fold in (1, 2):
        (folder / "c3d_dfew" / f"fold{fold}_seed1" / "result.json").unlink()
    shutil.rmtree(folder / "c3d_dfew" / "fold2_seed0")
    board = make_leaderboard(folder)
    assert sorted(board["left_out"]) == [
        f"c3d_dfew/fold{k}_seed1: not finished, there is no result.json" for k in (1, 2)
    ]
    (table,), page = board["tables"], markdown(board)
    row = rows_of(table)["c3d_dfew"]
    assert (row["folds"], row["folds_missing"], row["clips"], table["pairs"][0]["clips"]) == ([1], 4, 60, 60)
    assert "c3d: 1 of 5 folds (fold 1)" in page and "1 of 5 folds (fold 1)" in latex(board)
    assert "c3d_dfew/fold1_seed1: not finished" in page


def test_a_row_over_fewer_folds_never_stands_above_one_with_more(tmp_path):
    methods = (Method("a_dfew", 0.3), Method("b_dfew", 0.9, folds=(1,)))
    (table,) = make_leaderboard(simulate(tmp_path, methods, SMALL, seeds=(0, 1, 2)))["tables"]
    assert [row["method"] for row in table["rows"]] == ["a_dfew", "b_dfew"]
    assert table["rows"][1]["rank"] == [1, 1], "on the clips of fold 1 it is better"


def test_folds_share_training_clips_by_the_folds_of_the_corpus_and_not_of_the_table(tmp_path):
    """Two of ten folds were run: a test clip for nine training clips, in the formula of Nadeau and Bengio."""
    corpus = Corpus(folds=(1, 2), clips=60, num_folds=10)
    (table,) = make_leaderboard(simulate(tmp_path, TWO, corpus, seeds=(0, 1)))["tables"]
    first, second = ([run["war"] for run in row["runs"]] for row in table["rows"])
    differences = np.subtract(first, second)
    t = differences.mean() / np.sqrt((1 / 4 + 1 / 9) * differences.var(ddof=1))
    assert table["pairs"][0]["training_p"] == pytest.approx(2 * stats.t.sf(abs(t), 3))


def test_subjects_reach_the_interval(tmp_path):
    board = make_leaderboard(simulate(tmp_path, TWO, Corpus(folds=(1, 2), clips=60, subjects=6), seeds=(0,)))
    assert {row["clustered_by"] for row in board["tables"][0]["rows"]} == {"subject"}


def test_the_epoch_that_a_held_out_part_picked_is_the_headline(folder):
    for file in folder.glob("*/*/result.json"):
        result = json.loads(file.read_text())
        chosen = result["metrics"]["last"] | {"epoch": 11}
        result["metrics"] = {"selected_by_val": chosen, "last": result["metrics"]["best_test"], **result["metrics"]}
        file.write_text(json.dumps(result))
    board = make_leaderboard(folder)
    (table,) = board["tables"]
    assert table["headline"] == "selected_by_val" and {run["epoch"] for run in table["rows"][0]["runs"]} == {11}
    assert "best on a held-out part of the training fold" in markdown(board)


def test_a_test_counts_where_it_is_of_another_corpus(folder):
    for fold, dataset in ((1, "DFEW"), (2, "DFEW -> AFEW")):
        file = folder / "c3d_dfew" / f"fold{fold}_seed1" / "result.json"
        result = json.loads(file.read_text())
        _change(file, metrics={"checkpoint": result["metrics"]["last"]}, dataset=dataset, time={"train_seconds": 0.0})
    board = make_leaderboard(folder)
    assert board["left_out"] == ["c3d_dfew/fold1_seed1: a test of a checkpoint, not a training"]
    across = board["tables"][1]
    assert (across["dataset"], across["headline"]) == ("DFEW -> AFEW", "checkpoint")
    (row,) = across["rows"]
    assert (
        row["best_test"] is None and row["gap"] is None and row["train_seconds"] is None and row["runs"][0]["fold"] == 2
    )
    assert "checkpoints as they were given" in markdown(board) and csv_text(board) and latex(board)


def test_a_class_without_clips_and_one_never_hit(tmp_path):
    folder = simulate(tmp_path, TWO[:1], SMALL, seeds=(0,))
    for file in folder.glob("*/*/predictions.csv"):
        given = read_predictions(file)
        label = np.where(given.label == 6, 0, given.label)
        scores = np.where(np.arange(7) == 3, -9, given.scores)
        write_predictions(file, given.name, label, scores)
        _refresh(file)
    (table,) = make_leaderboard(folder)["tables"]
    recall = table["rows"][0]["recall"]
    assert recall[6] is None and recall[3] == 0 and "nan" not in csv_text(make_leaderboard(folder)).lower()


def _refresh(file: Path) -> None:
    """Let the result beside a predictions.csv say what it says."""
    result, given = json.loads((file.parent / "result.json").read_text()), read_predictions(file, "logits")
    result["metrics"]["last"] |= scores_of(given.label, given.pred, epoch=20)
    (file.parent / "result.json").write_text(json.dumps(result))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda file: file.write_text(file.read_text()[:500]), "result.json cannot be read as JSON"),
        (lambda file: _change(file, fold="one"), "(fold: expected int, got str)"),
        (lambda file: _change(file, seed=0), "fold1_seed0 are both c3d_dfew, fold 1, seed 0"),
        (lambda file: (file.parent / "predictions.csv").unlink(), "predictions.csv cannot be read (No such file"),
        (lambda file: shutil.copy(file.parents[1] / "fold2_seed1" / "predictions.csv", file.parent), "one run"),
    ],
    ids=["half", "kind", "twice", "no predictions", "those of another run"],
)
def test_a_damaged_or_foreign_file_is_named_in_one_line(folder, spoil, message):
    spoil(folder / "c3d_dfew" / "fold1_seed1" / "result.json")
    with pytest.raises(UserError) as error:
        make_leaderboard(folder)
    assert message in str(error.value) and "fold1_seed1" in str(error.value) and "\n" not in str(error.value)


def test_the_tool_tells_of_a_damaged_file_in_one_line_and_writes_nothing(folder):
    file = folder / "c3d_dfew" / "fold1_seed1" / "result.json"
    file.write_bytes(b"\xff\xfe\x00")
    done = run_tool("report.py", folder, check=False)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and str(file) in done.stderr
    assert not (folder / "report").exists()


def _change(file: Path, **changes) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_runs_on_other_labels_are_refused(folder):
    file = folder / "c3d_dfew" / "fold2_seed0" / "predictions.csv"
    given = read_predictions(file, "logits")
    label = given.label.copy()
    label[3] = (label[3] + 1) % 7
    write_predictions(file, given.name, label, given.scores)
    _refresh(file)
    with pytest.raises(UserError, match="clip '20003' of fold 2 has label"):
        make_leaderboard(folder)


def test_a_folder_without_runs_ends_in_one_line(tmp_path):
    for place, message in ((tmp_path, "holds no finished run"), (tmp_path / "none", "is not a folder")):
        done = run_tool("report.py", place, check=False)
        assert done.returncode == 1 and message in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"params": 11_000_000, "macs": 9_000_000_000}, "11,000,000 parameters and 9,000,000,000 MACs"),
        ({"params": 12_000_000, "macs": 4_000_000_000}, "12,000,000 parameters and 4,000,000,000 MACs"),
        ({"params": None, "macs": None}, "unknown parameters and unknown MACs"),
    ],
    ids=["other MACs", "other parameters", "uncounted"],
)
def test_the_latency_of_another_network_of_that_name_is_left_out_and_said_so(other, told, folder):
    own = {"config": "c3d_dfew", "latency": {"median_ms": 12.5}, "cost": {"params": 11_000_000, "macs": 4_000_000_000}}
    speed = folder / "speed"
    speed.mkdir()
    (speed / "a.json").write_text(json.dumps([own, own | {"config": "not_here", "cost": other}]))
    (speed / "b.json").write_text(json.dumps([own | {"latency": {"median_ms": 1234.0}, "cost": other}]))
    made = make_leaderboard(folder)
    assert rows_of(made["tables"][0])["c3d_dfew"]["latency_ms"] == 12.5
    (line,) = made["left_out"]
    assert line.startswith(f"speed/b.json: c3d_dfew was measured with {told}, which no run of it has")
    (speed / "a.json").unlink()
    assert rows_of(make_leaderboard(folder)["tables"][0])["c3d_dfew"]["latency_ms"] is None


def test_latency_comes_from_speed_files(folder):
    on = {"config": "configs/c3d_dfew.py", "device_name": "CPU", "precision": "fp32"}
    speed = on | {"latency": {"median_ms": 12.5}, "cost": {"params": 11_000_000, "macs": 4_000_000_000}}
    (folder / "speed").mkdir()
    large = speed | {"config": "configs/ceflnet_dfew.py", "latency": {"batch": 1, "out_of_memory": True}}
    (folder / "speed" / "cpu.json").write_text(json.dumps([speed, large]))
    rows = rows_of(make_leaderboard(folder)["tables"][0])
    assert (rows["c3d_dfew"]["latency_ms"], rows["c3d_dfew"]["latency_on"]) == (12.5, "CPU, fp32")
    assert rows["ceflnet_dfew"]["latency_ms"] is None, "memory ran out"
    (folder / "speed" / "cpu.json").write_text('["x"]')
    with pytest.raises(UserError, match=r"cpu.json is not what tools/speed.py --json writes"):
        make_leaderboard(folder)
