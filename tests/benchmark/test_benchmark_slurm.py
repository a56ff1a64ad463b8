"""A benchmark through a real SLURM on this machine: queued, run, taken off the node, followed, refused."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.cluster import cluster, missing
from helpers.run import ROOT, TINY

from cefl_bench.benchmark.slurm import _setting
from cefl_bench.errors import UserError

needs_slurm = pytest.mark.skipif(bool(missing()), reason=missing())


@pytest.fixture(scope="module")
def environment(tmp_path_factory, data_home):
    pytest.importorskip("submitit")
    with cluster(tmp_path_factory.mktemp("slurm") / "cluster") as found:
        yield found | {"CEFL_BENCH_DATA": str(data_home), "OMP_NUM_THREADS": "1"}


def command(out, *more, config=ROOT / "configs" / "ceflnet_synthetic.py", folds="1", options=()):
    words = [sys.executable, ROOT / "tools" / "benchmark.py", config, "--out", out, "--executor", "slurm", *more]
    return [*words, "--folds", folds, "--cfg-options", *TINY, *options]


def run(words, environment, status=0):
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def ask(*words, environment):
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60).stdout.strip()


def wait_until(condition, seconds=150):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@needs_slurm
@pytest.mark.slow
def test_a_run_that_dies_and_a_job_that_loses_its_node_change_nothing(environment, tmp_path):
    options = ["--slurm", "partition=test", "time=30", "cpus_per_task=1"]
    words = command(tmp_path, *options, folds="1,2")
    folder = tmp_path / "ceflnet_synthetic" / "fold1_seed0"
    runner = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: (folder / "last.pth").exists() or runner.poll() is not None)
    finally:
        runner.kill()
        runner.wait()
    number = (folder / ".slurm_job").read_text().strip()
    # what SLURM does when another needs the place, or when the time is over
    subprocess.run(["scancel", "--signal=USR2", number], env=environment, check=True, timeout=60)
    wait_until(
        lambda: ask("squeue", "--noheader", "--format=%T", f"--jobs={number}", environment=environment) == "PENDING"
    )
    ask("scontrol", "update", f"JobId={number}", "StartTime=now", environment=environment)  # it would wait two minutes
    out = run(words, environment).stdout
    assert f"followed ceflnet_synthetic fold 1 seed 0 (SLURM job {number})" in out and "queued" not in out
    assert "2 of 2 jobs are done" in out
    log = (folder / "job.log").read_text()
    assert log.count("$ ") == 2 and "resumed after epoch" in log
    results = [json.loads((path / "result.json").read_text()) for path in folder.parent.iterdir()]
    assert sorted(result["fold"] for result in results) == [1, 2]
    assert all(len(result["history"]) == 3 for result in results)
    assert "2 finished before" in run(words, environment).stdout


@needs_slurm
@pytest.mark.slow
def test_what_fails_on_a_node_is_told_here(environment, tmp_path):
    configs = Path(shutil.copytree(ROOT / "configs", tmp_path / "configs"))
    bad = configs / "bad_synthetic.py"
    bad.write_text((configs / "ceflnet_synthetic.py").read_text() + "\noptim_wrapper.optimizer.lr = 1e30\n")
    out = run(command(tmp_path, config=bad), environment, status=1).stdout
    assert "failed   bad_synthetic fold 1 seed 0: SLURM job" in out
    assert "         | error: the loss became nan" in out and "0 of 1 jobs are done" in out


@needs_slurm
def test_what_sbatch_refuses_is_told_in_one_line(environment, tmp_path):
    done = run(command(tmp_path, "--slurm", "partition=none", "--jobs", "1", folds="1,2"), environment, status=1)
    assert done.stderr.count("\n") == 1 and done.stderr.startswith(
        "error: --executor slurm: sbatch refused: invalid part"
    )


@needs_slurm
def test_times_are_minutes_and_gpus_are_asked_of_slurm(environment, tmp_path):
    for words, message in (
        (("--slurm", "time=1:00:00"), "expected whole minutes"),
        (("--gpus", "1"), "ask SLURM with --slurm gres=gpu:1"),
    ):
        done = run(command(tmp_path, *words), environment, status=1)
        assert message in done.stderr and done.stderr.count("\n") == 1


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


@pytest.mark.skipif(shutil.which("sbatch") is not None, reason="there is a SLURM")
def test_without_slurm_it_says_so(tmp_path):
    assert "there is no sbatch here" in run(command(tmp_path), dict(os.environ), status=1).stderr
