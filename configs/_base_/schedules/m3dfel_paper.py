"""M3DFEL's own schedule: AdamW, 300 epochs, a cosine from 5e-4 to 5e-6, the first 20 epochs a warm-up."""

from mmengine.optim import CosineAnnealingLR, LinearLR, OptimWrapper
from torch.optim import AdamW

train_cfg = dict(by_epoch=True, max_epochs=300, val_interval=1)
optim_wrapper = dict(type=OptimWrapper, optimizer=dict(type=AdamW, lr=5e-4, weight_decay=0.05))
param_scheduler = [
    dict(type=CosineAnnealingLR, T_max=300, eta_min=5e-6, by_epoch=True, convert_to_iter_based=True),
    dict(type=LinearLR, start_factor=1e-4, begin=0, end=20, by_epoch=True, convert_to_iter_based=True),
]
