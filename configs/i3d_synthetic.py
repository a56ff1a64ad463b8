"""I3D on the synthetic corpus: python tools/train.py configs/i3d_synthetic.py

Small enough for two CPU cores: an eighth of the paper's channels, and no dropout.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.synthetic import *
    from ._base_.loaders.synthetic import *
    from ._base_.models.i3d import *
    from ._base_.runtime import *
    from ._base_.schedules.synthetic import *

model.backbone.width = 8
model.head.dropout = 0.0
