"""A benchmark with real trainings: killed, stopped, started twice, with a job that fails."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.run import ROOT, TINY

CEFLNET = ROOT / "configs" / "ceflnet_synthetic.py"
FIRST = Path("ceflnet_synthetic") / "fold1_seed0"


@pytest.fixture
def start(data_home):
    """Starts tools/benchmark.py on folds of CEFLNet's tiny config; ends what the test left."""
    started = []

    def call(out, *more, configs=(CEFLNET,), folds="1", options=()):
        command = [sys.executable, ROOT / "tools" / "benchmark.py", *configs, "--out", out, "--folds", folds, *more]
        command += ["--cfg-options", *TINY, *options]
        environment = os.environ | {"CEFL_BENCH_DATA": str(data_home), "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        started.append(process)
        return process

    yield call
    for process in started:
        process.kill()
        process.wait()


def wait_until(condition, seconds=150):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def epochs(folder):
    return (folder / "train.log").read_text().count("loss") if (folder / "train.log").exists() else 0


def saved(folder):
    """Which checkpoint there is: every epoch leaves a new one."""
    path = folder / "last.pth"
    return path.stat().st_mtime_ns if path.exists() else None


def trainings(folder):
    """The processes that were told to work in a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(folder).encode() in words and any(word.endswith(b"train.py") for word in words):
            found.append(path.name)
    return found


def finish(process, status=0):
    out = process.communicate(timeout=200)[0]
    assert process.returncode == status, out
    return out


@pytest.mark.slow
def test_killed_three_times_it_ends_like_one_that_was_not(start, tmp_path):
    undisturbed = start(tmp_path / "undisturbed")
    folder = tmp_path / "killed" / FIRST
    begun, next_epoch = (lambda _: trainings(folder)), (lambda before: saved(folder) != before)
    for reached in (begun, next_epoch, next_epoch):
        process, before = start(tmp_path / "killed"), saved(folder)
        wait_until(lambda: reached(before) or process.poll() is not None)  # noqa: B023, it is called at once
        process.kill()
        wait_until(lambda: not trainings(folder), seconds=20)
        process.wait()
        assert not (folder / "result.json").exists(), "it was over before it could be killed"
    out = finish(start(tmp_path / "killed"))
    assert "1 of 1 jobs are done" in out and "done     ceflnet_synthetic fold 1 seed 0: UAR" in out
    finish(undisturbed)
    one, other = (tmp_path / name / FIRST for name in ("killed", "undisturbed"))
    assert (one / "job.log").read_text().count("$ ") > 2
    assert "resumed after epoch 2" in (one / "job.log").read_text()
    assert (one / "predictions.csv").read_bytes() == (other / "predictions.csv").read_bytes()
    results = [json.loads((where / "result.json").read_text()) for where in (one, other)]
    for name in ("metrics", "config", "protocol_id", "init", "data_fingerprint"):
        assert results[0][name] == results[1][name], name
    losses = [[(row["epoch"], row["loss"], row["war"]) for row in result["history"]] for result in results]
    assert losses[0] == losses[1] and len(losses[0]) == 3


@pytest.mark.slow
def test_ctrl_c_ends_the_jobs_and_says_how_to_go_on(start, tmp_path):
    process = start(tmp_path, "--jobs", "2", folds="1,2")
    folders = [tmp_path / "ceflnet_synthetic" / f"fold{fold}_seed0" for fold in (1, 2)]
    wait_until(lambda: all(map(epochs, folders)) or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    out = finish(process, status=130)
    assert out.splitlines()[-1] == "interrupted" and "Traceback" not in out
    assert "stopped 2 jobs: the same command goes on with them" in out
    assert not any(map(trainings, folders))


@pytest.mark.slow
def test_one_that_fails_stops_no_other_and_what_is_done_is_left_alone(start, tmp_path):
    configs = Path(shutil.copytree(ROOT / "configs", tmp_path / "configs"))
    bad = configs / "bad_synthetic.py"
    bad.write_text((configs / "ceflnet_synthetic.py").read_text() + "\noptim_wrapper.optimizer.lr = 1e30\n")
    call = dict(configs=(bad, configs / "ceflnet_synthetic.py"), options=["train_cfg.max_epochs=1"])
    out = finish(start(tmp_path, **call), status=1)
    log = tmp_path / "bad_synthetic" / "fold1_seed0" / "job.log"
    assert f"failed   bad_synthetic fold 1 seed 0: exit status 1, see {log}\n" in out
    assert "         | error: the loss became nan in epoch 1" in out and "1 of 2 jobs are done" in out
    before = (tmp_path / FIRST / "job.log").read_text()
    out = finish(start(tmp_path, **call), status=1)
    assert "1 finished before" in out and "started  ceflnet" not in out
    assert (tmp_path / FIRST / "job.log").read_text() == before and log.read_text().count("$ ") == 2


@pytest.mark.slow
def test_two_at_once_share_the_work(start, tmp_path):
    both = [start(tmp_path, folds="1,2", options=["train_cfg.max_epochs=1"]) for _ in range(2)]
    outs = [finish(process) for process in both]
    assert all("2 of 2 jobs are done" in out for out in outs), outs
    for fold in (1, 2):
        folder = tmp_path / "ceflnet_synthetic" / f"fold{fold}_seed0"
        assert (folder / "job.log").read_text().count("$ ") == 1 and (folder / "result.json").exists()
