"""A benchmark through a real SLURM on this machine: queued, run, taken off the node, followed, refused."""

import json
import shutil
import subprocess
import sys

import pytest
from helpers.benchmarks import leaf_with, look_often, train_by_stand_in
from helpers.children import wait_until
from helpers.cluster import cluster, missing
from helpers.holds import HELD, hold_before, let_go
from helpers.run import ROOT, TINY, run_tool

from cefl_bench.benchmark.slurm import SlurmExecutor, _setting
from cefl_bench.errors import UserError

CEFLNET = ROOT / "configs" / "ceflnet_synthetic.py"
needs_slurm = pytest.mark.skipif(bool(missing()), reason=missing())


@pytest.fixture(scope="module")
def environment(tmp_path_factory, data_home):
    pytest.importorskip("submitit")
    with cluster(tmp_path_factory.mktemp("slurm") / "cluster") as found:
        yield found | {"CEFL_BENCH_DATA": str(data_home), "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}


def command(out, *more, configs=(CEFLNET,), folds="1"):
    words = ["benchmark.py", *configs, "--out", out, "--executor", "slurm", *more]
    return [*words, "--folds", folds, "--cfg-options", *TINY]


def ask(*words, environment):
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60).stdout.strip()


@needs_slurm
def test_killed_runs_lost_nodes_and_failures_change_nothing(environment, start_tool, tmp_path):
    """A job that loses its node goes on, one that fails is told, and a run that dies is followed by the next."""
    bad = leaf_with(tmp_path, "bad", "\noptim_wrapper.optimizer.lr = 1e30\n")
    words = command(tmp_path, "--slurm", "partition=test", "time=30", "cpus_per_task=1", configs=(CEFLNET, bad))
    folders = [tmp_path / name / "fold1_seed0" for name in ("ceflnet_synthetic", "bad_synthetic")]
    hold_before(tmp_path, epoch=2)
    runner = start_tool(*words, env=environment, prepare=train_by_stand_in)
    wait_until(lambda: (folders[0] / HELD).exists() or runner.poll() is not None)
    runner.kill()
    number = (folders[0] / ".slurm_job").read_text().strip()
    # what SLURM does when another needs the place, or when the time is over
    subprocess.run(["scancel", "--signal=USR2", number], env=environment, check=True, timeout=60)
    state = ["squeue", "--noheader", "--format=%T", f"--jobs={number}"]
    wait_until(lambda: ask(*state, environment=environment) == "PENDING")
    let_go(tmp_path)
    again = start_tool(*words, env=environment, prepare=train_by_stand_in)
    wait_until(lambda: f"(SLURM job {number})" in again.printed().stdout or again.poll() is not None)
    ask("scontrol", "update", f"JobId={number}", "StartTime=now", environment=environment)  # it would wait two minutes
    told = again.finish(status=1).stdout
    assert f"followed ceflnet_synthetic fold 1 seed 0 (SLURM job {number})" in told and "queued   ceflnet" not in told
    assert "done     ceflnet_synthetic fold 1 seed 0" in told and "1 of 2 jobs are done" in told
    assert "failed   bad_synthetic fold 1 seed 0: SLURM job" in told and "         | error: the loss became nan" in told
    log = (folders[0] / "job.log").read_text()
    assert log.count("$ ") == 2 and "resumed after epoch 1" in log
    result = json.loads((folders[0] / "result.json").read_text())
    assert result["fold"] == 1 and len(result["history"]) == 3
    assert "2 jobs, 1 finished, 1 to run" in run_tool(*words[:1], "--dry-run", *words[1:], env=environment).stdout


@needs_slurm
def test_a_node_trains_and_the_run_that_waits_for_it_is_done(environment, start_tool, tmp_path):
    words = command(tmp_path, "--slurm", "partition=test", "time=30")
    told = start_tool(*words, "train_cfg.max_epochs=1", env=environment, prepare=look_often).finish().stdout
    assert "done     ceflnet_synthetic fold 1 seed 0: UAR" in told and "1 of 1 jobs are done" in told
    result = json.loads((tmp_path / "ceflnet_synthetic" / "fold1_seed0" / "result.json").read_text())
    assert result["clips"]["scored"] == 14 and len(result["history"]) == 1


@needs_slurm
def test_what_sbatch_refuses_is_told_in_one_line(environment, tmp_path):
    words = command(tmp_path, "--slurm", "partition=none", "--jobs", "1", folds="1,2")
    done = run_tool(*words, check=False, env=environment)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: --executor slurm: sbatch refused: invalid part")


@needs_slurm
def test_times_are_minutes_and_gpus_are_asked_of_slurm(environment, tmp_path):
    for words, message in (
        (("--slurm", "time=1:00:00"), "expected whole minutes"),
        (("--gpus", "1"), "ask SLURM with --slurm gres=gpu:1"),
    ):
        done = run_tool(*command(tmp_path, *words), check=False, env=environment)
        assert done.returncode == 1 and message in done.stderr and done.stderr.count("\n") == 1


def test_what_a_node_calls_needs_no_torch():
    """It waits for a training as long as that takes: what it imports is memory that the node does without."""
    code = "import sys, cefl_bench.benchmark.remote; sys.exit('torch' in sys.modules or 'mmengine' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_settings_are_those_of_sbatch():
    assert [_setting(word) for word in ("gres=gpu:1", "cpus_per_task=8", "--qos=high", "exclusive", "a=b=c")] == [
        ("gres", "gpu:1"),
        ("cpus-per-task", "8"),
        ("qos", "high"),
        ("exclusive", True),
        ("a", "b=c"),
    ]
    for wrong in ("=5", "time=", "partition = gpu"):
        with pytest.raises(UserError, match="expected KEY=VALUE"):
            _setting(wrong)


def test_without_slurm_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(UserError, match="there is no sbatch here"):
        SlurmExecutor(tmp_path, ())
