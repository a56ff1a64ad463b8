"""`--select val`: the epoch that counts is chosen on people of the training fold who are held out."""

import json
import os
import signal
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from helpers.kills import kill_training
from helpers.planted import (
    BATCHES_PER_EPOCH,
    BEST_TEST,
    HELD_OUT_RIGHT,
    NUM_EPOCHS,
    SELECTED,
    TEST_RIGHT,
    planted_config,
    planted_tree,
    test_confusion,
)
from helpers.run import ROOT, run_tool
from helpers.trees import CLASSES

from cefl_bench.config import load_config, select_by_val
from cefl_bench.functional.protocol import difference, protocol_id, protocol_of
from cefl_bench.hooks.validate import Validate
from cefl_bench.hooks.write_result import WriteResult
from cefl_bench.plain import plain
from cefl_bench.runs import checkpoints
from cefl_bench.runs.predictions import read_predictions

CONFIG = ROOT / "configs" / "ceflnet_synthetic.py"
SELECT = ("--select", "val")
NUM_TEST_VIDEOS = len(CLASSES)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A config whose scores are planted: validation, test and the last epoch each have a best of their own."""
    return planted_config(tmp_path_factory.mktemp("configs"))


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    home = tmp_path_factory.mktemp("data")
    planted_tree(home / "synthetic_demo")
    return os.environ | {"CEFL_BENCH_DATA": str(home)}


@pytest.fixture(scope="module")
def finished(tmp_path_factory, planted, environment):
    folder = tmp_path_factory.mktemp("finished") / "run"
    out = run_tool("train.py", planted, "--work-dir", folder, *SELECT, env=environment).stdout
    (folder / "stdout.txt").write_text(out)
    return folder


def test_the_epoch_that_counts_is_the_best_on_the_held_out_people(finished):
    result = json.loads((finished / "result.json").read_text())
    metrics, history = result["metrics"], result["history"]
    assert {name: scores["epoch"] for name, scores in metrics.items()} == {
        "selected_by_val": SELECTED,
        "last": NUM_EPOCHS,
        "best_test": BEST_TEST,
    }
    assert next(iter(metrics)) == "selected_by_val", "what stands first is what predictions.csv holds"
    for row, held_out, test in zip(history, HELD_OUT_RIGHT, TEST_RIGHT, strict=True):
        assert (row["val_war"], row["val_uar"]) == pytest.approx((held_out / len(CLASSES),) * 2)
        assert (row["war"], row["uar"]) == pytest.approx((test / len(CLASSES),) * 2)
    selected, row = metrics["selected_by_val"], history[SELECTED - 1]
    assert (selected["uar"], selected["war"]) == (row["uar"], row["war"])
    assert selected["val"] == {"uar": row["val_uar"], "war": row["val_war"]}
    told = [line for line in (finished / "train.log").read_text().splitlines() if line.startswith("wrote selected.pth")]
    assert [line.partition(", ")[0] for line in told] == [
        f"wrote selected.pth: epoch {epoch}" for epoch in (1, SELECTED)
    ]
    assert told[-1].endswith(f"val WAR {max(HELD_OUT_RIGHT) / len(CLASSES):.3f}")
    out = (finished / "stdout.txt").read_text()
    assert "14 training, 7 held-out and 7 test videos" in out and "selected by val epoch" in out
    assert set(result["data_fingerprint"]) == {"train", "val", "test"}
    assert result["protocol"]["selection"] == "val" and result["protocol"]["dataset"]["holdout"] == 0.1


def test_predictions_are_those_of_the_epoch_that_counts(finished):
    assert len(read_predictions(finished / "predictions.csv").name) == NUM_TEST_VIDEOS
    run_tool("score.py", finished / "predictions.csv", "--json", finished / "scored.json")
    scored = json.loads((finished / "scored.json").read_text())
    metrics = json.loads((finished / "result.json").read_text())["metrics"]
    assert scored["confusion_matrix"] == test_confusion(SELECTED)
    for name, epoch in (("selected_by_val", SELECTED), ("last", NUM_EPOCHS), ("best_test", BEST_TEST)):
        assert metrics[name]["confusion_matrix"] == test_confusion(epoch), name


def test_the_weights_of_the_epoch_that_counts_are_kept(finished, planted, environment):
    weights = checkpoints.load(finished / "selected.pth")["state_dict"]
    assert weights["head.batches_seen"] == SELECTED * BATCHES_PER_EPOCH
    run_tool("test.py", planted, finished / "selected.pth", env=environment)
    tested = json.loads((finished / "test" / "result.json").read_text())["metrics"]["checkpoint"]
    assert tested["epoch"] == SELECTED and tested["confusion_matrix"] == test_confusion(SELECTED)


def test_a_killed_run_resumes_to_the_same_choice(finished, planted, environment, start_tool, tmp_path):
    folder = tmp_path / "run"
    command = ["train.py", planted, "--work-dir", folder, "--resume", *SELECT]
    killed = start_tool(*command, env=environment, prepare=partial(kill_training, epoch=NUM_EPOCHS))
    assert killed.wait() == -signal.SIGKILL and not (folder / "result.json").exists()
    resumed = f"resumed after epoch {NUM_EPOCHS - 1}"
    assert resumed in run_tool(*command, env=environment).stdout
    assert_same(folder, finished)
    # Only last.pth is left, and the epoch that counts is not its last one.
    for name in ("result.json", "predictions.csv"):
        (folder / name).unlink()
    run_tool(*command, env=environment)
    assert_same(folder, finished)
    refused = run_tool(*command[:-2], check=False, env=environment)
    assert refused.returncode == 1 and "holds a run of another config" in refused.stderr


def assert_same(folder, finished):
    assert (folder / "predictions.csv").read_bytes() == (finished / "predictions.csv").read_bytes()
    one, other = (json.loads((where / "result.json").read_text()) for where in (folder, finished))
    assert one["metrics"] == other["metrics"]
    rows = [[{**row, "seconds": 0} for row in result["history"]] for result in (one, other)]
    assert rows[0] == rows[1]
    for name in ("last.pth", "selected.pth"):
        weights = [checkpoints.load(where / name)["state_dict"] for where in (folder, finished)]
        assert all((weights[0][key] == tensor).all() for key, tensor in weights[1].items())


def runner_of(folder, num_videos):
    """What a hook asks of a runner that has tested its first epoch."""
    loader, evaluator = SimpleNamespace(dataset=range(num_videos)), SimpleNamespace(metrics=[])
    return SimpleNamespace(epoch=1, work_dir=folder, val_dataloader=loader, val_evaluator=evaluator)


@pytest.mark.parametrize("killed", [False, True])
def test_an_unreadable_test_video_is_unanswered_at_the_epoch_that_counts(killed, tmp_path):
    scores = torch.tensor([[1.0, 0.0], [torch.nan, torch.nan], [-torch.inf, 0.0]])
    outputs = [
        {"name": name, "label": 1, "subject": "", "scores": row, "apex": (-1, -1), "unreadable": note}
        for name, row, note in zip("abc", scores, ("", "b: broken", ""), strict=True)
    ]
    runner = runner_of(tmp_path, num_videos=3)
    hook = WriteResult({"classes": ["happy", "sad"], "clips": {}})
    hook._state["history"].append({"epoch": 1})
    hook.after_val_iter(runner, 0, outputs=outputs)
    hook.after_val_epoch(runner, {"val/uar": 0.5, "val/war": 0.5})
    if killed:
        checkpoint = {"meta": {}, "state_dict": {}}
        hook.before_save_checkpoint(runner, checkpoint)
        hook = WriteResult(hook.facts)
        hook.after_load_checkpoint(runner, checkpoint)
        hook._tested = True
    hook.after_train(runner)
    assert read_predictions(tmp_path / "predictions.csv").pred.tolist() == [0, -1, 1]
    assert json.loads((tmp_path / "result.json").read_text())["metrics"]["selected_by_val"]["unanswered"] == 1


@pytest.mark.parametrize(
    ("right", "val", "best", "selected"),
    [
        ((1, 3, 3), (0.2, 0.6, 0.4), 2, 2),
        ((3, 1, 3), (0.6, 0.2, 0.6), 1, 1),
        ((3, 1, 2), (0.2, 0.4, 0.6), 1, 3),
    ],
    ids=["both", "earliest of equal ones", "other epochs"],
)
def test_test_and_held_out_epochs_are_chosen_apart_and_by_war(right, val, best, selected, tmp_path):
    """UAR on the held-out part falls from epoch to epoch."""
    runner = runner_of(tmp_path, num_videos=4)
    hook = WriteResult({"classes": ["happy", "sad"], "clips": {}})
    for runner.epoch, (count, war) in enumerate(zip(right, val, strict=True), start=1):
        hook._state["history"].append({"epoch": runner.epoch})
        scores = [5 * torch.eye(2)[1 if place < count else 0] for place in range(4)]
        said = [
            dict(name=n, label=1, scores=row, apex=(-1, -1), unreadable="")
            for n, row in zip("abcd", scores, strict=True)
        ]
        hook.after_val_iter(runner, 0, outputs=said)
        hook.after_val_epoch(runner, {"val/uar": 1 / runner.epoch, "val/war": war})
    hook.after_train(runner)
    result = json.loads((tmp_path / "result.json").read_text())
    chosen = {name: metrics["epoch"] for name, metrics in result["metrics"].items()}
    assert chosen == {"selected_by_val": selected, "last": 3, "best_test": best}
    answers = read_predictions(tmp_path / "predictions.csv").pred
    assert answers.sum() == right[selected - 1] == 4 * result["metrics"]["selected_by_val"]["war"]


def test_each_measure_of_the_held_out_part_keeps_its_name():
    class Loader(list):
        dataset = range(3)

    evaluator = SimpleNamespace(process=lambda **_: None, evaluate=lambda size: {"recall/uar": 0.4, "recall/war": 0.6})
    runner = SimpleNamespace(seed=0, build_dataloader=lambda *_, **__: Loader(), build_evaluator=lambda _: evaluator)
    hook, metrics = Validate({}, []), {"recall/war": 0.1}
    hook.before_train(runner)
    hook.after_val_epoch(runner, metrics)
    assert metrics == {"recall/war": 0.1, "val/uar": 0.4, "val/war": 0.6}


def test_choosing_on_held_out_people_is_another_protocol_and_nothing_else_changes():
    differently = {f"{side}_dataloader.dataset.pipeline.1.scheme": "ceflnet" for side in ("val", "test")}
    last, val = (load_config(CONFIG, differently) for _ in range(2))
    select_by_val(val)
    protocols = [protocol_of(plain(config.to_dict()) | {"track": "fair"}) for config in (last, val)]
    assert protocol_id(protocols[0]) != protocol_id(protocols[1])
    assert difference(*protocols) == ["dataset.holdout: None != 0.1", "selection: 'last' != 'val'"]
    held_out = plain(val.held_out_dataloader.to_dict())
    expected = plain(last.val_dataloader.to_dict())
    assert held_out == {**expected, "dataset": {**expected["dataset"], "split": "val", "holdout": 0.1}}
    assert plain(val.val_dataloader.to_dict()) == plain(last.val_dataloader.to_dict())


def test_measured_results_keep_their_protocol():
    file = ROOT / "cefl_bench" / "report" / "measured" / "c3d_synthetic" / "fold1_seed0" / "result.json"
    result = json.loads(file.read_text())
    for name in ("c3d_synthetic", "ceflnet_synthetic"):
        config = plain(load_config(ROOT / "configs" / f"{name}.py").to_dict())
        now = protocol_of(config, data=result["protocol"]["data"])
        assert protocol_id(now) == result["protocol_id"]
