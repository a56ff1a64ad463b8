"""The folder of a run: one run at a time, nothing left of killed ones, nothing made by refused ones."""

import os
import subprocess
import sys

import pytest
from helpers.run import SYNTHETIC, TINY

from cefl_bench.commands.setup import RunOptions
from cefl_bench.commands.train import resolve, train
from cefl_bench.errors import UserError
from cefl_bench.files import atomic_path, sweep
from cefl_bench.parallel.workers import hold


def test_a_folder_that_another_run_holds_is_refused_and_left_alone(with_data, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    with hold(folder), pytest.raises(UserError, match=r"another run is training into .*: wait for it, or give another"):
        train(RunOptions(SYNTHETIC, work_dir=str(folder), cfg_options=TINY))
    assert [file.name for file in folder.iterdir()] == [".lock"]


def test_a_run_that_stops_before_its_first_file_leaves_no_folder(with_data, tmp_path, monkeypatch):
    monkeypatch.setattr("cefl_bench.commands.train.known_before", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        train(RunOptions(SYNTHETIC, work_dir=str(tmp_path / "a" / "run"), cfg_options=TINY))
    assert not (tmp_path / "a").exists()


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
