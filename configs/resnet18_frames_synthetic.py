"""ResNet-18 frame mean on the synthetic corpus: python tools/train.py configs/resnet18_frames_synthetic.py

Small enough for two CPU cores: a narrow ResNet-10 as trunk.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.synthetic import *
    from ._base_.loaders.synthetic import *
    from ._base_.models.resnet18_frames import *
    from ._base_.runtime import *
    from ._base_.schedules.synthetic import *

model.backbone.name = "resnet10t"
model.backbone.trunk_args = dict(channels=(16, 32, 64, 128), stem_width=8, zero_init_last=False)
