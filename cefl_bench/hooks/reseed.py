"""Makes every epoch's randomness follow from the seed and the epoch, so that a resumed run repeats it."""

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner

from cefl_bench.registry import HOOKS


@HOOKS.register_module()
class Reseed(Hook):
    """At the start of an epoch: tells the dataset (clips, augmentation) and seeds torch (dropout), per process."""

    priority = "VERY_HIGH"

    def before_train_epoch(self, runner: Runner) -> None:
        runner.train_dataloader.dataset.set_epoch(runner.seed, runner.epoch)
        mixed = np.random.SeedSequence([runner.seed, runner.epoch, get_rank()]).generate_state(1, np.uint64)[0]
        torch.manual_seed(int(mixed))
