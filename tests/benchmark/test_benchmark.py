"""Which jobs a benchmark has, where they run, how long they will take, and what is told of mistakes."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.run import ROOT, run_tool
from mmengine.config import Config

from cefl_bench.benchmark.job import Job
from cefl_bench.benchmark.local import places_of
from cefl_bench.benchmark.matrix import BenchmarkOptions, jobs_of
from cefl_bench.benchmark.process import last_words
from cefl_bench.benchmark.progress import Pace
from cefl_bench.benchmark.projection import projected
from cefl_bench.benchmark.run import benchmark
from cefl_bench.commands.setup import RunOptions
from cefl_bench.errors import UserError

CEFLNET, C3D, OWN = (
    str(ROOT / "configs" / f"{name}.py") for name in ("ceflnet_synthetic", "c3d_synthetic", "ceflnet_own")
)


def options(*configs, out="out", **others):
    return BenchmarkOptions(configs or (CEFLNET,), str(out), **others)


def test_every_config_meets_every_fold_and_seed():
    jobs = jobs_of(options(CEFLNET, OWN, seeds="0,7", cfg_options=["train_cfg.max_epochs=5"]))
    assert len(jobs) == len(set(jobs)) == (4 + 1) * 2, "the synthetic corpus has four folds, one's own has one"
    assert [str(job) for job in jobs[:3]] == [
        "ceflnet_synthetic fold 1 seed 0",
        "ceflnet_own fold 1 seed 0",
        "ceflnet_synthetic fold 2 seed 0",
    ]
    assert jobs[0].folder == Path("out/ceflnet_synthetic/fold1_seed0") and jobs[0].num_epochs == 5
    assert {job.config["randomness"]["seed"] for job in jobs} == {0, 7}
    assert {job.config["test_dataloader"]["dataset"]["fold"] for job in jobs} == {1, 2, 3, 4}


def test_selection_is_the_trainings_to_make():
    by_val, last = (jobs_of(options(select=select, folds="1"))[0] for select in ("val", "last"))
    assert "--select=val" in by_val.command() and not any("--select" in word for word in last.command())
    assert by_val.config["selection"] == "val" and by_val.config["train_dataloader"]["dataset"]["holdout"] == 0.1


@pytest.fixture
def configs(tmp_path):
    """A copy of the configs that a test may change."""
    return Path(shutil.copytree(ROOT / "configs", tmp_path / "configs"))


def test_the_folds_of_ones_own_corpus_are_the_configs(configs):
    config = configs / "ceflnet_own.py"
    folds = "\n".join(f"{part}_dataloader.dataset.num_folds = 3" for part in ("train", "val", "test"))
    config.write_text(config.read_text() + folds)
    assert [job.fold for job in jobs_of(options(config))] == [1, 2, 3]


def test_a_copy_of_a_config_is_another_method(configs):
    shutil.copy(configs / "ceflnet_synthetic.py", configs / "copy.py")
    jobs = jobs_of(options(configs / "ceflnet_synthetic.py", configs / "copy.py", folds="2"))
    assert [str(job.folder) for job in jobs] == ["out/ceflnet_synthetic/fold2_seed0", "out/copy/fold2_seed0"]


MISTAKES = {
    "a fold too many": (dict(folds="1,5"), "has folds 1..4"),
    "fold zero": (dict(folds="0"), "expected all, or whole numbers from 1"),
    "folds in words": (dict(folds="one"), "--folds is 'one'"),
    "a seed below zero": (dict(seeds="-1"), "whole numbers from 0"),
    "a seed twice": (dict(seeds="1,1"), "each number once"),
    "no job at a time": (dict(jobs=0), "--jobs is 0: expected 1 or more"),
    "GPUs that are not there": (dict(gpus=64), "this machine offers"),
    "settings of SLURM without it": (dict(slurm=["time=5"]), "--slurm without --executor slurm"),
    "a misspelt option": (dict(cfg_options=["train_cfg.max_epoch=1"]), "there is no 'max_epoch'"),
    "no such config": (dict(configs=["configs/nothing.py"]), "does not exist"),
    "a config twice": (dict(configs=[CEFLNET, CEFLNET]), "two configs are called ceflnet_synthetic"),
    "no data": (dict(configs=[CEFLNET]), "synthetic faces is not at"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_one_line_before_anything_starts(mistake, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CEFL_BENCH_DATA", str(tmp_path))
    changed, message = dict(MISTAKES[mistake][0]), MISTAKES[mistake][1]
    with pytest.raises(UserError) as error:
        benchmark(options(*changed.pop("configs", ()), **changed))
    assert message in str(error.value) and "\n" not in str(error.value)
    assert not list(tmp_path.iterdir()), "something was left behind"


def test_a_dry_run_tells_the_commands_and_runs_none(tmp_path):
    done = run_tool("benchmark.py", CEFLNET, "--out", "out", "--folds", "1,2", "--dry-run", cwd=tmp_path)
    assert "ceflnet_synthetic fold 2 seed 0: to do" in done.stdout
    assert "--fold 2 --seed 0 --work-dir out/ceflnet_synthetic/fold2_seed0 --resume" in done.stdout
    assert done.stdout.endswith("2 jobs, 0 finished, 2 to run\n") and not list(tmp_path.iterdir())


def test_the_cost_is_projected_from_finished_jobs_or_a_rate(monkeypatch, tmp_path):
    one, other, new = job("known", 1, tmp_path), job("known", 2, tmp_path), job("new", 1, tmp_path)
    results = {one: {"time": {"train_seconds": 7200.0}}, other: None, new: None}
    line = projected([other, new], results, 1, "GPU", price=3.0)
    assert line == (
        "projected for 1 jobs, tests left out: 2 h, 2 GPU-hours, 6.00 to pay (from finished jobs); not projected: new; "
        "give --clips-per-s, which tools/speed.py CONFIG --train measures"
    )
    loader = {"batch_size": 27_000}
    monkeypatch.setattr(
        "cefl_bench.benchmark.projection.configured", lambda options: Config({"train_dataloader": loader})
    )
    monkeypatch.setattr("cefl_bench.benchmark.projection.build_dataset", lambda config, loader: range(36_000))
    line = projected([other, new], {one: None, other: None, new: None}, 2, "machine", clips_per_s=100.0)
    assert line == "projected for 2 jobs, tests left out: 1 h, 2 machine-hours (at 100 clips/s)"
    loader["drop_last"] = True
    line = projected([other, new], {one: None, other: None, new: None}, 2, "machine", clips_per_s=75.0)
    assert line == "projected for 2 jobs, tests left out: 1 h, 2 machine-hours (at 75 clips/s)", "27,000 are read"
    for wrong in ({"price": 0.0}, {"clips_per_s": float("inf")}):
        with pytest.raises(UserError, match="expected a number above 0"):
            projected([new], {}, 1, "GPU", **wrong)


@pytest.mark.parametrize("executor", ["local", "slurm"])
def test_a_dry_run_projects_for_the_places_that_the_run_would_have(executor, monkeypatch, capsys):
    """4 jobs of 1 epoch over 36,000 videos: on 4 GPUs, or all at once on a cluster, as long as one of them."""
    monkeypatch.setattr("cefl_bench.benchmark.run.visible_gpus", lambda: ["0", "1", "2", "3"])
    monkeypatch.setattr("cefl_bench.benchmark.projection.build_dataset", lambda config, loader: range(36_000))
    one_epoch = ["train_cfg.max_epochs=1"]
    benchmark(options(executor=executor, dry_run=True, clips_per_s=10.0, cfg_options=one_epoch))
    assert "projected for 4 jobs, tests left out: 1 h, 4 GPU-hours" in capsys.readouterr().out


def test_a_place_is_a_gpu_or_a_share_of_the_cores(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    on_gpus = places_of(["2", "5", "GPU-ab"], None, None)
    assert [place.environment["CUDA_VISIBLE_DEVICES"] for place in on_gpus] == ["2", "5", "GPU-ab"]
    assert {place.environment["OMP_NUM_THREADS"] for place in on_gpus} == {"2"}
    assert [place.words for place in places_of(["2", "5"], 1, None)] == ["GPU 2"]
    assert len(places_of(["0", "1"], None, 1)) == 1
    assert places_of([], None, None)[0].environment == {}, "a single job has all cores"
    assert [place.environment for place in places_of([], None, 3)] == [{"OMP_NUM_THREADS": "2"}] * 3
    assert places_of(["0"], 0, 1)[0].environment == {"CUDA_VISIBLE_DEVICES": ""}, "0 GPUs: those there are stay hidden"
    with pytest.raises(UserError, match="one per GPU"):
        places_of(["0", "1"], None, 3)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert places_of([], None, 4)[0].environment == {}, "what the user says holds"


def job(name, fold, folder=Path(), epochs=10):
    return Job(RunOptions(name), name, fold, 0, folder, {"train_cfg": {"max_epochs": epochs}})


def test_the_time_left_follows_from_the_epochs_of_each_config():
    slow, slower, quick, new = job("slow", 1), job("slow", 2), job("quick", 1), job("new", 1)
    pace = Pace()
    assert pace.left({slow: 10}, 1) is None
    pace.note(slow, 4, now=100.0)  # resumed after epoch 4
    assert pace.left({slow: 6}, 1) is None
    pace.note(slow, 6, now=140.0)
    pace.note(slow, 6, now=150.0)  # in the midst of an epoch
    pace.note(quick, 0, now=100.0)
    pace.note(quick, 4, now=108.0)
    assert pace.left({slow: 4}, 1) == pytest.approx(80)
    assert pace.left({slow: 4, slower: 10, quick: 6}, 1) == pytest.approx(80 + 200 + 12)
    assert pace.left({slow: 4, slower: 10, quick: 6}, 2) == pytest.approx(200), "no job is faster for the other places"
    assert pace.left({new: 6}, 1) == pytest.approx(6 * 48 / 6), "a config not seen yet is like the others"
    assert pace.left({}, 1) == 0


def test_only_a_complete_result_of_this_very_config_counts(tmp_path):
    mine = job("mine", 1, tmp_path, epochs=2)
    result = {"config": {"train_cfg": {"max_epochs": 2}}, "history": [{}, {}]}

    def left(value):
        (tmp_path / "result.json").write_text(value if isinstance(value, str) else json.dumps(value))
        return mine.result()

    assert left(result) is None, "killed before the weights and the last figure"
    (tmp_path / "last.pth").touch()
    (tmp_path / "confusion.png").touch()
    assert left(result) == result
    assert left(result | {"history": [{}]}) is None
    assert left(result | {"config": {"train_cfg": {"max_epochs": 3}}}) is None
    assert left('{"config": ') is None and left("[]") is None and left("{}") is None
    full = {"train_cfg": {"max_epochs": 2}}
    half = [full | {"compute": {"precision": precision}} for precision in ("bf16", "fp16")]
    mine = replace(mine, options=RunOptions("mine", amp=True), config=half[0])
    assert left(result | {"config": full}) is None, "trained in full precision"
    assert left(result | {"config": half[1]}) is not None, "on a GPU without bfloat16"
    switched = [one | {"compute": one.get("compute", {}) | {"memory_format": "channels_last"}} for one in (full, *half)]
    mine = replace(mine, config=switched[1])
    assert left(result | {"config": switched[0]}) is None, "in full precision too, with another switch"
    assert left(result | {"config": switched[2]}) is not None
    mine = replace(mine, options=RunOptions("mine", compute={"precision": "bf16"}))
    assert left(result | {"config": half[1]}) is None
    mine = replace(mine, options=RunOptions("mine"), config=full)
    assert left(result | {"config": half[0]}) is None
    (tmp_path / "result.json").unlink()
    assert mine.result() is None


def test_progress_and_last_words_are_read_from_the_logs(tmp_path):
    mine = job("mine", 1, tmp_path)
    assert mine.epochs_done() == 0 and last_words(tmp_path / "job.log") == []
    (tmp_path / "train.log").write_text(
        "epoch  1/10  loss 1\nepoch  2/10  loss 1\nresumed after epoch 1\nepoch  2/10  l\n"
    )
    assert mine.epochs_done() == 2
    (tmp_path / "job.log").write_text("$ python one\nold words\n$ python two\n" + "a line\n" * 9 + "\nerror: too bad\n")
    assert last_words(tmp_path / "job.log") == ["a line"] * 7 + ["error: too bad"]
