"""A run is not continued, and a job not called finished, when its videos or labels are not what they were."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.media import moving_square, write_csv, write_video
from helpers.run import SYNTHETIC, TINY
from helpers.trees import synthetic_tree

from cefl_bench.benchmark.matrix import BenchmarkOptions, jobs_of
from cefl_bench.benchmark.run import benchmark
from cefl_bench.commands.facts import data_fingerprint
from cefl_bench.commands.setup import RunOptions
from cefl_bench.commands.train import resolve
from cefl_bench.errors import UserError
from cefl_bench.runs import checkpoints
from cefl_bench.runs.folder import CONFUSION, LAST, RESULT


@pytest.fixture
def corpus(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("CEFL_BENCH_DATA", str(tmp_path / "data"))
    synthetic_tree(tmp_path / "data" / "synthetic_demo", per_class=1)
    return tmp_path / "data" / "synthetic_demo"


def options(folder: Path) -> RunOptions:
    return RunOptions(SYNTHETIC, fold=1, seed=0, work_dir=str(folder), cfg_options=TINY, resume=True)


def leave_run(folder: Path, epoch: int) -> None:
    """What a training of the corpus as it is leaves, as far as it is looked at before a start."""
    plan = resolve(options(folder / "nothing here yet"))
    fingerprint = data_fingerprint(plan.datasets)
    facts = {"config": plan.resolved, "data_fingerprint": fingerprint}
    folder.mkdir(parents=True)
    meta = {"epoch": epoch, "iter": 3 * epoch, "seed": 0, "protocol": {}, "classes": ["a"], "dataset": "x", **facts}
    checkpoints.save(folder / LAST, {"meta": meta, "state_dict": {}})
    if epoch == plan.resolved["train_cfg"]["max_epochs"]:
        (folder / RESULT).write_text(json.dumps({**facts, "history": [{}] * epoch}))
        (folder / CONFUSION).touch()


def swap_labels(root: Path, fold: str) -> None:
    """Two videos of a fold change their labels; every number of videos, and of videos of a class, stays."""
    lines = (root / "labels.csv").read_text().splitlines()
    rows = dict(enumerate(line.split(",") for line in lines))
    of_fold = [at for at, row in rows.items() if row[4] == fold]
    one, other = of_fold[0], next(at for at in of_fold if rows[at][2] != rows[of_fold[0]][2])
    rows[one][2], rows[other][2] = rows[other][2], rows[one][2]
    write_csv(root / "labels.csv", lines[0], list(rows.values())[1:])


def exchange_videos(root: Path, fold: str) -> None:
    """Two videos of a fold take each other's place."""
    rows = [line.split(",") for line in (root / "labels.csv").read_text().splitlines()[1:]]
    one, other = (root / row[1] for row in rows if row[4] == fold and row[2] in ("happy", "sad"))
    shutil.move(one, root / "aside.mp4")
    shutil.move(other, one)
    shutil.move(root / "aside.mp4", other)


def encode_anew(root: Path, fold: str) -> None:
    """A video of a fold is another take of the same length."""
    row = next(row for row in (root / "labels.csv").read_text().splitlines() if row.split(",")[4] == fold)
    write_video(root / row.split(",")[1], moving_square(20, label=5, seed=9))


@pytest.mark.parametrize("change", [swap_labels, exchange_videos, encode_anew])
@pytest.mark.parametrize("epoch", [1, 3])
def test_a_run_is_not_continued_on_other_data(change, epoch, corpus, tmp_path):
    leave_run(tmp_path / "run", epoch)
    assert resolve(options(tmp_path / "run")).finished == (epoch == 3)
    (corpus / ".DS_Store").touch()
    (corpus / "videos" / "Thumbs.db").touch()
    assert resolve(options(tmp_path / "run")).finished == (epoch == 3), "only what is read counts"
    change(corpus, "1")  # test videos, and of the other folds training videos
    with pytest.raises(UserError, match=r"run on other data \(videos or labels of test have changed.*--work-dir"):
        resolve(options(tmp_path / "run"))
    change(corpus, "2")
    with pytest.raises(UserError, match=r"videos or labels of test, train have changed"):
        resolve(options(tmp_path / "run"))


def test_a_run_goes_on_where_its_corpus_lies_in_another_place(corpus, tmp_path):
    leave_run(tmp_path / "run", epoch=3)
    moved = shutil.move(corpus, tmp_path / "moved")
    elsewhere = replace(options(tmp_path / "run"), cfg_options=(*TINY, f"corpus.data_root={moved}"))
    assert resolve(elsewhere).finished
    swap_labels(moved, "1")
    with pytest.raises(UserError, match="run on other data"):
        resolve(elsewhere)


def test_a_job_stays_finished_where_its_corpus_lies_in_another_place(corpus, tmp_path, capsys):
    call = BenchmarkOptions((SYNTHETIC,), str(tmp_path / "out"), folds="1,2", cfg_options=TINY)
    for job in jobs_of(call):
        leave_run_of(job)
    moved = shutil.move(corpus, tmp_path / "moved")
    assert benchmark(replace(call, cfg_options=(*TINY, f"corpus.data_root={moved}")))
    assert "2 finished before" in capsys.readouterr().out


def test_a_benchmark_names_finished_jobs_that_saw_other_data(corpus, tmp_path, capsys):
    call = BenchmarkOptions((SYNTHETIC,), str(tmp_path / "out"), folds="1,2", cfg_options=TINY)
    for job in jobs_of(call):
        shutil.rmtree(job.folder, ignore_errors=True)
        leave_run_of(job)
    assert benchmark(call)
    assert "2 finished before" in capsys.readouterr().out
    swap_labels(corpus, "1")
    with pytest.raises(UserError) as error:
        benchmark(call)
    assert re.search(r"2 finished jobs .* saw other data .* such as ceflnet_synthetic fold 1 seed 0", str(error.value))
    assert "\n" not in str(error.value)
    shutil.rmtree(corpus)
    assert benchmark(call), "where the data are not here, results stand"
    assert "finished jobs are not compared with the data: synthetic faces is not at" in capsys.readouterr().out


def leave_run_of(job) -> None:
    job.folder.mkdir(parents=True)
    history = [{}] * job.num_epochs
    result = {"config": job.config, "history": history, "data_fingerprint": job.data_fingerprint()}
    (job.folder / RESULT).write_text(json.dumps(result))
    for name in (LAST, CONFUSION):
        (job.folder / name).touch()
