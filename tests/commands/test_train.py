"""Training and testing as a person does it: on real videos, killed, resumed, in two processes, in error."""

import json
import os
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from helpers.auxiliary import LOSSES, leaf_with_losses
from helpers.children import as_torchrun
from helpers.kills import kill_training
from helpers.run import ROOT, TINY, run_tool
from helpers.trees import synthetic_tree

from cefl_bench.commands.setup import RunOptions
from cefl_bench.commands.train import train
from cefl_bench.errors import UserError
from cefl_bench.functional.recall import recall_scores
from cefl_bench.runs import checkpoints
from cefl_bench.runs.predictions import read_predictions

CONFIG = ROOT / "configs" / "ceflnet_synthetic.py"
TINY = (*TINY, "train_cfg.max_epochs=2")
RUN = Path("work_dirs") / "ceflnet_synthetic" / "fold1_seed0"


@pytest.fixture(scope="module")
def environment(data_home):
    return os.environ | {"CEFL_BENCH_DATA": str(data_home)}


@pytest.fixture(scope="module")
def finished(tmp_path_factory, environment):
    """The folder of an undisturbed run, started from a directory that is not the checkout."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    done = run_tool("train.py", CONFIG, "--cfg-options", *TINY, cwd=elsewhere, env=environment)
    (elsewhere / RUN / "stdout.txt").write_text(done.stdout)
    return elsewhere / RUN


@pytest.fixture(scope="module")
def result(finished):
    return json.loads((finished / "result.json").read_text())


def test_a_run_says_what_it_does_and_what_it_left(finished, result):
    out = (finished / "stdout.txt").read_text()
    assert "42 training and 14 test videos" in out and f"protocol {result['protocol_id']}" in out
    assert "BatchNorm backbone.trunk." in out and "batches of this training" in out, "12 batches are too few"
    told = [line.split("  ")[0] for line in (finished / "train.log").read_text().splitlines()]
    assert told[::2] == [f"epoch {epoch}/2" for epoch in (1, 2)]
    assert told[1::2] == [f"wrote last.pth: epoch {epoch}" for epoch in (1, 2)]
    for name in ("result.json", "predictions.csv", "curves.png", "confusion.png"):
        assert str(RUN / name) in out and (finished / name).stat().st_size > 0
    assert not list(finished.glob(".*tmp*"))


def test_result_has_every_field_of_the_schema(result):
    from cefl_bench.runs.result import Result

    assert set(Result.__annotations__) - {"calibration"} <= set(result)
    assert result["schema_version"] == 1 and result["track"] == "fair" and result["method"] == "ceflnet"
    assert [row["epoch"] for row in result["history"]] == [1, 2]
    assert result["metrics"]["last"]["epoch"] == 2
    assert result["metrics"]["best_test"]["war"] == max(row["war"] for row in result["history"])
    assert result["clips"]["official"] is None and result["clips"]["listed"] == result["clips"]["scored"] == 14
    assert result["clips"]["unreadable"] == {"train": [], "test": []}
    assert result["cost"]["macs"] > 0 and result["init"]["source"] == "scratch" and len(result["init"]["sha256"]) == 64
    assert result["metrics"]["last"]["localization"]["videos"] == 12, "all but the neutral ones"
    assert result["config"]["train_cfg"]["max_epochs"] == 2
    assert result["config"]["model"]["backbone"]["type"].endswith(".ClipFeatureEncoder")


def test_predictions_give_the_numbers_of_the_result(finished, result):
    predictions = read_predictions(finished / "predictions.csv")
    assert len(predictions.name) == 14 and predictions.num_classes == 7
    assert predictions.subject == [name.partition("_")[0] for name in predictions.name]
    run_tool("score.py", finished / "predictions.csv", "--json", finished / "scored.json")
    scored, last = json.loads((finished / "scored.json").read_text()), result["metrics"]["last"]
    for name in ("uar", "war", "f1_macro", "f1_weighted", "per_class"):
        assert scored[name] == pytest.approx(last[name]), name
    assert scored["confusion_matrix"] == last["confusion_matrix"]


@pytest.fixture
def killed(start_tool, environment, tmp_path):
    """Kills a training in an epoch; gives its folder, the call that goes on with it and what it printed."""

    def kill(epoch):
        folder = tmp_path / "run"
        command = ["train.py", CONFIG, "--work-dir", folder, "--resume", "--cfg-options", *TINY]
        run = start_tool(*command, env=environment, prepare=partial(kill_training, epoch=epoch))
        assert run.wait() == -signal.SIGKILL and not (folder / "result.json").exists()
        return folder, command, run.printed()

    return kill


def assert_same_run(resumed, undisturbed):
    one, other = (checkpoints.load(folder / "last.pth") for folder in (resumed, undisturbed))
    assert one["meta"]["epoch"] == other["meta"]["epoch"] == 2
    for key, tensor in other["state_dict"].items():
        assert torch.equal(one["state_dict"][key], tensor), key
    assert (resumed / "predictions.csv").read_bytes() == (undisturbed / "predictions.csv").read_bytes()
    assert len(json.loads((resumed / "result.json").read_text())["history"]) == 2


def test_a_killed_run_resumes_to_the_same_weights(killed, finished, environment):
    """Killed twice: before its first checkpoint, after which it begins anew, and before its second."""
    folder, command, first = killed(epoch=1)
    assert not (folder / "last.pth").exists() and "resumed" not in first.stdout
    *_, second = killed(epoch=2)
    assert "resumed" not in second.stdout
    assert "resumed after epoch 1" in run_tool(*command, env=environment).stdout
    assert_same_run(folder, finished)
    # Finished it is left alone; killed between its last two files, or without its result, it is finished again.
    assert "already finished" in run_tool(*command, env=environment).stdout
    (folder / "result.json").unlink()
    (folder / "predictions.csv").unlink()
    run_tool(*command, env=environment)
    assert_same_run(folder, finished)


def test_testing_a_checkpoint_gives_the_numbers_of_its_training(finished, result, environment, tmp_path):
    run_tool("test.py", CONFIG, finished / "last.pth", "--out", tmp_path, "--cfg-options", *TINY, env=environment)
    tested = json.loads((tmp_path / "result.json").read_text())
    assert tested["metrics"]["checkpoint"]["confusion_matrix"] == result["metrics"]["last"]["confusion_matrix"]
    assert tested["metrics"]["checkpoint"]["epoch"] == 2
    assert tested["protocol_id"] == result["protocol_id"] and tested["fold"] == 1
    other = ["test.py", CONFIG, finished / "last.pth", "--fold", "2", "--out", tmp_path / "2"]
    refused = run_tool(*other, check=False, env=environment)
    assert refused.returncode == 1 and "has seen the test videos of fold 2" in refused.stderr
    assert tested["data_fingerprint"]["test"] == result["data_fingerprint"]["test"]
    assert (tmp_path / "predictions.csv").read_text() == (finished / "predictions.csv").read_text()


def test_two_processes_test_like_one(finished, environment, start_tool, tmp_path):
    # 13 videos do not divide by two: one of them is given to both processes and must count once
    data = tmp_path / "data" / "synthetic_demo"
    shutil.copytree(Path(environment["CEFL_BENCH_DATA"]) / "synthetic_demo", data)
    lines = (data / "labels.csv").read_text().splitlines(keepends=True)
    (data / "labels.csv").write_text("".join(line for line in lines if "s1_fear_1" not in line))
    environment = environment | {"CEFL_BENCH_DATA": str(tmp_path / "data")}
    arguments = ["test.py", CONFIG, finished / "last.pth", "--cfg-options", *TINY, "test_dataloader.batch_size=2"]
    run_tool(*arguments, "--out", tmp_path / "one", env=environment)
    arguments += ["--out", tmp_path / "two", "--launcher", "pytorch"]
    pair = [start_tool(*arguments, env=environment | variables) for variables in as_torchrun(2)]
    assert sum(process.finish().stdout.count("left: ") for process in pair) == 1, "every process talks"
    one, two = (read_predictions(tmp_path / name / "predictions.csv") for name in ("one", "two"))
    assert one.name == two.name and len(two.name) == 13
    torch.testing.assert_close(torch.tensor(one.scores), torch.tensor(two.scores), atol=1e-5, rtol=1e-4)
    # Scores may differ in their last digits, and so may the class of a close call: each run is held to its own scores.
    scored = json.loads((tmp_path / "two" / "result.json").read_text())["metrics"]["checkpoint"]
    expected = recall_scores(two.label, two.pred, two.num_classes)
    assert scored["confusion_matrix"] == expected["confusion_matrix"].tolist() and scored["uar"] == expected["uar"]
    assert sum(scored["support"]) == 13


def test_two_processes_train_together(environment, tmp_path):
    """With torchrun itself, which starts two processes of tools/train.py; with every loss, and a sampler of ours."""
    leaf = leaf_with_losses(tmp_path)
    environment = environment | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))}
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"]
    command += [ROOT / "tools" / "train.py", leaf, "--work-dir", tmp_path / "run", "--launcher", "pytorch"]
    command += ["--cfg-options", *TINY, "train_cfg.max_epochs=1"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("left: ") == 1, "every process talks"
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["clips"]["scored"] == 14
    assert len(read_predictions(tmp_path / "run" / "predictions.csv").name) == 14
    assert result["protocol"]["batch_size"] == 28, "two processes see twice the batch"
    assert "model_wrapper_cfg" not in result["config"], "its checkpoint is tested as one of a single process is"
    (row,) = result["history"]
    assert row["loss"] == pytest.approx(sum(row[name] for name in LOSSES), rel=1e-5)
    # Both tested the model that was saved, batch statistics included.
    checkpoint = tmp_path / "run" / "last.pth"
    run_tool("test.py", leaf, checkpoint, "--out", tmp_path / "test", "--cfg-options", *TINY, env=environment)
    one, two = (read_predictions(tmp_path / name / "predictions.csv").scores for name in ("run", "test"))
    torch.testing.assert_close(torch.tensor(one), torch.tensor(two), atol=1e-5, rtol=1e-4)


def test_unreadable_videos_are_counted_and_the_test_set_stays_whole(tmp_path):
    root = synthetic_tree(tmp_path / "synthetic_demo", per_class=1)
    for name in ("s1_sad_0", "s2_sad_0"):
        (root / "videos" / f"{name}.mp4").write_bytes(b"broken")
    skip = [f"{loader}.dataset.on_error=skip" for loader in ("train_dataloader", "val_dataloader")]
    environment = os.environ | {"CEFL_BENCH_DATA": str(tmp_path)}
    tiny = [*TINY, "train_cfg.max_epochs=1"]
    arguments = ["train.py", CONFIG, "--work-dir", tmp_path / "run", "--cfg-options", *tiny]
    stopped = run_tool(*arguments, check=False, env=environment)
    assert stopped.returncode == 1 and "Traceback" not in stopped.stderr
    assert stopped.stderr.splitlines()[-1].startswith("error: video ")  # before it stands what the decoder said
    shutil.rmtree(tmp_path / "run", ignore_errors=True)
    out = run_tool(*arguments, *skip, env=environment).stdout
    assert "skipped in train: " in out and "1 of 7 test videos could not be read, counted as wrong" in out
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["clips"]["listed"] == 7 and result["clips"]["scored"] == 6
    assert ["s1_sad_0" in note for note in result["clips"]["unreadable"]["test"]] == [True]
    assert ["s2_sad_0" in note for note in result["clips"]["unreadable"]["train"]] == [True]
    assert result["metrics"]["last"]["support"] == [1] * 7 and result["metrics"]["last"]["unanswered"] == 1
    assert "1 unanswered" in run_tool("score.py", tmp_path / "run" / "predictions.csv").stdout


def test_without_the_data_it_says_what_is_missing_and_what_to_do(tmp_path):
    environment = os.environ | {"CEFL_BENCH_DATA": str(tmp_path)}
    done = run_tool("train.py", ROOT / "configs" / "ceflnet_dfew.py", check=False, cwd=tmp_path, env=environment)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("error: DFEW is not at ")
    for part in ("clip_224x224", "set_1.csv", "application", "agreement", "configs/ceflnet_synthetic.py"):
        assert part in done.stderr, part
    assert not list(tmp_path.iterdir()), "something was left behind"


def options(*cfg_options: str, config: Path = CONFIG, **others) -> RunOptions:
    return RunOptions(str(config), cfg_options=cfg_options, **others)


MISTAKES = {
    "no such config": (options(config=Path("configs/nothing.py")), "does not exist"),
    "a base file": (options(config=ROOT / "configs/_base_/runtime.py"), "expected a leaf"),
    "a path that is not there": (options("train_cgf.max_epochs=1"), "no 'train_cgf'"),
    "a misspelt key": (options("train_cfg.max_epoch=1"), "there is no 'max_epoch'"),
    "a misspelt argument": (options("model.head.num_clases=7"), "there is no 'num_clases'"),
    "a key that nobody reads": (options("seed=3"), "there is no 'seed'"),
    "a flag as an option": (options("work_dir=x"), "give --work-dir"),
    "a negative seed": (options(seed=-1), "expected 0 or more"),
    "folds that differ": (options("train_dataloader.dataset.fold=2"), "training is on fold 2, testing on fold 1"),
    "two ways to test": (options("val_dataloader.dataset.pipeline.1.scheme=ceflnet"), "change both"),
    "no value": (options("train_cfg.max_epochs"), "expected KEY=VALUE"),
    "a fold too many": (options(fold=5), "fold is 5: expected 1..4"),
    "not started by torchrun": (options(launcher="pytorch"), "start with torchrun"),
    "not started by srun": (options(launcher="slurm"), "start with srun"),
    "too few classes": (options("model.head.num_classes=6"), "expected 7, the classes of"),
    "an unknown trunk": (options("model.backbone.trunk=resnet17"), "no network 'resnet17'"),
    "an unknown scheme": (options("train_dataloader.dataset.pipeline.1.scheme=x"), "one of segments, ceflnet"),
    "clips that do not divide": (options("model.num_clips=5"), "a divisor of the 16 frames"),
    "no way to make batches": (options("train_dataloader.collate_fn=None"), "the run cannot be built from the config"),
    "no reader": (options("train_dataloader.dataset.pipeline=[]"), "pipeline has 0 readers: expected one"),
    "frames of no size": (options("train_dataloader.dataset.pipeline.0.size=0"), "ReadVideo: size is 0: expected a"),
    "float16 on a CPU": (options(compute={"precision": "fp16"}), "--precision fp16 needs a CUDA device"),
    "CUDA graphs on a CPU": (options("compute.cuda_graphs=True"), "--cuda-graphs needs a CUDA device"),
    "3D convolutions in bfloat16 on a CPU": (
        options(config=ROOT / "configs" / "c3d_synthetic.py", amp=True),
        "on a CPU: backbone.convolutions.0 is a 3D convolution, whose gradients",
    ),
    "two precisions": (options(amp=True, compute={"precision": "fp32"}), "expected one of them"),
    "a switch that there is not": (options("compute.compiled=True"), "did you mean compile?"),
    "a switch with a wrong value": (
        options("compute.precision=fp8"),
        "compute.precision is 'fp8': expected fp32, fp32",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_one_line(mistake, with_data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run, message = MISTAKES[mistake]
    with pytest.raises(UserError) as error:
        train(run)
    assert message in str(error.value) and "\n" not in str(error.value)
    assert not list(tmp_path.iterdir()), "something was left behind"


def test_a_config_with_an_error_in_it_is_named(tmp_path):
    (tmp_path / "broken.py").write_text("model = dict(\n")
    with pytest.raises(UserError, match=r"broken\.py.*cannot be read"):
        train(RunOptions(str(tmp_path / "broken.py")))


def test_a_run_is_neither_overwritten_nor_continued_with_another_config(finished, environment):
    before = (finished / "result.json").read_bytes()
    again = ["train.py", CONFIG, "--work-dir", finished, "--cfg-options", *TINY]
    done = run_tool(*again, check=False, env=environment)
    assert done.returncode == 1 and "holds a run already: --resume continues it" in done.stderr
    done = run_tool(*again, "train_cfg.max_epochs=9", "--resume", check=False, env=environment)
    assert done.returncode == 1 and "train_cfg.max_epochs: 2 != 9" in done.stderr
    assert (finished / "result.json").read_bytes() == before


def test_a_loss_that_is_no_number_stops_the_run(environment, tmp_path):
    arguments = ["--work-dir", tmp_path / "run", "--cfg-options", *TINY, "optim_wrapper.optimizer.lr=1e30"]
    done = run_tool("train.py", CONFIG, *arguments, check=False, env=environment)
    assert done.returncode == 1 and "the loss became nan" in done.stderr and done.stderr.count("\n") == 1


def test_explanations_are_drawn(finished, environment, tmp_path):
    arguments = [CONFIG, finished / "last.pth", "--out", tmp_path, "--cfg-options", *TINY]
    out = run_tool("explain.py", *arguments[:2], "--videos", "s1_fear_0", *arguments[2:], env=environment).stdout
    assert Path(out.strip()).read_bytes()[:4] == b"\x89PNG"
    assert len(run_tool("explain.py", *arguments, "--num", "2", env=environment).stdout.splitlines()) == 2
    done = run_tool("explain.py", *arguments[:2], "--videos", "x", *arguments[2:], check=False, env=environment)
    assert done.returncode == 1 and "no test video is called 'x'" in done.stderr
