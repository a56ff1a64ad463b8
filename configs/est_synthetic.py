"""EST on the synthetic corpus: python tools/train.py configs/est_synthetic.py

Small enough for two CPU cores: a narrow ResNet-10 as trunk, a quarter of the transformer's hidden width, and a head of
one linear layer.
"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.synthetic import *
    from ._base_.loaders.synthetic import *
    from ._base_.models.est import *
    from ._base_.runtime import *
    from ._base_.schedules.synthetic import *

model.backbone.trunk = "resnet10t"
model.backbone.trunk_args = dict(channels=(16, 32, 64, 128), stem_width=8, zero_init_last=False)
model.aggregator.mlp_dim = 512
model.head.update(hidden_dims=(), dropout=0.0)
