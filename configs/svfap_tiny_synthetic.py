"""A small TPSBT on the synthetic corpus: python tools/train.py configs/svfap_tiny_synthetic.py

From untrained weights, by the schedule that fine-tunes video transformers. 96 wide, 2, 2 and 1 blocks: small enough for
two CPU cores.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.synthetic import *
    from ._base_.loaders.synthetic_plain import *
    from ._base_.models.svfap import *
    from ._base_.runtime import *
    from ._base_.schedules.finetune_tiny import *

method, title, track = "svfap_tiny", "SVFAP's TPSBT, tiny", "paper"
model.backbone.update(dim=96, num_heads=4, depths=(2, 2, 1), drop_path=0.0)
departs_from_released_code = [
    "96 channels, 5 blocks, clips of 48 x 48 pixels, batches of 8, 60 epochs: what two CPU cores train in ten minutes",
    "no weights of masked autoencoding: the rate is 5e-4",
    "gradients are clipped to a norm of 1; no mixup, changes of colour, label smoothing or dropping of paths",
]
