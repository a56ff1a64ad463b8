"""IAL on the synthetic corpus: python tools/train.py configs/ial_synthetic.py

Small enough for two CPU cores: a quarter of the paper's channels.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.synthetic import *
    from ._base_.loaders.synthetic import *
    from ._base_.models.ial import *
    from ._base_.runtime import *
    from ._base_.schedules.synthetic import *

model.backbone.update(width=16, size=48)
