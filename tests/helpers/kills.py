"""What a `Child` does to itself in the midst of its work, at a moment that no speed of the machine can shift."""

import os
import signal

from cefl_bench.hooks.reseed import Reseed


def kill_training(epoch: int) -> None:
    """Let a training be killed with all its workers before its second batch of an epoch, counted from 1."""
    usual = Reseed.before_train_iter

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.epoch + 1 == epoch and batch_idx == 1:
            os.killpg(0, signal.SIGKILL)
        return usual(self, runner, batch_idx, data_batch)

    Reseed.before_train_iter = before_train_iter
