"""Makes all randomness follow from the seed and the place in training, so that a resumed run repeats it."""

from typing import Any

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner

from cefl_bench.registry import HOOKS


@HOOKS.register_module()
class Reseed(Hook):
    """Tells the dataset which epoch begins (clips, augmentation), and seeds torch (dropout) before every batch.

    Before every batch, not every epoch: a data loader draws from torch's generator too, and how often depends on
    whether its workers are new.
    """

    priority = "VERY_HIGH"
    stateless = True

    def before_train_epoch(self, runner: Runner) -> None:
        runner.train_dataloader.dataset.set_epoch(runner.seed, runner.epoch)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        place = np.random.SeedSequence([runner.seed, runner.epoch, batch_idx, get_rank()])
        torch.manual_seed(int(place.generate_state(1, np.uint64)[0]))
