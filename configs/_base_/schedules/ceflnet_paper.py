"""CEFLNet's own schedule: Adam, 120 epochs, lr(e) = 1e-4 (1 + cos(pi e / 160)) / 2 min(1, (e + 1) / 10)."""

from mmengine.optim import CosineAnnealingLR, LinearLR, OptimWrapper
from torch.optim import Adam

train_cfg = dict(by_epoch=True, max_epochs=120, val_interval=1)
optim_wrapper = dict(type=OptimWrapper, optimizer=dict(type=Adam, lr=1e-4, weight_decay=1e-4))
param_scheduler = [
    dict(type=CosineAnnealingLR, T_max=160, eta_min=0, by_epoch=True),
    dict(type=LinearLR, start_factor=0.1, begin=0, end=10, by_epoch=True),
]
