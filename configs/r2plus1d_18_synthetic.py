"""R(2+1)D-18 on the synthetic corpus: python tools/train.py configs/r2plus1d_18_synthetic.py

Small enough for two CPU cores: an eighth of the paper's channels.
It does not start in the board's batches of 8, so it has a schedule of its own.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.synthetic import *
    from ._base_.loaders.synthetic_large_batches import *
    from ._base_.models.r2plus1d_18 import *
    from ._base_.runtime import *
    from ._base_.schedules.synthetic_long import *

track = "paper"
model.backbone.width = 8
departs_from_released_code = [
    "an eighth of the paper's channels; from scratch",
    "16 frames of 48 x 48 pixels, one from each sixteenth of a video; AdamW for 80 epochs, batches of 64",
]
