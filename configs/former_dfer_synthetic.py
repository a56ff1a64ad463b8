"""Former-DFER on the synthetic corpus: python tools/train.py configs/former_dfer_synthetic.py

Small enough for two CPU cores: a narrow ResNet-10 as trunk, positions for 48 x 48 that start small.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.synthetic import *
    from ._base_.loaders.synthetic import *
    from ._base_.models.former_dfer import *
    from ._base_.runtime import *
    from ._base_.schedules.synthetic import *

model.backbone.trunk = "resnet10t"
model.backbone.trunk_args = dict(channels=(16, 32, 64, 128), stem_width=8, zero_init_last=False)
model.backbone.update(size=48, position_std=0.02)
