"""CEFLNet on the synthetic corpus: python tools/train.py configs/ceflnet_synthetic.py

Small enough for two CPU cores: a narrow ResNet-10 as trunk, a head of one linear layer. The trunk starts untrained,
so EIAN starts by giving all clips almost the same weight.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.synthetic import *
    from ._base_.loaders.synthetic import *
    from ._base_.models.ceflnet import *
    from ._base_.runtime import *
    from ._base_.schedules.synthetic import *

model.backbone.trunk = "resnet10t"
model.backbone.trunk_args = dict(channels=(16, 32, 64, 128), stem_width=8, zero_init_last=False)
model.aggregator.init_std = 0.02
model.head.update(hidden_dims=(), dropout=0.0)
