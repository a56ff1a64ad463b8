"""The protocol id changes with what matters, and with nothing else."""

from pathlib import Path

import pytest

from cefl_bench.config import load_config
from cefl_bench.functional.protocol import difference, protocol_id, protocol_of
from cefl_bench.plain import plain

CONFIG = Path(__file__).parents[2] / "configs" / "ceflnet_synthetic.py"


def protocol(**options):
    return protocol_of(plain(load_config(CONFIG, options).to_dict()) | {"track": "fair"})


@pytest.mark.parametrize(
    "options",
    [
        {"train_dataloader.dataset.fold": 2, "test_dataloader.dataset.fold": 2},
        {"randomness.seed": 5},
        {"train_dataloader.num_workers": 0},
        {"test_dataloader.batch_size": 1},
        {"train_dataloader.dataset.data_root": "elsewhere"},
        {"train_dataloader.dataset.on_error": "raise"},
        {"model.num_clips": 8},
        {"train_dataloader.dataset.pipeline.0.packed": False, "test_dataloader.dataset.pipeline.0.packed": False},
    ],
    ids=str,
)
def test_stays_the_same_for_what_does_not_matter(options):
    assert protocol_id(protocol(**options)) == protocol_id(protocol())


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"train_cfg.max_epochs": 2}, "schedule.epochs"),
        ({"optim_wrapper.optimizer.lr": 0.5}, "schedule.optimizer.optimizer.lr"),
        ({"data_preprocessor.size": 32}, "preprocessing.size"),
        ({"train_dataloader.batch_size": 4}, "batch_size"),
        ({"train_dataloader.drop_last": True}, "drop_last"),
        ({"train_dataloader.sampler.shuffle": False}, "sampler.shuffle"),
        ({"train_dataloader.dataset.shuffle_labels": True}, "labels"),
        ({"test_dataloader.dataset.pipeline.1.scheme": "ceflnet"}, "frames.test"),
        ({"test_dataloader.dataset.split": "all"}, "test_dataset"),
    ],
    ids=str,
)
def test_changes_with_what_matters_and_names_it(options, field):
    assert protocol_id(protocol(**options)) != protocol_id(protocol())
    lines = difference(protocol(), protocol(**options))
    assert len(lines) == 1 and lines[0].startswith(f"{field}: ")


def test_other_test_lists_than_those_of_the_training_side_are_another_protocol():
    path = CONFIG.with_name("ceflnet_dfew.py")
    easy, plain_one = (
        protocol_of(plain(load_config(path, options).to_dict()) | {"track": "fair"})
        for options in ({"test_dataloader.dataset.lists": "easy.csv"}, {})
    )
    (line,) = difference(plain_one, easy)
    assert line.startswith("test_dataset: None != ") and "easy.csv" in line


def test_the_batch_is_that_of_all_processes():
    config = plain(load_config(CONFIG).to_dict()) | {"track": "fair"}
    alone, together = protocol_of(config), protocol_of(config | {"num_processes": 2})
    assert together["batch_size"] == 2 * alone["batch_size"]
