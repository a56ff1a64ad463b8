"""The synthetic corpus's schedule, short enough for two CPU cores: AdamW, a warm-up, then one cosine.

docs/board.md has the rule by which the learning rate was chosen; it sees no test person.
"""

from mmengine.optim import CosineAnnealingLR, LinearLR, OptimWrapper
from torch.optim import AdamW

train_cfg = dict(by_epoch=True, max_epochs=15, val_interval=3)
optim_wrapper = dict(
    type=OptimWrapper, optimizer=dict(type=AdamW, lr=1e-3, weight_decay=0.05), clip_grad=dict(max_norm=1.0)
)
param_scheduler = [
    dict(type=CosineAnnealingLR, T_max=15, eta_min=0, by_epoch=True, convert_to_iter_based=True),
    dict(type=LinearLR, start_factor=0.05, begin=0, end=5, by_epoch=True, convert_to_iter_based=True),
]
