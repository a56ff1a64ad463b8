"""A small LGI-Former (of MAE-DFER) on the synthetic corpus: python tools/train.py configs/lgi_former_tiny_synthetic.py

From untrained weights, by the schedule that fine-tunes video transformers. 96 wide, 4 blocks, 72 tokens a clip in 4
regions: small enough for two CPU cores.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.synthetic import *
    from ._base_.loaders.synthetic_plain import *
    from ._base_.models.mae_dfer import *
    from ._base_.runtime import *
    from ._base_.schedules.finetune_tiny import *

method, title, track = "lgi_former_tiny", "LGI-Former, tiny", "paper"
model.backbone.update(size=48, region=(2, 3, 3), dim=96, num_heads=4, depth=4, drop_path=0.0)
departs_from_released_code = [
    "96 channels, 4 blocks, clips of 48 x 48 pixels, batches of 8, 60 epochs: what two CPU cores train in ten minutes",
    "no weights of masked autoencoding: the rate is 5e-4",
    "gradients are clipped to a norm of 1; no mixup, changes of colour, label smoothing or dropping of paths",
]
