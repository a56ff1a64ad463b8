"""Which epoch counts: the last one, or the best on a part of the training fold that is held out to choose it."""

import copy

from mmengine.config import Config, ConfigDict

from cefl_bench.config import HELD_OUT

VAL = "val"
SHARE = 0.1


def select_by_val(config: Config) -> None:
    """Hold out a tenth of the training fold: nobody in it is trained on, and it is read as the test videos are."""
    config.selection = VAL
    config.train_dataloader.dataset.holdout = SHARE
    loader = copy.deepcopy(config.val_dataloader)
    loader.dataset = ConfigDict(
        copy.deepcopy(config.train_dataloader.dataset), split="val", pipeline=loader.dataset.pipeline
    )
    config[HELD_OUT] = loader
