"""ResNet-50 and LSTM on the synthetic corpus: python tools/train.py configs/resnet50_lstm_synthetic.py

Small enough for two CPU cores: a narrow ResNet-14 of bottlenecks as trunk.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.synthetic import *
    from ._base_.loaders.synthetic import *
    from ._base_.models.resnet50_lstm import *
    from ._base_.runtime import *
    from ._base_.schedules.synthetic import *

model.backbone.trunk = "resnet14t"
model.backbone.trunk_args = dict(channels=(16, 32, 64, 128), stem_width=8, zero_init_last=False)
