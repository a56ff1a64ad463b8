"""C3D on the synthetic corpus: python tools/train.py configs/c3d_synthetic.py

Small enough for two CPU cores: an eighth of the paper's channels, layers for 48 x 48, and no dropout.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.synthetic import *
    from ._base_.loaders.synthetic import *
    from ._base_.models.c3d import *
    from ._base_.runtime import *
    from ._base_.schedules.synthetic import *

model.backbone.update(width=8, size=48, dropout=0.0)
