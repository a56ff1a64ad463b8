"""CEFLNet on the synthetic corpus, small enough for two CPU cores: python tools/train.py configs/ceflnet_synthetic.py

The trunk is a ResNet-18 of half the width; everything else is CEFLNet.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.synthetic import *
    from ._base_.models.ceflnet import *
    from ._base_.runtime import *
    from ._base_.schedules.synthetic import *

model.backbone.trunk_args = dict(channels=(32, 64, 128, 256), stem_width=32)
model.head.num_classes = 7
