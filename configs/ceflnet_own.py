"""CEFLNet on videos of your own, fair track: python tools/train.py configs/ceflnet_own.py"""

from mmengine.config import read_base

with read_base():
    from ._base_.datasets.own import *
    from ._base_.loaders.fair import *
    from ._base_.models.ceflnet import *
    from ._base_.runtime import *
    from ._base_.schedules.fair import *
