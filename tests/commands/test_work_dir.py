"""The folder of a run: one run at a time, nothing left of killed ones, nothing made by refused ones."""

import fcntl
import multiprocessing
import os
import subprocess
import sys
import time

import pytest
from helpers.run import SYNTHETIC, TINY

from cefl_bench.commands.audit import AuditOptions, audit
from cefl_bench.commands.explain import explain
from cefl_bench.commands.predict import PredictOptions, predict
from cefl_bench.commands.setup import RunOptions
from cefl_bench.commands.test import test as score
from cefl_bench.commands.train import resolve, run, train
from cefl_bench.errors import UserError
from cefl_bench.files import atomic_path, sweep
from cefl_bench.parallel.workers import alone_in, hold


def test_a_folder_that_another_run_holds_is_refused_and_left_alone(with_data, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    with hold(folder), pytest.raises(UserError, match=r"another run is training into .*: wait for it, or give another"):
        train(RunOptions(SYNTHETIC, work_dir=str(folder), cfg_options=TINY))
    assert [file.name for file in folder.iterdir()] == [".lock"]


HOLDER = """
import os, sys, time
from pathlib import Path
from cefl_bench.parallel.workers import alone_in, hold
held = hold(Path(sys.argv[1]))
if os.fork():
    os.kill(os.getpid(), 9)
time.sleep(float(sys.argv[2]))
"""


def test_a_lock_that_only_the_workers_of_a_killed_run_hold_is_waited_for(tmp_path):
    subprocess.run([sys.executable, "-c", HOLDER, tmp_path, "1"])
    assert hold(tmp_path) is None, "the worker is there still"
    with alone_in(tmp_path, "training into", "go"):
        assert hold(tmp_path) is None


def test_a_lock_of_a_living_process_is_refused_at_once(tmp_path):
    start = time.monotonic()
    with hold(tmp_path), pytest.raises(UserError, match="another run is training into"):
        alone_in(tmp_path, "training into", "go").__enter__()
    (tmp_path / ".lock").write_text("")  # of an older version, or the disk was full
    with open(tmp_path / ".lock", "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="another run is training into"):
            alone_in(tmp_path, "training into", "go").__enter__()
    assert time.monotonic() - start < 5


def test_a_run_that_stops_before_its_first_file_leaves_no_folder(with_data, tmp_path, monkeypatch):
    monkeypatch.setattr("cefl_bench.commands.train.known_before", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        train(RunOptions(SYNTHETIC, work_dir=str(tmp_path / "a" / "run"), cfg_options=TINY))
    assert not (tmp_path / "a").exists()


def audit_into(options: RunOptions, checkpoint: str, out: str):
    return audit(options, checkpoint, AuditOptions(), out)


def predict_into(_: RunOptions, checkpoint: str, out: str):
    return predict(checkpoint, PredictOptions(["webcam"], out))


def explain_into(options: RunOptions, checkpoint: str, out: str):
    return explain(options, checkpoint, out=out)


@pytest.mark.parametrize("tool", [score, audit_into, predict_into, explain_into])
def test_results_that_cannot_be_written_are_told_of_before_a_checkpoint_is_loaded(tool, tmp_path):
    (tmp_path / "taken").write_text("")
    told = r"taken/out' cannot be written to \(Not a directory\): name a folder with --out"
    with pytest.raises(UserError, match=told):
        tool(RunOptions(), str(tmp_path / "none.pth"), str(tmp_path / "taken" / "out"))


def test_half_written_files_of_dead_processes_are_swept_and_those_of_living_ones_stay(tmp_path):
    code = (
        "import os, sys; from cefl_bench.files import atomic_path\n"
        "with atomic_path(sys.argv[1]) as path: path.write_text('half'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "last.pth"])
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".last.")
    with atomic_path(tmp_path / "last.pth") as mine:
        mine.write_text("mine")
        sweep(tmp_path)
        assert mine.exists() and not left.exists()
    (tmp_path / ".notes.tmp.txt").write_text("of the user")
    sweep(tmp_path)
    assert (tmp_path / ".notes.tmp.txt").exists()


def test_loading_fits_the_machine_and_the_result_says_what_was_asked_for(with_data, tmp_path):
    options = ("train_dataloader.num_workers=100", "val_dataloader.num_workers=0", "train_dataloader.pin_memory=True")
    plan = resolve(RunOptions(SYNTHETIC, work_dir=str(tmp_path / "run"), cfg_options=(*TINY, *options)))
    assert plan.config.train_dataloader.num_workers == len(os.sched_getaffinity(0))
    assert plan.config.val_dataloader.persistent_workers is False
    assert plan.resolved["train_dataloader"]["num_workers"] == 100
    assert not (tmp_path / "run").exists()


def test_no_process_that_reads_videos_outlives_its_run(with_data, tmp_path):
    options = (*TINY, "train_cfg.max_epochs=1", "train_dataloader.persistent_workers=True")
    plan, before = resolve(RunOptions(SYNTHETIC, work_dir=str(tmp_path), cfg_options=options)), _processes()
    run(plan)
    assert _processes() == before


def _processes():
    return {process.pid for process in multiprocessing.active_children()}
