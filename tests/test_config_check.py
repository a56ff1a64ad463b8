"""Every value of a config is checked before anything is built: its kind, its range, the signature of its part."""

import copy

import pytest
from helpers.run import SYNTHETIC, TINY
from mmengine.optim import MultiStepLR

from cefl_bench.commands.machine import check_schedule
from cefl_bench.commands.setup import RunOptions, configured
from cefl_bench.config import load_config
from cefl_bench.config_check import check_values
from cefl_bench.errors import UserError

WRONG = {
    "train_dataloader.batch_size=0": "train_dataloader.batch_size is 0: expected a whole number from 1",
    "train_dataloader.batch_size=None": "train_dataloader.batch_size is None: expected a whole number",
    "train_dataloader.batch_size='8'": "train_dataloader.batch_size is '8': expected a whole number",
    "val_dataloader.num_workers=-1": "val_dataloader.num_workers is -1: expected a whole number from 0",
    "train_dataloader.drop_last=1": "train_dataloader.drop_last is 1: expected True or False",
    "train_cfg.max_epochs=1.5": "train_cfg.max_epochs is 1.5: expected a whole number",
    "train_cfg.max_epochs=True": "train_cfg.max_epochs is True: expected a whole number",
    "train_cfg.by_epoch=False": "train_cfg: expected by_epoch=True and no type",
    "optim_wrapper.optimizer.lr=0": "optim_wrapper.optimizer.lr is 0: expected a number above 0",
    "optim_wrapper.optimizer.lr=nan": "optim_wrapper.optimizer.lr is 'nan': expected a number",
    "optim_wrapper.optimizer.lr=1e400": "optim_wrapper.optimizer.lr is inf: expected a finite number",
    "param_scheduler.0.gamma=-1e999": "param_scheduler.0.gamma is -inf: expected a finite number",
    "data_preprocessor.std=(1e999,1,1)": "data_preprocessor.std.0 is inf: expected a finite number",
    "optim_wrapper.optimizer.weight_decay=-1": "optim_wrapper.optimizer.weight_decay is -1: expected a number from 0",
    "optim_wrapper.accumulative_counts=0": "optim_wrapper.accumulative_counts is 0: expected a whole number from 1",
    "optim_wrapper.clip_grad={'max_norm':-1}": "optim_wrapper.clip_grad.max_norm is -1: expected a number above 0",
    "randomness.seed=None": "randomness.seed is None: expected a whole number",
    "randomness.seed=20261126120000": "randomness.seed is 20261126120000: expected a whole number",
    "model.aggregator=None": "model.aggregator is None: expected a dict",
    "model.backbone.trunk=5": "model.backbone.trunk is 5: expected a text",
    "train_dataloader.dataset.pipeline.0.size=7.5": "train_dataloader.dataset.pipeline.0.size is 7.5: expected a whole",
    "train_dataloader.dataset.shuffle_labels=yes": "train_dataloader.dataset.shuffle_labels is 'yes': expected True or",
}


@pytest.mark.parametrize("option", WRONG)
def test_a_value_of_another_kind_is_told_with_its_path(option):
    with pytest.raises(UserError) as told:
        configured(RunOptions(SYNTHETIC, cfg_options=(option,)))
    assert str(told.value).startswith(WRONG[option]) and "\n" not in str(told.value)


def test_the_options_of_the_tests_are_fine():
    check_values(load_config(SYNTHETIC))
    configured(RunOptions(SYNTHETIC, cfg_options=(*TINY, "optim_wrapper.clip_grad={'max_norm':1}")))


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (
            "optim_wrapper.clip_grad",
            {},
            "optim_wrapper cannot be built from the config .AssertionError: If `clip_grad`",
        ),
        ("optim_wrapper.optimizer.nesterov", 3, "optim_wrapper cannot be built from the config"),
        (
            "param_scheduler",
            [dict(type=MultiStepLR, milestones=5)],
            "param_scheduler.0 cannot be built from the config .TypeError: 'int' object",
        ),
    ],
)
def test_what_only_the_optimiser_or_a_scheduler_can_refuse_is_told_before_a_run_begins(path, value, said):
    config = load_config(SYNTHETIC)
    config.merge_from_dict({path: value})
    if value == {}:  # mmengine would merge it
        config.optim_wrapper.clip_grad = value
    before = copy.deepcopy(config.optim_wrapper.to_dict())
    with pytest.raises(UserError, match=said) as told:
        check_schedule(config)
    assert "\n" not in str(told.value) and config.optim_wrapper.to_dict() == before
