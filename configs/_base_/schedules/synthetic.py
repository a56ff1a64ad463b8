"""The synthetic corpus's schedule, short enough for two CPU cores."""

from mmengine.optim import CosineAnnealingLR, LinearLR, OptimWrapper
from torch.optim import AdamW

train_cfg = dict(by_epoch=True, max_epochs=14, val_interval=1)
optim_wrapper = dict(type=OptimWrapper, optimizer=dict(type=AdamW, lr=1e-3, weight_decay=0.05))
param_scheduler = [
    dict(type=CosineAnnealingLR, T_max=14, eta_min=0, by_epoch=True),
    dict(type=LinearLR, start_factor=0.25, begin=0, end=3, by_epoch=True),
]
