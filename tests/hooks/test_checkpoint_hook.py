"""A resumed run takes up everything that has a state; what would lose its own is refused before it starts."""

import pytest
import torch
from helpers.run import SYNTHETIC, TINY
from mmengine.hooks import EarlyStoppingHook, EMAHook, Hook

from cefl_bench.commands.setup import RunOptions
from cefl_bench.commands.train import resolve, run
from cefl_bench.errors import UserError
from cefl_bench.hooks.checkpoint import Checkpoint
from cefl_bench.runs import checkpoints

FAST = (
    "train_cfg.max_epochs=2",
    "train_dataloader.num_workers=0",
    "train_dataloader.persistent_workers=False",
    "train_dataloader.dataset.pipeline.0.size=40",
)
MIX = "data_preprocessor.mix={'mixup':0.8,'cutmix':1.0}"
ACCUMULATE = "optim_wrapper.accumulative_counts=2"  # of three batches in an epoch: one waits for the next epoch


def start(folder, *options, hooks=(), resume=False):
    plan = resolve(RunOptions(SYNTHETIC, work_dir=str(folder), resume=resume, cfg_options=(*TINY, *FAST, *options)))
    plan.config.custom_hooks = list(hooks)
    run(plan)
    return checkpoints.load(folder / "last.pth")


@pytest.fixture
def killed_after_an_epoch(monkeypatch):
    """Runs end after the checkpoint of their first epoch, as if they were killed there."""
    save = Checkpoint._save

    def save_and_die(hook, runner):
        save(hook, runner)
        raise SystemExit

    def kill(folder, *options, **more):
        with monkeypatch.context() as patch, pytest.raises(SystemExit):
            patch.setattr(Checkpoint, "_save", save_and_die)
            start(folder, *options, **more)

    return kill


def test_a_resumed_run_ends_at_the_same_bits(with_data, tmp_path, killed_after_an_epoch):
    """With averaged weights, gradients of which some wait for the next epoch, and mixed videos."""
    options, hooks = (ACCUMULATE, MIX), [dict(type=EMAHook, momentum=0.1)]
    whole = start(tmp_path / "whole", *options, hooks=hooks)
    killed_after_an_epoch(tmp_path / "killed", *options, hooks=hooks)
    half = checkpoints.load(tmp_path / "killed" / "last.pth")
    assert half["meta"]["epoch"] == 1 and "gradients" in half
    resumed = start(tmp_path / "killed", *options, hooks=hooks, resume=True)
    for part in ("state_dict", "ema_state_dict"):
        for name, tensor in whole[part].items():
            assert torch.equal(tensor, resumed[part][name]), f"{part}: {name}"
    average, model = whole["state_dict"], whole["ema_state_dict"]
    assert any(not torch.equal(average[name], model[f"module.{name}"]) for name in average if "weight" in name)


class Counts(Hook):
    """Has a state that no checkpoint keeps."""


class CountsNothing(Hook):
    stateless = True


def test_a_hook_that_would_lose_its_state_is_refused_by_name(with_data, tmp_path):
    for hook in (dict(type=Counts), dict(type=EarlyStoppingHook, monitor="recall/war", rule="greater")):
        with pytest.raises(UserError, match=rf"hook .*{hook['type'].__name__} keeps no state in checkpoints"):
            start(tmp_path / "run", hooks=[hook])
    start(tmp_path / "run", "train_cfg.max_epochs=1", hooks=[dict(type=CountsNothing)])
