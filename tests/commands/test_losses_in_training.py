"""A training with every loss, on classes of different sizes: what it logs and keeps, and that it resumes to the bit."""

import json
import re
import shutil
from collections import Counter

import pytest
import torch
from helpers.auxiliary import LOSSES, leaf_with_losses
from helpers.run import TINY, dataset
from helpers.trees import CLASSES

from cefl_bench.commands.setup import RunOptions
from cefl_bench.commands.train import resolve, run
from cefl_bench.hooks.checkpoint import Checkpoint
from cefl_bench.models.heads.mlp_head import MLPHead
from cefl_bench.runs import checkpoints

OPTIONS = (
    *TINY,
    "train_cfg.max_epochs=2",
    "train_dataloader.num_workers=0",
    "train_dataloader.persistent_workers=False",
    "train_dataloader.dataset.pipeline.0.size=40",
)
RARE = "disgust"
NUM_RARE, NUM_OTHER = 1, 3
"""Training videos of the rare class and of each other one: 19 in all."""


@pytest.fixture(scope="module")
def leaf(tmp_path_factory, data_home):
    """A leaf with all losses and the balanced sampler, and beside it a corpus in which one class is rare."""
    folder = tmp_path_factory.mktemp("losses")
    corpus = shutil.copytree(data_home / "synthetic_demo", folder / "data" / "synthetic_demo")
    lines = (corpus / "labels.csv").read_text().splitlines(keepends=True)
    kept = [line for line in lines if not re.match(rf"s[34]_{RARE}_|\w+_1,", line)]
    (corpus / "labels.csv").write_text("".join(kept))
    return leaf_with_losses(folder)


@pytest.fixture
def with_corpus(leaf, monkeypatch):
    monkeypatch.setenv("CEFL_BENCH_DATA", str(leaf.parent / "data"))


def start(leaf, folder, resume=False):
    run(resolve(RunOptions(str(leaf), work_dir=str(folder), resume=resume, cfg_options=OPTIONS)))
    return folder


@pytest.fixture(scope="module")
def trained(leaf, tmp_path_factory):
    """The folder of a finished run, and the weights of classes that its head was built with."""
    weights, build = [], MLPHead.__init__

    def watched(head, *arguments, **options):
        weights.append(options.get("class_weights"))
        build(head, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CEFL_BENCH_DATA", str(leaf.parent / "data"))
        patch.setattr(MLPHead, "__init__", watched)
        return start(leaf, tmp_path_factory.mktemp("trained") / "run"), weights[-1]


def test_each_loss_is_in_the_history_and_in_the_log(trained):
    folder, _ = trained
    history = json.loads((folder / "result.json").read_text())["history"]
    assert len(history) == 2
    for row in history:
        assert row["loss"] == pytest.approx(sum(row[name] for name in LOSSES), rel=1e-5)
        assert all(row[name] > 0 for name in LOSSES)
    parts = ", ".join(f"{name.removeprefix('loss_')} {history[0][name]:.3g}" for name in LOSSES)
    assert f"  loss {history[0]['loss']:.3f} ({parts})  " in (folder / "train.log").read_text().splitlines()[0]


def test_balanced_weights_are_those_of_the_training_fold_and_the_config_keeps_the_word(trained):
    folder, weights = trained
    expected = [19 / (7 * (NUM_RARE if name == RARE else NUM_OTHER)) for name in CLASSES]
    assert weights == pytest.approx(expected)
    kept = [json.loads((folder / "result.json").read_text())["config"]]
    kept.append(checkpoints.load(folder / "last.pth")["meta"]["config"])
    assert [config["model"]["head"]["class_weights"] for config in kept] == ["balanced", "balanced"]
    assert "class_weights='balanced'" in (folder / "config.py").read_text()


def test_a_run_with_all_of_it_resumes_to_the_same_bits(leaf, trained, with_corpus, tmp_path, monkeypatch):
    save = Checkpoint._save

    def save_and_die(hook, runner):
        save(hook, runner)
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(Checkpoint, "_save", save_and_die)
        start(leaf, tmp_path / "run")
    start(leaf, tmp_path / "run", resume=True)
    resumed, whole = (checkpoints.load(folder / "last.pth")["state_dict"] for folder in (tmp_path / "run", trained[0]))
    for name, tensor in whole.items():
        assert torch.equal(resumed[name], tensor), name


def test_the_corpus_of_this_test_is_out_of_balance(leaf, with_corpus):
    counts = Counter(CLASSES[entry["label"]] for entry in dataset(leaf).entries())
    assert counts.pop(RARE) == NUM_RARE and set(counts.values()) == {NUM_OTHER}
