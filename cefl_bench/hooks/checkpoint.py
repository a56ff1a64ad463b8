"""Saves the run between epochs and continues it from there."""

from pathlib import Path
from typing import Any, cast

import torch
from mmengine.dist import all_gather_object, get_rank, is_main_process
from mmengine.hooks import (
    DistSamplerSeedHook,
    EmptyCacheHook,
    Hook,
    IterTimerHook,
    ParamSchedulerHook,
    RuntimeInfoHook,
    SyncBuffersHook,
)
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner

from cefl_bench.errors import UserError
from cefl_bench.registry import HOOKS
from cefl_bench.runs import checkpoints
from cefl_bench.runs.folder import LAST
from cefl_bench.runs.log import add_to_log

STATELESS_HOOKS = (
    DistSamplerSeedHook,
    EmptyCacheHook,
    IterTimerHook,
    ParamSchedulerHook,
    RuntimeInfoHook,
    SyncBuffersHook,
)
"""Hooks of mmengine that keep nothing which a resumed run would miss."""
FACTS = ("config", "protocol", "classes", "dataset", "trained_on", "data_fingerprint", "learned_from")
"""What a checkpoint says of its training, beside how far it came."""


@HOOKS.register_module()
class Checkpoint(Hook):
    """Writes `last.pth` between epochs, whole or not at all, and with `resume` starts from the one that is there.

    mmengine's own resuming is not used: it runs the config text that a checkpoint carries. Everything with a state is
    saved: weights, optimizer, schedulers, gradients that wait for their step, and hooks, which keep theirs by
    `before_save_checkpoint` and `after_load_checkpoint`. A hook that does neither must say that it has no state, with
    `stateless = True`; else the start refuses it.

    Args:
        facts: what is known before the run starts; of it, `FACTS` are saved.
        resume: continue from `last.pth` where there is one.
    """

    priority = "VERY_LOW"
    stateless = True

    def __init__(self, facts: dict[str, Any], resume: bool = False) -> None:
        self.facts, self.resume = facts, resume
        self._saved_epoch = 0

    def before_train(self, runner: Runner) -> None:
        check_resumable(runner)
        path = Path(runner.work_dir) / LAST
        if not (self.resume and path.exists()):
            return
        checkpoint = checkpoints.load(path)
        try:
            self._take_up(runner, checkpoint, path)
        except UserError:
            raise
        except Exception as error:  # whatever a damaged part makes torch or mmengine say
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            raise UserError(
                f"{path} cannot be continued ({reason}): it is damaged, or not what a training of this version leaves; "
                "start anew in another --work-dir"
            ) from None

    def _take_up(self, runner: Runner, checkpoint: dict[str, Any], path: Path) -> None:
        """Put a run back to where a checkpoint was written."""
        runner.train_loop._epoch = self._saved_epoch = checkpoint["meta"]["epoch"]
        runner.train_loop._iter = checkpoint["meta"]["iter"]
        runner._resume = True  # an averaging hook takes up its weights only in a resumed run
        runner.call_hook("after_load_checkpoint", checkpoint=checkpoint)  # may exchange weights, so before them
        model = _bare(runner.model)
        checkpoints.fill(model, checkpoint, path)
        runner.optim_wrapper.load_state_dict(checkpoint["optimizer"])
        for scheduler, state in zip(runner.param_schedulers or [], checkpoint["param_schedulers"], strict=True):
            scheduler.load_state_dict(state)
        runner.optim_wrapper.initialize_count_status(runner.model, runner.iter, runner.max_iters)
        if "gradients" in checkpoint:  # each process has its own, which meet at the next step
            for name, gradient in checkpoint["gradients"][get_rank()].items():
                parameter = model.get_parameter(name)
                parameter.grad = gradient.to(parameter.device)

    def before_train_epoch(self, runner: Runner) -> None:
        # Here the epoch before is complete, its test included.
        if runner.epoch > self._saved_epoch:
            self._save(runner)

    def after_train(self, runner: Runner) -> None:
        if runner.epoch > self._saved_epoch:
            self._save(runner)

    def _save(self, runner: Runner) -> None:
        known = {name: self.facts[name] for name in FACTS if name in self.facts}
        model = _bare(runner.model)
        checkpoint = {
            "meta": {"epoch": runner.epoch, "iter": runner.iter, "seed": runner.seed} | known,
            "state_dict": model.state_dict(),
            "optimizer": runner.optim_wrapper.state_dict(),
            "param_schedulers": [_plain_state(scheduler) for scheduler in runner.param_schedulers or []],
        }
        if runner.optim_wrapper._inner_count % runner.optim_wrapper._accumulative_counts:
            checkpoint["gradients"] = all_gather_object(_gradients(model))  # they wait for a step in the next epoch
        runner.call_hook("before_save_checkpoint", checkpoint=checkpoint)
        if is_main_process():
            checkpoints.save(Path(runner.work_dir) / LAST, checkpoint)
            add_to_log(runner.work_dir, f"wrote {LAST}: epoch {runner.epoch}")
        self._saved_epoch = runner.epoch


def check_resumable(runner: Runner) -> None:
    """Refuse what would lose its state in silence when the run is killed and resumed.

    Raises:
        UserError: naming the hook or the wrapper.
    """
    for hook in runner.hooks:
        kind = type(hook)
        if not (_keeps_its_state(kind) or getattr(hook, "stateless", False) or kind in STATELESS_HOOKS):
            raise UserError(
                f"hook {kind.__module__}.{kind.__qualname__} keeps no state in checkpoints, so a resumed run may lose "
                "what it knows: give it before_save_checkpoint and after_load_checkpoint, or stateless = True"
            )
    if not isinstance(runner.optim_wrapper, OptimWrapper):
        raise UserError(
            f"optim_wrapper is a {type(runner.optim_wrapper).__name__}: expected one OptimWrapper, whose state and "
            "waiting gradients a checkpoint keeps"
        )


def _keeps_its_state(kind: type[Hook]) -> bool:
    saves = kind.before_save_checkpoint is not Hook.before_save_checkpoint
    return saves and kind.after_load_checkpoint is not Hook.after_load_checkpoint


def _bare(model: torch.nn.Module) -> torch.nn.Module:
    return cast(torch.nn.Module, model.module) if is_model_wrapper(model) else model


def _gradients(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: parameter.grad.cpu() for name, parameter in model.named_parameters() if parameter.grad is not None}


def _plain_state(scheduler: Any) -> dict[str, Any]:
    return {key: value for key, value in scheduler.state_dict().items() if not callable(value)}
