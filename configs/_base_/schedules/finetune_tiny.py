"""Fine-tuning for small transformers that start untrained, on two CPU cores: 60 epochs at a rate of 5e-4."""

from mmengine.config import read_base

with read_base():
    from .finetune import *

train_cfg.update(max_epochs=60, val_interval=10)
optim_wrapper.optimizer.lr = 5e-4
optim_wrapper.clip_grad = dict(max_norm=1.0)
param_scheduler[1].update(end=60, T_max=55)
