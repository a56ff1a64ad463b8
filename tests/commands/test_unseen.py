"""A model is not scored on videos that it was trained on, when the lists of its corpus have changed since."""

import csv
from pathlib import Path

import pytest
from helpers.media import write_csv
from helpers.run import TINY
from helpers.trees import synthetic_tree
from helpers.untrained import untrained

from cefl_bench.commands.audit import AuditOptions, audit
from cefl_bench.commands.setup import RunOptions, build_dataset, of_checkpoint
from cefl_bench.commands.test import test as score
from cefl_bench.commands.unseen import check_unseen, marks
from cefl_bench.errors import UserError

FEW = (*TINY, *(f"{loader}.num_workers=0" for loader in ("train_dataloader", "val_dataloader")))


@pytest.fixture
def corpus(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("CEFL_BENCH_DATA", str(tmp_path / "data"))
    synthetic_tree(tmp_path / "data" / "synthetic_demo", per_class=1)
    return tmp_path / "data" / "synthetic_demo"


def rows_of(root: Path) -> list[dict]:
    with open(root / "labels.csv", newline="") as file:
        return list(csv.DictReader(file))


def move(root: Path, subject: str, fold: str) -> None:
    """Put all videos of a person into another fold, so that the lists are as right as before."""
    rows = [row | {"fold": fold if row["subject"] == subject else row["fold"]} for row in rows_of(root)]
    write_csv(root / "labels.csv", ",".join(rows[0]), [list(row.values()) for row in rows])


def trained(path: Path, root: Path, without: str, **given) -> str:
    """A checkpoint that says it was trained on all people but one."""
    names = [row["name"] for row in rows_of(root) if row["subject"] != without]
    return str(untrained(path, options=FEW, learned_from=marks(names), **given))


def test_a_test_and_an_audit_refuse_what_was_trained_on(corpus, tmp_path):
    checkpoint = trained(tmp_path / "last.pth", corpus, without="s1")
    left = {path.name for path in score(RunOptions(), checkpoint, str(tmp_path / "test")).iterdir()}
    assert left == {"result.json", "predictions.csv", "confusion.png"}, "and no curves of epochs that were not"
    move(corpus, "s2", "1")  # 7 videos of each person
    told = "was trained on 7 of the 14 test videos, such as 's2_.*: the lists of the corpus have changed since"
    with pytest.raises(UserError, match=told):
        score(RunOptions(), checkpoint, str(tmp_path / "again"))
    with pytest.raises(UserError, match=told):
        audit(RunOptions(), checkpoint, AuditOptions(), str(tmp_path / "again"))
    assert not (tmp_path / "again").exists()


def test_no_temperature_is_fitted_on_what_was_trained_on(corpus, tmp_path):
    checkpoint = trained(tmp_path / "last.pth", corpus, without="s1", select=True)
    with pytest.raises(UserError, match=r"was trained on (\d+) of the \1 held-out videos"):
        score(RunOptions(), checkpoint, str(tmp_path / "test"), with_temperature=True)


def test_another_corpus_may_have_videos_of_the_same_names(corpus, tmp_path):
    checkpoint = trained(tmp_path / "last.pth", corpus, without="nobody")
    _, config = of_checkpoint(RunOptions(), checkpoint)
    dataset = build_dataset(config, "test_dataloader")
    with pytest.raises(UserError, match="7 of the 7 test videos"):
        check_unseen(dataset, "test_dataloader", config, checkpoint)
    config.test_dataloader.dataset.label_map = {"happy": "happy"}
    check_unseen(dataset, "test_dataloader", config, checkpoint)
