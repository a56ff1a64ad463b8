"""A model is not scored on videos that it was trained on, when the lists of its corpus have changed since."""

import csv
import hashlib
from pathlib import Path

import pytest
import torch
from helpers.media import write_csv
from helpers.run import SYNTHETIC, TINY
from helpers.trees import synthetic_tree
from helpers.untrained import untrained

from cefl_bench.commands.audit import AuditOptions, audit
from cefl_bench.commands.setup import RunOptions, build_dataset, configured, of_checkpoint
from cefl_bench.commands.test import test as score
from cefl_bench.commands.train import train
from cefl_bench.commands.unseen import check_unseen, learned_before
from cefl_bench.errors import UserError
from cefl_bench.runs import checkpoints

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
    hashes = sorted(hashlib.sha256(name.encode()).hexdigest()[:12] for name in names)
    return str(untrained(path, options=FEW, trained_on="synthetic faces", learned_from=hashes, **given))


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


def test_a_training_does_not_start_from_what_has_seen_its_test(corpus, tmp_path):
    start = trained(tmp_path / "start.pth", corpus, without="s2")
    options = (*FEW, "train_cfg.max_epochs=1", f"model.backbone.init_cfg.checkpoint={start}")

    def run(fold):
        return train(RunOptions(SYNTHETIC, fold=fold, work_dir=str(tmp_path / f"fold{fold}"), cfg_options=options))

    with pytest.raises(UserError, match=r"start.pth was trained on 7 of the 7 test videos, such as 's1_.*: start from"):
        run(1)
    assert not (tmp_path / "fold1").exists()
    run(2)
    learned = checkpoints.load(tmp_path / "fold2" / "last.pth")["meta"]["learned_from"]
    assert learned == checkpoints.load(start)["meta"]["learned_from"], "all people but the second, before and now"


def test_what_weights_learnt_from_is_handed_on(corpus, tmp_path):
    """From weights that saw three people to a training on three others of the four, two of whom they share."""
    start = trained(tmp_path / "start.pth", corpus, without="s2")
    options = (*FEW, f"model.backbone.init_cfg.checkpoint={start}")
    config = configured(RunOptions(SYNTHETIC, fold=2, cfg_options=options))
    test_set = build_dataset(config, "test_dataloader")
    assert learned_before(config, "synthetic faces", test_set) == checkpoints.load(start)["meta"]["learned_from"]
    assert learned_before(config, "other faces", test_set) == [], "another corpus, whose names mean nothing here"
    torch.save(checkpoints.load(start)["state_dict"] | {"meta": {"config": "of other code"}}, start)
    assert learned_before(config, "synthetic faces", test_set) == []
