"""Saves the run between epochs and continues it from there."""

from pathlib import Path
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from cefl_bench.registry import HOOKS
from cefl_bench.runs import checkpoints
from cefl_bench.runs.folder import LAST


@HOOKS.register_module()
class Checkpoint(Hook):
    """Writes `last.pth` between epochs, whole or not at all, and with `resume` starts from the one that is there.

    mmengine's own resuming is not used: it runs the config text that a checkpoint carries. Other hooks keep their state
    in it through `before_save_checkpoint` and `after_load_checkpoint`.

    Args:
        config: the resolved config as plain values; kept in the checkpoint.
        resume: continue from `last.pth` where there is one.
    """

    priority = "VERY_LOW"

    def __init__(self, config: dict[str, Any], resume: bool = False) -> None:
        self.config, self.resume = config, resume
        self._saved_epoch = 0

    def before_train(self, runner: Runner) -> None:
        path = Path(runner.work_dir) / LAST
        if not (self.resume and path.exists()):
            return
        checkpoint = checkpoints.load_into(_bare(runner.model), path)
        runner.optim_wrapper.load_state_dict(checkpoint["optimizer"])
        for scheduler, state in zip(runner.param_schedulers or [], checkpoint["param_schedulers"], strict=True):
            scheduler.load_state_dict(state)
        runner.train_loop._epoch = self._saved_epoch = checkpoint["meta"]["epoch"]
        runner.train_loop._iter = checkpoint["meta"]["iter"]
        runner.call_hook("after_load_checkpoint", checkpoint=checkpoint)

    def before_train_epoch(self, runner: Runner) -> None:
        # Here the epoch before is complete, its test included.
        if runner.epoch > self._saved_epoch:
            self._save(runner)

    def after_train(self, runner: Runner) -> None:
        if runner.epoch > self._saved_epoch:
            self._save(runner)

    def _save(self, runner: Runner) -> None:
        checkpoint = {
            "meta": {"epoch": runner.epoch, "iter": runner.iter, "seed": runner.seed, "config": self.config},
            "state_dict": _bare(runner.model).state_dict(),
            "optimizer": runner.optim_wrapper.state_dict(),
            "param_schedulers": [_plain_state(scheduler) for scheduler in runner.param_schedulers or []],
        }
        runner.call_hook("before_save_checkpoint", checkpoint=checkpoint)
        if is_main_process():
            checkpoints.save(Path(runner.work_dir) / LAST, checkpoint)
        self._saved_epoch = runner.epoch


def _bare(model: torch.nn.Module) -> torch.nn.Module:
    return model.module if is_model_wrapper(model) else model


def _plain_state(scheduler: Any) -> dict[str, Any]:
    return {key: value for key, value in scheduler.state_dict().items() if not callable(value)}
