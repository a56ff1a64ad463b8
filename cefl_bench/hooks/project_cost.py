"""Says early in a training what the whole training will cost, and the same on all folds."""

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
        return self._times[-1] - self.start

    def within(self, seconds: float) -> float:
        """What a span of time that has the pass in it will take from now on."""
        return seconds - self.taken() + self.seconds()

    @property
    def start(self) -> float:
        """When the pass began."""
        return self._times[0]


@HOOKS.register_module()
class ProjectCost(Hook):
    """Prints a line when the first epoch of this process is complete, its checkpoint included.

    Where no test belonged to it but to a later one, tests are left out, and a second line has them after the first.

    Args:
        num_folds: of the corpus.
        price: of an hour of one GPU, or of this machine where there is none; None where it is not known.
    """

    priority = "LOWEST"
    stateless = True

    def __init__(self, num_folds: int, price: float | None = None) -> None:
        self.num_folds, self.price = num_folds, price
        self._training: Pace | None = None
        self._clips = 0
        self._testing: Pace | None = None
        self._test_seconds = 0.0
        self._said = self._said_tests = False

    def before_train_epoch(self, runner: Runner) -> None:
        if self._training is not None and not self._said_tests:
            num_tests = _num_tests(runner)
            self._said_tests = self._testing is not None or not num_tests
            if is_main_process() and (self._said_tests or not self._said):
                tqdm.write(self._line(runner, self._training, num_tests))
            self._said = True
        self._training, self._clips = Pace(), 0

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        if not self._said_tests and self._training is not None:
            self._training.step()
            self._clips += len(data_batch["label"])

    def before_val_epoch(self, runner: Runner) -> None:
        self._testing = Pace()

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        if not self._said_tests and self._testing is not None:
            self._testing.step()

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        if self._testing is not None:
            self._test_seconds = time.monotonic() - self._testing.start

    def _line(self, runner: Runner, training: Pace, num_tests: int) -> str:
        device = "GPU" if torch.cuda.is_available() else "machine"
        devices = get_world_size() if device == "GPU" else 1
        clips_per_s = self._clips * get_world_size() / max(training.seconds(), 1e-9)
        seconds = runner.max_epochs * training.within(time.monotonic() - training.start - self._test_seconds)
        if self._testing is not None:
            seconds += num_tests * self._testing.within(self._test_seconds)
        run = of_run(seconds, 1, devices, self.price)
        epochs = f"{runner.max_epochs} epochs" + ("" if self._said_tests else ", tests left out,")
        line = f"at {clips_per_s:,.0f} clips/s in training, {epochs} take {run.in_words(device)}"
        if self.num_folds > 1:
            folds = of_run(seconds, self.num_folds, devices, self.price)
            line += f"; all {self.num_folds} folds {folds.in_words(device)}"
        return line


def _num_tests(runner: Runner) -> int:
    """How many epochs of the whole training are tested: every so many, and the last."""
    if runner.val_loop is None:
        return 0
    epochs = range(max(runner.val_begin, 1), runner.max_epochs + 1)
    return sum(epoch % runner.val_interval == 0 or epoch == runner.max_epochs for epoch in epochs)
