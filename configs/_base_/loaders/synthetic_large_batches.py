"""Frames of the synthetic corpus in batches of 64, for networks that BatchNorm's noise in batches of 8 keeps at chance.

docs/board.md says how large that noise is.
"""

from mmengine.config import read_base

with read_base():
    from .synthetic import *

train_dataloader.batch_size = 64
