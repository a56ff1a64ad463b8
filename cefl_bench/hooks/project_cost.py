"""Says after the first epoch what the whole training will cost, and the same on all folds."""

import time

import torch
from mmengine.dist import get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from tqdm import tqdm

from cefl_bench.functional.projection import of_run
from cefl_bench.registry import HOOKS


@HOOKS.register_module()
class ProjectCost(Hook):
    """Prints a line when the first epoch of this process is complete, its test and its checkpoint included.

    Args:
        num_folds: of the corpus.
        price: of an hour of one GPU, or of this machine where there is none; None where it is not known.
    """

    priority = "LOWEST"
    stateless = True

    def __init__(self, num_folds: int, price: float | None = None) -> None:
        self.num_folds, self.price = num_folds, price
        self._start: float | None = None
        self._train_seconds, self._said = 0.0, False

    def before_train_epoch(self, runner: Runner) -> None:
        now = time.monotonic()
        if self._start is not None and not self._said and is_main_process():
            self._said = True
            tqdm.write(self._line(runner, now - self._start))
        self._start = now

    def after_train_epoch(self, runner: Runner) -> None:
        if self._start is not None:
            self._train_seconds = time.monotonic() - self._start

    def _line(self, runner: Runner, epoch_seconds: float) -> str:
        device = "GPU" if torch.cuda.is_available() else "machine"
        devices = get_world_size() if device == "GPU" else 1
        clips_per_s = len(runner.train_dataloader.dataset) / max(self._train_seconds, 1e-9)
        run = of_run(epoch_seconds, runner.max_epochs, 1, devices, self.price)
        line = f"at {clips_per_s:,.0f} clips/s in training, {runner.max_epochs} epochs take {run.in_words(device)}"
        if self.num_folds > 1:
            folds = of_run(epoch_seconds, runner.max_epochs, self.num_folds, devices, self.price)
            line += f"; all {self.num_folds} folds {folds.in_words(device)}"
        return line
