"""How video transformers are fine-tuned: AdamW, 100 epochs, a warm-up, one cosine, lower rates in lower layers.

Sun et al., MAE-DFER, ACM MM 2023, as its released code has it: 1e-3 for batches of 256, here for the fair track's 32.
"""

from mmengine.optim import CosineAnnealingLR, LinearLR, OptimWrapper
from torch.optim import AdamW

from cefl_bench.optim.layer_decay import LayerDecay

train_cfg = dict(by_epoch=True, max_epochs=100, val_interval=1)
optim_wrapper = dict(
    type=OptimWrapper,
    optimizer=dict(type=AdamW, lr=1.25e-4, betas=(0.9, 0.999), weight_decay=0.05),
    constructor=LayerDecay,
    paramwise_cfg=dict(layer_decay=0.75),
)
param_scheduler = [
    dict(type=LinearLR, start_factor=0.001, begin=0, end=5, by_epoch=True, convert_to_iter_based=True),
    dict(
        type=CosineAnnealingLR,
        eta_min_ratio=0.001,
        begin=5,
        end=100,
        T_max=95,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
