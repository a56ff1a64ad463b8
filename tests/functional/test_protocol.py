"""The protocol id changes with what matters, and with nothing else."""

import copy
from pathlib import Path

import pytest

from cefl_bench.config import load_config
from cefl_bench.datasets.balanced_sampler import BalancedSampler
from cefl_bench.functional.loss_options import LossOptions
from cefl_bench.functional.protocol import difference, kind_of, leaf_paths, protocol_id, protocol_of
from cefl_bench.plain import plain

CONFIG = Path(__file__).parents[2] / "configs" / "ceflnet_synthetic.py"


def protocol(**options):
    return protocol_of(plain(load_config(CONFIG, options).to_dict()))


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
        {"compute.precision": "fp32", "compute.compile": True, "compute.memory_format": "channels_last"},
        {"train_dataloader.dataset.pipeline.0.packed": False, "test_dataloader.dataset.pipeline.0.packed": False},
    ],
    ids=str,
)
def test_stays_the_same_for_what_does_not_matter(options):
    assert protocol_id(protocol(**options)) == protocol_id(protocol())


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"compute.precision": "bf16"}, "precision"),
        ({"train_cfg.max_epochs": 2}, "schedule.epochs"),
        ({"optim_wrapper.optimizer.lr": 0.5}, "schedule.optimizer.optimizer.lr"),
        ({"data_preprocessor.size": 32}, "preprocessing.size"),
        ({"train_dataloader.batch_size": 4}, "batch_size"),
        ({"train_dataloader.drop_last": True}, "training_loader.drop_last"),
        ({"train_dataloader.sampler.shuffle": False}, "training_loader.sampler.shuffle"),
        ({"train_dataloader.dataset.shuffle_labels": True}, "labels"),
        ({"test_dataloader.dataset.pipeline.1.scheme": "ceflnet"}, "frames.test"),
        ({"test_dataloader.dataset.split": "all"}, "test_dataset"),
        ({"model.backbone.init_cfg": {"timm": "resnet18"}}, "start.source"),
        ({"train_cfg.val_interval": 2}, "schedule.val_interval"),
        ({"custom_hooks": [{"type": "EMAHook"}]}, "hooks.own"),
        ({"test_dataloader.drop_last": True}, "test_loader.drop_last"),
        ({"optim_wrapper.accumulative_counts": 4}, "schedule.optimizer.accumulative_counts"),
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
        protocol_of(plain(load_config(path, options).to_dict()))
        for options in ({"test_dataloader.dataset.lists": "easy.csv"}, {})
    )
    (line,) = difference(plain_one, easy)
    assert line.startswith("test_dataset: None != ") and "easy.csv" in line


def test_the_batch_is_that_of_all_processes():
    config = plain(load_config(CONFIG).to_dict())
    alone, together = protocol_of(config), protocol_of(config | {"num_processes": 2})
    assert together["batch_size"] == 2 * alone["batch_size"]


LEAVES = sorted(CONFIG.parent.glob("*.py"))


def _changed(config, path):
    """A copy of a resolved config in which the value at a dotted path is another one."""
    changed = copy.deepcopy(config)
    *parents, last = path.split(".")
    here = changed
    for part in parents:
        here = here[int(part)] if isinstance(here, list) else here[part]
    key = int(last) if isinstance(here, list) else last
    value = here[key]
    here[key] = value + 1 if isinstance(value, int | float) and not isinstance(value, bool) else {"changed": str(value)}
    return changed


def _with_losses_and_sampler(leaf):
    """A leaf with every option of the loss, and the sampler that balances classes."""
    config = load_config(leaf)
    options = dict(label_smoothing=0.1, class_weights=[1.0] * 7, focal_gamma=2.0, ial_weight=0.1, ec_stfl_weight=10.0)
    assert options.keys() == LossOptions.__annotations__.keys()
    config.model.head.update(options)
    config.train_dataloader.sampler = dict(type=BalancedSampler, power=0.5)
    return config


def test_losses_are_the_methods_and_the_sampler_is_the_protocols():
    before, after = (protocol_of(plain(make(CONFIG).to_dict())) for make in (load_config, _with_losses_and_sampler))
    assert {line.split(":")[0] for line in difference(before, after)} == {
        "training_loader.sampler.power",
        "training_loader.sampler.shuffle",
        "training_loader.sampler.type",
    }


def test_every_value_of_every_config_is_protocol_or_method_or_neither_as_listed():
    seen = set()
    for leaf, make in [*((leaf, load_config) for leaf in LEAVES), (CONFIG, _with_losses_and_sampler)]:
        config = plain(make(leaf).to_dict()) | {"num_processes": 1, "launcher": "none", "work_dir": "x"}
        before = protocol_id(protocol_of(config))
        for path in leaf_paths(config):
            kind = kind_of(path).kind
            if (path, kind) in seen or path.endswith(("label_map", "init_cfg")):
                continue
            seen.add((path, kind))
            moved = protocol_id(protocol_of(_changed(config, path))) != before
            assert moved == (kind == "protocol"), f"{leaf.stem}: {path} is listed as {kind}"
    assert len(seen) > 100
    assert {("model.head.class_weights.6", "method"), ("train_dataloader.sampler.power", "protocol")} <= seen


def test_a_field_that_nobody_thought_of_is_part_of_the_protocol():
    config = plain(load_config(CONFIG).to_dict())
    assert kind_of("cutout.size").kind == "protocol"
    assert protocol_id(protocol_of(config | {"cutout": {"size": 3}})) != protocol_id(protocol_of(config))


def test_data_that_say_another_crop_rule_are_another_protocol():
    config = plain(load_config(CONFIG).to_dict())
    (line,) = difference(
        protocol_of(config, data={"crops": {"margin": 0.1}}), protocol_of(config, data={"crops": {"margin": 1.5}})
    )
    assert line == "data.crops.margin: 0.1 != 1.5"
