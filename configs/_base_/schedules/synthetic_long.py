"""The synthetic corpus's schedule for batches of 64: 80 epochs, which are 640 steps, at five times the rate."""

from mmengine.config import read_base

with read_base():
    from .synthetic import *

train_cfg.update(max_epochs=80, val_interval=10)
optim_wrapper.optimizer.lr = 5e-3
param_scheduler[0].T_max = 80
param_scheduler[1].end = 20
