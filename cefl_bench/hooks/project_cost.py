"""Says after the first epoch what the whole training will cost, and the same on all folds."""

import time
from typing import Any

import torch
from mmengine.dist import get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from tqdm import tqdm

from cefl_bench.functional.projection import of_run
from cefl_bench.registry import HOOKS


class Pace:
    """Times a pass over batches as it will go from now on.

    In its first half it may compile, and fill caches; its last batch may be the first of another size, for which a GPU
    then looks for the fastest kernels.
    """

    def __init__(self) -> None:
        self._times = [time.monotonic()]

    def step(self) -> None:
        """Note that a batch is complete."""
        self._times.append(time.monotonic())

    def seconds(self) -> float:
        """Of the whole pass at the pace of its second half, the last batch left out where that leaves two."""
        batches = len(self._times) - 1
        half = batches // 2
        end = batches - 1 if batches - half > 2 else batches
        return (self._times[end] - self._times[half]) * batches / max(end - half, 1)

    def taken(self) -> float:
        """Seconds that the pass took."""
        return self._times[-1] - self._times[0]


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
        self._training: Pace | None = None
        self._testing: Pace | None = None
        self._said = False

    def before_train_epoch(self, runner: Runner) -> None:
        now = time.monotonic()
        if self._start is not None and self._training is not None and not self._said:
            self._said = True
            if is_main_process():
                tqdm.write(self._line(runner, now - self._start, self._training))
        self._start, self._training = now, Pace()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        if not self._said and self._training is not None:
            self._training.step()

    def before_val_epoch(self, runner: Runner) -> None:
        self._testing = Pace()

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        if not self._said and self._testing is not None:
            self._testing.step()

    def _line(self, runner: Runner, epoch_seconds: float, training: Pace) -> str:
        device = "GPU" if torch.cuda.is_available() else "machine"
        devices = get_world_size() if device == "GPU" else 1
        clips_per_s = len(runner.train_dataloader.dataset) / max(training.seconds(), 1e-9)
        for one in (training, self._testing):
            if one is not None:
                epoch_seconds += one.seconds() - one.taken()
        run = of_run(epoch_seconds, runner.max_epochs, 1, devices, self.price)
        line = f"at {clips_per_s:,.0f} clips/s in training, {runner.max_epochs} epochs take {run.in_words(device)}"
        if self.num_folds > 1:
            folds = of_run(epoch_seconds, runner.max_epochs, self.num_folds, devices, self.price)
            line += f"; all {self.num_folds} folds {folds.in_words(device)}"
        return line
