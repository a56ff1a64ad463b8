"""What a person sees while training: a bar within an epoch, a line after it."""

import math
import time
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from tqdm import tqdm

from cefl_bench.errors import UserError
from cefl_bench.functional.duration import duration
from cefl_bench.hooks.losses import EpochLosses
from cefl_bench.registry import HOOKS
from cefl_bench.runs.log import add_to_log


@HOOKS.register_module()
class Progress(Hook):
    """A bar over the batches (on a terminal), a line per epoch (also in `train.log`); stops at a NaN loss."""

    priority = "BELOW_NORMAL"  # before the schedulers step to the next learning rate
    stateless = True

    def __init__(self) -> None:
        self._bar = tqdm(disable=True)
        self._losses = EpochLosses()
        self._first_epoch, self._lr = 0, 0.0
        self._paced_epochs = 0
        self._pace_start = self._epoch_start = time.monotonic()

    def before_train(self, runner: Runner) -> None:
        self._pace_start, self._paced_epochs = time.monotonic(), self._first_epoch

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        self._first_epoch = runner.epoch
        self._say(runner, f"resumed after epoch {runner.epoch}")

    def before_train_epoch(self, runner: Runner) -> None:
        self._losses, self._epoch_start = EpochLosses(), time.monotonic()
        self._open(f"epoch {runner.epoch + 1}/{runner.max_epochs}", len(runner.train_dataloader))

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        self._losses.add(outputs)
        self._step(self._read_losses(runner) if self._losses.should_read else "")

    def _read_losses(self, runner: Runner) -> str:
        """The last loss in words.

        Raises:
            UserError: naming the first batch whose loss is not finite.
        """
        loss = math.nan
        for batch, loss in self._losses.read():
            if not math.isfinite(loss):
                raise UserError(
                    f"the loss became {loss} in epoch {runner.epoch + 1}, batch {batch}: lower the learning rate, "
                    "e.g. --cfg-options optim_wrapper.optimizer.lr=0.001, with another --work-dir"
                )
        return f"loss {loss:.3f}"

    def after_train_epoch(self, runner: Runner) -> None:
        self._read_losses(runner)
        self._close()
        self._lr = max(runner.optim_wrapper.get_lr()["lr"])
        if runner.val_loop is None or (runner.epoch + 1) % runner.val_interval:
            self._say(runner, self._line(runner, runner.epoch + 1, ""))

    def before_val_epoch(self, runner: Runner) -> None:
        self._open("test", len(runner.val_dataloader))

    def after_val_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        self._step()

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        self._close()
        known = metrics or {}
        scores = "".join(f"  {name} {value:.3f}" for name, value in in_words(known).items())
        self._say(runner, self._line(runner, runner.epoch, scores))

    def before_test_epoch(self, runner: Runner) -> None:
        self._open("test", len(runner.test_dataloader))

    def after_test_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        self._step()

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        self._close()

    def _line(self, runner: Runner, epoch: int, scores: str) -> str:
        if not self._losses.means():  # resumed after the last epoch, for the test alone
            return f"epoch {epoch}/{runner.max_epochs}{scores}"
        now = time.monotonic()
        paced = max(epoch - self._paced_epochs, 1)  # the last epoch has a second line where it is tested out of turn
        left = (now - self._pace_start) / paced * (runner.max_epochs - epoch)
        if self._paced_epochs == self._first_epoch:  # what comes is paced without the first epoch, which starts all up
            self._pace_start, self._paced_epochs = now, epoch
        width = len(str(runner.max_epochs))
        return (
            f"epoch {epoch:{width}}/{runner.max_epochs}  {self._losses.in_words()}{scores}"
            f"  lr {self._lr:.2g}  {now - self._epoch_start:.1f} s" + (f"  {duration(left)} left" if left else "")
        )

    def _say(self, runner: Runner, line: str) -> None:
        if is_main_process():
            tqdm.write(line)
            add_to_log(runner.work_dir, line)

    def _open(self, title: str, total: int) -> None:
        # disable=None: no bar where the output is not a terminal, such as in a log file
        disable = None if is_main_process() else True
        self._bar = tqdm(desc=title, total=total, leave=False, disable=disable, unit="batch", dynamic_ncols=True)

    def _step(self, text: str = "") -> None:
        if text:
            self._bar.set_postfix_str(text, refresh=False)
        self._bar.update()

    def _close(self) -> None:
        self._bar.close()


def in_words(metrics: dict[str, float]) -> dict[str, float]:
    """The numbers of a line in the log: held-out and test scores, then those of all other metrics by their names."""
    words = {"val UAR": "val/uar", "val WAR": "val/war", "test UAR": "recall/uar", "WAR": "recall/war"}
    line = {word: metrics[key] for word, key in words.items() if key in metrics}
    others = {key: value for key, value in metrics.items() if not key.startswith(("recall/", "val/", "localization/"))}
    return line | others
