"""A benchmark with real processes: killed, stopped, started twice, with a job that fails.

One test trains; in the others a quick stand-in takes the place of the training.
"""

import json
import os
import signal
from pathlib import Path

import pytest
from helpers.benchmarks import leaf_with, look_often, processes_of, train_by_stand_in
from helpers.children import wait_until
from helpers.holds import HELD, hold_before, let_go
from helpers.run import ROOT, TINY, run_tool

CEFLNET = ROOT / "configs" / "ceflnet_synthetic.py"
FIRST = Path("ceflnet_synthetic") / "fold1_seed0"
HOLDING = """
from helpers.benchmarks import HoldTraining
custom_hooks = [dict(type=HoldTraining)]
"""


@pytest.fixture
def environment(data_home):
    return os.environ | {"CEFL_BENCH_DATA": str(data_home), "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}


@pytest.fixture
def start(start_tool, environment):
    """Starts tools/benchmark.py on folds of configs; `prepare` says what trains."""

    def call(out, *more, configs=(CEFLNET,), folds="1", prepare=train_by_stand_in):
        words = ["benchmark.py", *configs, "--out", out, "--folds", folds, *more, "--cfg-options", *TINY]
        return start_tool(*words, env=environment, prepare=prepare)

    return call


def kill_while_held(process, folder):
    """Kill a benchmark, and nothing else, while its training waits; both must be gone."""
    wait_until(lambda: (folder / HELD).exists() or process.poll() is not None)
    assert processes_of(folder), process
    os.kill(process.pid, signal.SIGKILL)
    wait_until(lambda: not processes_of(folder), seconds=20)
    assert process.wait() == -signal.SIGKILL and not (folder / "result.json").exists()
    (folder / HELD).unlink()


def test_a_killed_benchmark_ends_like_a_training_that_was_not_killed(start, environment, tmp_path):
    leaf, out = leaf_with(tmp_path, "held", HOLDING), tmp_path / "out"
    folder = out / "held_synthetic" / "fold1_seed0"
    hold_before(out, epoch=2)
    kill_while_held(start(out, configs=[leaf], prepare=look_often), folder)
    let_go(out)
    told = start(out, configs=[leaf], prepare=look_often).finish().stdout
    assert "1 of 1 jobs are done" in told and "done     held_synthetic fold 1 seed 0: UAR" in told
    assert "resumed after epoch 1" in (folder / "job.log").read_text()
    alone = tmp_path / "undisturbed" / "alone" / "run"
    run_tool("train.py", leaf, "--work-dir", alone, "--cfg-options", *TINY, env=environment)
    assert (folder / "predictions.csv").read_bytes() == (alone / "predictions.csv").read_bytes()
    results = [json.loads((where / "result.json").read_text()) for where in (folder, alone)]
    for name in ("metrics", "config", "protocol_id", "init", "data_fingerprint"):
        assert results[0][name] == results[1][name], name
    losses = [[(row["epoch"], row["loss"], row["war"]) for row in result["history"]] for result in results]
    assert losses[0] == losses[1] and len(losses[0]) == 3


def test_ctrl_c_ends_the_jobs_and_says_how_to_go_on(start, tmp_path):
    folders = [tmp_path / "ceflnet_synthetic" / f"fold{fold}_seed0" for fold in (1, 2)]
    hold_before(tmp_path, epoch=2)
    process = start(tmp_path, "--jobs", "2", folds="1,2")
    wait_until(lambda: all((folder / HELD).exists() for folder in folders) or process.poll() is not None)
    assert [len(processes_of(folder)) for folder in folders] == [2, 2], "a training and its worker in each"
    os.kill(process.pid, signal.SIGINT)
    told = process.finish(status=130)
    assert told.stderr == "interrupted\n"
    assert "stopped 2 jobs: the same command goes on with them" in told.stdout
    wait_until(lambda: not any(map(processes_of, folders)), seconds=5)


def test_one_that_fails_stops_no_other_and_what_is_done_is_left_alone(start, tmp_path):
    bad = leaf_with(tmp_path, "bad", "\noptim_wrapper.optimizer.lr = 1e30\n")
    told = start(tmp_path, configs=(bad, CEFLNET)).finish(status=1).stdout
    log = tmp_path / "bad_synthetic" / "fold1_seed0" / "job.log"
    assert f"failed   bad_synthetic fold 1 seed 0: exit status 1, see {log}\n" in told
    assert "         | error: the loss became nan in epoch 1" in told and "1 of 2 jobs are done" in told
    before = (tmp_path / FIRST / "job.log").read_text()
    told = start(tmp_path, configs=(bad, CEFLNET)).finish(status=1).stdout
    assert "1 finished before" in told and "started  ceflnet" not in told
    assert (tmp_path / FIRST / "job.log").read_text() == before and log.read_text().count("$ ") == 2


def test_two_at_once_share_the_work(start, tmp_path):
    hold_before(tmp_path, epoch=1)
    both = [start(tmp_path, folds="1,2") for _ in range(2)]
    folders = [tmp_path / "ceflnet_synthetic" / f"fold{fold}_seed0" for fold in (1, 2)]
    wait_until(lambda: all((folder / HELD).exists() for folder in folders))
    let_go(tmp_path)
    told = [process.finish().stdout for process in both]
    assert all("2 of 2 jobs are done" in text for text in told), told
    for folder in folders:
        assert (folder / "job.log").read_text().count("$ ") == 1 and (folder / "result.json").exists()
